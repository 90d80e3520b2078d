"""Items of the Distributed Map: one for each variant, with the place where it runs, a function or a container."""

import json
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from epsm.store import keys
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.manifest import RunManifest
from epsm.study.schema import MAX_FUNCTION_RUN_S
from epsm.study.variants import Variant

RECORD_KEY, RUNS_ON, REPEATS = "record_key", "runs_on", "repeats"
"""Keys of an item besides its variant: the sort key of the variant's record, where the variant runs, and the index of
an earlier variant with the same sample, if there is one."""
FUNCTION, CONTAINER = "function", "container"

_NEAR = 0.8
"""Fraction of a function's time limit: a variant may take longer than the unchanged model, so models above it run in
containers."""


def models_for_containers(manifest: RunManifest, records: Records) -> Collection[str]:
    """The models of a study that are too slow for a function, by earlier runs.

    A model that has never run is tried in a function: an assumed run time is too rough for this choice. Variants that
    take too long there are passed to a container by the state machine.

    Args:
        manifest: The run's manifest.
        records: Source of the run times.
    """
    study = manifest.study
    if study.options.timeout_s <= MAX_FUNCTION_RUN_S:
        return ()
    run_times = {model: records.run_time(manifest.inputs[model].sha256) for model in study.models}
    return {
        model for model, seconds in run_times.items() if seconds is not None and seconds >= _NEAR * MAX_FUNCTION_RUN_S
    }


def item_of(variant: Variant, runs_on: str = FUNCTION, repeats: int | None = None) -> dict[str, Any]:
    """The item of a variant for the state machine.

    The state machine needs the record's key to record a lost variant, and cannot build it itself.

    Args:
        variant: The variant.
        runs_on: ``function`` or ``container``.
        repeats: Index of the variant whose sample it repeats.
    """
    item = {**asdict(variant), RECORD_KEY: keys.variant_sort_key(variant.index), RUNS_ON: runs_on}
    return item if repeats is None else item | {REPEATS: repeats}


def write_items(files: Files, key: str, variants: Iterable[Variant], in_containers: Collection[str]) -> int:
    """Write the items of a Distributed Map as one array, streamed; returns their number. Nothing is written if there
    are none.

    Variants with the sample of an earlier one come last, when the results that they take are likely to be there.

    Args:
        files: The store.
        key: Where to write.
        variants: What to write, in the order of the study.
        in_containers: The models with variants that run in containers.
    """
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.json"
        with path.open("w", encoding="utf-8") as file:
            separator = "["
            for variant, repeats in _repeats_last(variants):
                item = item_of(variant, CONTAINER if variant.model in in_containers else FUNCTION, repeats)
                file.write(separator + json.dumps(item, ensure_ascii=False))
                separator = ",\n"
                count += 1
            file.write("]\n")
        if count:
            files.put_file(key, path, "application/json")
    return count


def _repeats_last(variants: Iterable[Variant]) -> Iterator[tuple[Variant, int | None]]:
    """Variants, each with the index of the first one of its sample if it is not that one itself; these come last."""
    # Hashes of one model and weather at a time: a million samples would not fit into a function's memory. A collision
    # costs a wait, no more: results are found by content.
    first_of: dict[int, int] = {}
    put_off: list[tuple[Variant, int]] = []
    pair = None
    for variant in variants:
        own_weather = None if variant.weather in variant.values.values() else variant.weather
        if pair != (variant.model, own_weather):
            pair = (variant.model, own_weather)
            first_of.clear()
        first = first_of.setdefault(hash(tuple(variant.values.items())), variant.index)
        if first == variant.index:
            yield variant, None
        else:
            put_off.append((variant, first))
    yield from put_off
