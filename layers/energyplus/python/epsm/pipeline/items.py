"""Items of the Distributed Map: each is a variant or a batch of variants, with the place where it runs: a function, a
container, or a container on Fargate Spot."""

import functools
import json
import tempfile
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from epsm.checks.budget import run_times_of
from epsm.settings import Settings
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.batches import DEFAULT_TASKS, Batching, batching_of
from epsm.study.compute import COMPUTES, DEFAULT_COMPUTE, Compute, Tasks
from epsm.study.failures import max_failures
from epsm.study.manifest import RunManifest
from epsm.study.schema import MAX_FUNCTION_RUN_S
from epsm.study.variants import Variant

INDEX, RECORD_KEY, RECORD_BLOCK, RUNS_ON, REPEATS = "index", "record_key", "record_block", "runs_on", "repeats"
"""Keys of an item besides its variant and `ATTEMPT`: the sort key of the variant's record and the end of its partition
key, where the variant runs, and the index of an earlier variant with the same sample, if there is one."""
BATCH, ATTEMPT, MAX_FAILURES = "batch", "attempt", "max_failures"
"""Keys of a batch: its variants, each with `INDEX`, `RECORD_KEY`, `RECORD_BLOCK` and perhaps `REPEATS`; the study's
attempt, which the input of the execution has too; and the number of failed variants that this attempt tolerates."""
FUNCTION, CONTAINER, SPOT = COMPUTES

_NEAR = 0.8
"""Fraction of a function's time limit: models with a longer run time run in containers, since a variant may take longer
than the unchanged model."""


def models_for_containers(manifest: RunManifest, owner: str, records: Records) -> Collection[str]:
    """The models of a study that are too slow for a function, by earlier runs.

    A model that has never run is tried in a function: an assumed run time is too rough for this choice. Variants that
    take too long there are passed to a container by the state machine.

    Args:
        manifest: The run's manifest.
        owner: The study's owner, whose earlier runs count.
        records: Source of the run times.
    """
    study = manifest.study
    if study.options.fits_function:
        return ()
    run_times = {model: records.run_time(owner, manifest.inputs[model].sha256) for model in study.models}
    return {
        model for model, seconds in run_times.items() if seconds is not None and seconds >= _NEAR * MAX_FUNCTION_RUN_S
    }


def item_of(
    variant: Variant,
    runs_on: str = FUNCTION,
    repeats: int | None = None,
    block_size: int = keys.BLOCK_SIZE,
    attempt: int = 1,
) -> dict[str, Any]:
    """The item of a variant for the state machine.

    The state machine needs the record's key to record a lost variant, and cannot build it itself.

    Args:
        variant: The variant.
        runs_on: ``function``, ``container`` or ``spot``.
        repeats: Index of the variant whose sample it repeats.
        block_size: Variants of a partition of the table.
        attempt: The study's attempt.
    """
    return {**asdict(variant), **_entry(variant.index, repeats, block_size), RUNS_ON: runs_on, ATTEMPT: attempt}


def _entry(index: int, repeats: int | None, block_size: int) -> dict[str, Any]:
    entry = {
        INDEX: index,
        RECORD_KEY: keys.variant_sort_key(index),
        RECORD_BLOCK: keys.block_suffix(index, block_size),
    }
    return entry if repeats is None else entry | {REPEATS: repeats}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The properties of a study's attempt that its items depend on.

    Attributes:
        number: 1 for the first.
        variants: Number of its variants.
        in_containers: The models that are too slow for a function.
        batching: How the variants are divided into batches.
        max_failures: Number of failed variants that it tolerates; one more stops the study.
        block_size: Variants of a partition of the table.
        compute: The study's option `compute`.
        tasks: Containers of the stack for batches.
    """

    number: int
    variants: int
    in_containers: Collection[str]
    batching: Batching
    max_failures: int
    block_size: int = keys.BLOCK_SIZE
    compute: Compute = DEFAULT_COMPUTE
    tasks: Tasks = DEFAULT_TASKS

    def place_of(self, model: str) -> str:
        """Where the variants of a model run."""
        if self.compute != FUNCTION:
            return self.compute
        return CONTAINER if model in self.in_containers else FUNCTION


def attempt_of(
    manifest: RunManifest, owner: str, records: Records, settings: Settings, variants: int, number: int = 1
) -> Attempt:
    """An attempt of a study.

    Args:
        manifest: The run's manifest.
        owner: The study's owner, whose earlier runs count.
        records: Source of the run times.
        settings: The stack's settings.
        variants: Number of variants of the attempt.
        number: 1 for the first.
    """
    options, tasks = manifest.study.options, Tasks.within(settings.fargate_vcpus)
    run_time = functools.partial(records.run_time, owner)
    run_times = functools.cache(lambda: run_times_of(manifest, run_time))  # looked up only for batches
    batching = batching_of(
        options,
        variants,
        memory_mb=settings.variant_memory_mb,
        reserved=settings.variant_concurrency,
        tasks=tasks,
        seconds_of=lambda model: run_times()[model].engine_seconds,
    )
    allowed = max_failures(options.model_dump(), variants)
    block_size = records.block_size(manifest.simulation_id)
    slow = models_for_containers(manifest, owner, records)
    return Attempt(number, variants, slow, batching, allowed, block_size, options.compute, tasks)


def write_items(files: Files, key: str, variants: Iterable[Variant], attempt: Attempt) -> int:
    """Write the items of a Distributed Map as one array, streamed; returns the number of variants. Nothing is written
    if there are none.

    Variants with the same sample as an earlier one come last, when its results are likely to be available for reuse.

    Args:
        files: The store.
        key: Key of the object to write.
        variants: The variants, in the order of the study.
        attempt: How they run.
    """
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.json"
        with path.open("w", encoding="utf-8") as file:
            separator = "["
            for item, size in _items(variants, attempt):
                file.write(separator + json.dumps(item, ensure_ascii=False))
                separator = ",\n"
                count += size
            file.write("]\n")
        if count:
            files.put_file(key, path, "application/json")
    return count


def _items(variants: Iterable[Variant], attempt: Attempt) -> Iterator[tuple[dict[str, Any], int]]:
    """The items, each with its number of variants."""

    def place(variant: Variant) -> str:
        return attempt.place_of(variant.model)

    if attempt.batching.batched:
        yield from _batches(variants, place, attempt)
        return
    put_off = []
    for variant, repeats in _with_repeats(variants):
        if repeats is None:
            yield item_of(variant, place(variant), None, attempt.block_size, attempt.number), 1
        else:
            put_off.append((variant, repeats))
    for variant, repeats in put_off:
        yield item_of(variant, place(variant), repeats, attempt.block_size, attempt.number), 1


@dataclass(frozen=True, slots=True)
class _Group:
    """Consecutive variants that may share a batch: they have the same model, which a worker parses once for all.

    Attributes:
        model, runs_on: Their model, and where they run.
        indices: The variants; arrays, because a study may have a million.
        repeats: Indices of the variants whose samples they repeat; empty if they repeat none.
    """

    model: str
    runs_on: str
    indices: "array[int]" = field(default_factory=lambda: array("L"))
    repeats: "array[int]" = field(default_factory=lambda: array("L"))

    def entries(self, start: int, end: int, block_size: int) -> list[dict[str, Any]]:
        indices = self.indices[start:end]
        repeats = self.repeats[start:end] or [None] * len(indices)
        return [_entry(index, earlier, block_size) for index, earlier in zip(indices, repeats, strict=True)]


def _batches(
    variants: Iterable[Variant], place: Callable[[Variant], str], attempt: Attempt
) -> Iterator[tuple[dict[str, Any], int]]:
    """The batches, each with its number of variants. Those of variants that repeat a sample are separate: in one batch
    with the first variants that have it, they would make that batch too large, and the engines of the next one wait."""
    first_ones: list[_Group] = []
    repeating: list[_Group] = []
    for variant, repeats in _with_repeats(variants):
        groups, runs_on = first_ones if repeats is None else repeating, place(variant)
        if not groups or (groups[-1].model, groups[-1].runs_on) != (variant.model, runs_on):
            groups.append(_Group(variant.model, runs_on))
        groups[-1].indices.append(variant.index)
        if repeats is not None:
            groups[-1].repeats.append(repeats)
    for groups in (first_ones, repeating):
        left = sum(len(group.indices) for group in groups)
        for group in groups:
            start = 0
            while start < len(group.indices):
                size = attempt.batching.size(left, group.model, in_container=group.runs_on != FUNCTION)
                batch = group.entries(start, start + size, attempt.block_size)
                yield _batch_item(batch, group.runs_on, attempt), len(batch)
                start += len(batch)
                left -= len(batch)


def _batch_item(batch: list[dict[str, Any]], runs_on: str, attempt: Attempt) -> dict[str, Any]:
    return {BATCH: batch, RUNS_ON: runs_on, ATTEMPT: attempt.number, MAX_FAILURES: attempt.max_failures}


def _with_repeats(variants: Iterable[Variant]) -> Iterator[tuple[Variant, int | None]]:
    """Variants, each with the index of the first one that has the same sample, if it is another one."""
    # Hashes of one model and weather at a time: those of a million samples would not fit into a function's memory.
    # A collision only costs a wait, since results are found by content.
    first_of: dict[int, int] = {}
    pair = None
    for variant in variants:
        own_weather = None if variant.weather in variant.values.values() else variant.weather
        if pair != (variant.model, own_weather):
            pair = (variant.model, own_weather)
            first_of.clear()
        first = first_of.setdefault(hash(tuple(variant.values.items())), variant.index)
        yield variant, None if first == variant.index else first
