"""Pareto ranks: non-dominated sorting of points to be minimised.

A point dominates another if none of its objectives is worse and one is better. Rank 1 are the points that no other
dominates (the Pareto front), rank 2 those that none but points of rank 1 dominate, and so on (Goldberg 1989; Deb et al.
2002, NSGA-II).
"""

from array import array
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence

MAX_OBJECTIVES = 3


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

    def ranks(self) -> dict[int, int]:
        """The rank of each point, by index."""
        found: dict[int, int] = {}
        for group, indices in self._indices.items():
            points = zip(*[iter(self._numbers[group])] * self._objectives, strict=True)
            found.update(zip(indices, pareto_ranks(points), strict=True))
        return found


def pareto_ranks(points: Iterable[tuple[float, ...]]) -> list[int]:
    """The rank of each point.

    Sorted by the first objective, a point can only be dominated by one before it. Each front keeps the staircase of its
    other two objectives, so that one look-up says whether it dominates a point; and whatever a front dominates, the
    fronts before it dominate too, so the rank is found by bisection (Zhang et al. 2015, efficient non-dominated sort).
    Equal points have the same rank.

    >>> pareto_ranks([(1, 5), (2, 2), (3, 3), (2, 2), (5, 1), (4, 4)])
    [1, 1, 2, 1, 1, 3]
    """
    listed = list(points)
    fronts: list[_Staircase] = []
    ranks: dict[tuple[float, ...], int] = {}
    for point in sorted(set(listed)):
        second, third = (*point[1:], 0.0, 0.0)[:2]
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
        ranks[point] = low + 1
    return [ranks[point] for point in listed]


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
