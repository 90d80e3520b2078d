"""Medians and ratios of the measurements, as tables and as JSON."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.output import print_table
from benchmarks.peers.measure import Measurement
from benchmarks.peers.runners import BARE_EDITED, BARE_OWNER, CACHED, COLD, WARM

Rounds = Sequence[Mapping[str, Measurement]]
"""For each round the measurement of each runner."""

ORDER = (BARE_OWNER, BARE_EDITED, WARM, CACHED, COLD)
"""The first rows of a table; the peers follow."""
HEADS = (
    *("runner", "wall_seconds", "ratio to owner's file", "ratio to EPSM's file", "cpu_seconds", "cpu ratio"),
    *("overhead_ms a variant", "peak_memory_mb", "disk_mb"),
)


def summary(rounds: Rounds, variants: int) -> dict[str, dict[str, float]]:
    """For each runner the medians over the rounds, and its ratios.

    A ratio is the median of the ratios of single rounds, because what slows a machine down for minutes slows a whole
    round down. `overhead_ms` is the wall time that a variant takes longer than with the bare engine on the owner's
    file; negative if it takes less.
    """
    order = [name for name in ORDER if name in rounds[0]]
    return {name: _of_runner(rounds, name, variants) for name in dict.fromkeys([*order, *rounds[0]])}


def _of_runner(rounds: Rounds, runner: str, variants: int) -> dict[str, float]:
    walls = [found[runner].wall_seconds for found in rounds]
    bare = [found[BARE_OWNER].wall_seconds for found in rounds]
    return {
        "wall_seconds": statistics.median(walls),
        "ratio": _ratio(rounds, runner, BARE_OWNER, "wall_seconds"),
        "ratio_edited": _ratio(rounds, runner, BARE_EDITED, "wall_seconds"),
        "cpu_seconds": statistics.median(found[runner].cpu_seconds for found in rounds),
        "cpu_ratio": _ratio(rounds, runner, BARE_OWNER, "cpu_seconds"),
        "overhead_ms": 1000 * statistics.median(a - b for a, b in zip(walls, bare, strict=True)) / variants,
        "peak_memory_mb": max(found[runner].peak_memory_mb for found in rounds),
        "disk_mb": statistics.median(found[runner].disk_mb for found in rounds),
    }


def _ratio(rounds: Rounds, runner: str, base: str, attribute: str) -> float:
    ratios: list[float] = [getattr(found[runner], attribute) / getattr(found[base], attribute) for found in rounds]
    return statistics.median(ratios)


def show(name: str, rounds: Rounds, variants: int, places: int) -> None:
    """Print the table of a model."""
    print(f"{name}, {variants} variants, {places} engines at a time, medians of {len(rounds)} rounds:\n")
    rows = summary(rounds, variants)
    print_table(HEADS, [[runner, *_cells(row)] for runner, row in rows.items()])


def _cells(row: Mapping[str, float]) -> list[object]:
    walls = [row["wall_seconds"], row["ratio"], row["ratio_edited"], row["cpu_seconds"], row["cpu_ratio"]]
    return [*walls, *(round(row[name]) for name in ("overhead_ms", "peak_memory_mb", "disk_mb"))]


def document(name: str, rounds: Rounds, variants: int) -> dict[str, Any]:
    """The same with every single measurement, for the JSON file."""
    return {
        "model": name,
        "variants": variants,
        "summary": summary(rounds, variants),
        "rounds": [{runner: asdict(found) for runner, found in measured.items()} for measured in rounds],
    }
