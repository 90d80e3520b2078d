"""Pareto ranks: non-dominated sorting of points to be minimised.

A point dominates another if none of its objectives is worse and one is better. Rank 1 are the points that no other
dominates (the Pareto front), rank 2 those that none but points of rank 1 dominate, and so on (Goldberg 1989; Deb et al.
2002, NSGA-II).
"""

import json
from array import array
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAX_OBJECTIVES = 3
_AT_A_TIME = 50_000


class Ranks(Mapping[int, int]):
    """The rank of each point that has one, by its index. In an array: a dictionary of a million takes 100 MB."""

    def __init__(self, ranks: "NDArray[np.int32]") -> None:
        self._ranks = ranks

    def __getitem__(self, index: int) -> int:
        rank = int(self._ranks[index]) if index < len(self._ranks) else 0
        if not rank:
            raise KeyError(index)
        return rank

    def __iter__(self) -> Iterator[int]:
        for start in range(0, len(self._ranks), _AT_A_TIME):
            yield from (start + np.flatnonzero(self._ranks[start : start + _AT_A_TIME])).tolist()

    def write(self, path: Path) -> None:
        """Write the ranks as pareto-ranks.bin; see `epsm.results.result_files`."""
        self._ranks.astype("<i4").tofile(path)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._ranks))


class Ranking:
    """Ranks points within their groups, once all are known."""

    def __init__(self) -> None:
        # In arrays: a million tuples of floats would take 200 MB.
        self._indices: dict[Hashable, array[int]] = {}
        self._numbers: dict[Hashable, array[float]] = {}
        self._objectives = 1

    def add(self, group: Hashable, index: int, point: Sequence[float]) -> None:
        """Add a point.

        Args:
            group: Only points of the same group are compared.
            index: Names the point; each is added once.
            point: Its objectives, up to three, of every point as many.
        """
        self._objectives = len(point)
        self._indices.setdefault(group, array("q")).append(index)
        self._numbers.setdefault(group, array("d")).extend(point)

    def ranks(self) -> Ranks:
        """The rank of each point, by index."""
        indices = {group: np.frombuffer(own, dtype=np.int64) for group, own in self._indices.items()}
        ranks = np.zeros(max((int(own.max()) + 1 for own in indices.values()), default=0), dtype=np.int32)
        for group, own in indices.items():
            points = np.frombuffer(self._numbers[group], dtype=np.float64)
            ranks[own] = _ranks(points.reshape(-1, self._objectives))
        return Ranks(ranks)


def write_ranks(path: Path, objectives: Sequence[str], ranks: Mapping[int, int]) -> None:
    """Write pareto.json."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"objectives": {json.dumps(objectives)}, "ranks": {{')
        separator = ""
        for index, rank in ranks.items():
            file.write(f'{separator}"{index}": {rank}')
            separator = ", "
        file.write("}}")


def pareto_ranks(points: Iterable[tuple[float, ...]]) -> list[int]:
    """The rank of each point. Equal points have the same rank.

    >>> pareto_ranks([(1, 5), (2, 2), (3, 3), (2, 2), (5, 1), (4, 4)])
    [1, 1, 2, 1, 1, 3]
    """
    listed = list(points)
    ranks: list[int] = _ranks(np.array(listed, dtype=np.float64)).tolist() if listed else []
    return ranks


def _ranks(points: "NDArray[np.float64]") -> "NDArray[np.int32]":
    """The rank of each row.

    Sorted by the first objective, a point can only be dominated by one before it. Each front keeps the staircase of its
    other two objectives, so that one look-up says whether it dominates a point; and whatever a front dominates, the
    fronts before it dominate too, so the rank is found by bisection (Zhang et al. 2015, efficient non-dominated sort).
    """
    columns = [points[:, number] for number in range(points.shape[1])]
    columns += [np.zeros(len(points))] * (MAX_OBJECTIVES - len(columns))
    order = np.lexsort(columns[::-1])
    ranks = np.empty(len(points), dtype=np.int32)
    fronts: list[_Staircase] = []
    last, rank = None, 0
    for start in range(0, len(order), _AT_A_TIME):
        part = order[start : start + _AT_A_TIME]
        found = []
        for point in zip(*(column[part].tolist() for column in columns), strict=True):
            if point != last:
                last, rank = point, _rank(fronts, *point[1:])
            found.append(rank)
        ranks[part] = found
    return ranks


def _rank(fronts: "list[_Staircase]", second: float, third: float) -> int:
    """Put a point into its front; the number of the front, from 1."""
    low, high = 0, len(fronts)
    while low < high:
        middle = (low + high) // 2
        if fronts[middle].dominates(second, third):
            low = middle + 1
        else:
            high = middle
    if low == len(fronts):
        fronts.append(_Staircase())
    fronts[low].add(second, third)
    return low + 1


class _Staircase:
    """The points of a front in two objectives, without those that others of it dominate there."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._thirds: list[float] = []

    def dominates(self, second: float, third: float) -> bool:
        place = bisect_right(self._seconds, second)
        return place > 0 and self._thirds[place - 1] <= third

    def add(self, second: float, third: float) -> None:
        place = bisect_right(self._seconds, second)
        end = place
        while end < len(self._thirds) and self._thirds[end] >= third:
            end += 1
        start = place - 1 if place and self._seconds[place - 1] == second else place
        self._seconds[start:end] = [second]
        self._thirds[start:end] = [third]
