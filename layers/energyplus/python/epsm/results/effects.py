"""Which parameters change the results: variants that differ in one parameter alone are compared."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.int32]
Place = tuple[str, str]
"""A model and a weather file."""


class Effects:
    """Compares the variants of a study, of which there may be a million.

    Rows with the same values have the same number, so that an array per parameter is in memory instead of a table of
    its groups.

    Args:
        rows: Columns model and weather, and one per parameter; only variants that succeeded.
        outcomes: A hash of each row's metrics.
        parameters: The parameters.
    """

    def __init__(self, rows: pd.DataFrame, outcomes: "pd.Series[int]", parameters: Sequence[str]) -> None:
        self._rows = rows
        self._outcomes = _numbers(outcomes)
        self._levels = {name: _numbers(rows[name]) for name in parameters}
        self._parameters = list(parameters)
        # Of each parameter the combination of all others before it, and of all others after it.
        self._before = _combinations([self._levels[name] for name in self._parameters])
        self._after = _combinations([self._levels[name] for name in self._parameters[::-1]])[::-1]

    def of(self, parameter: str, *, weather: str | None = None, unknown_is_level: bool = False) -> Mapping[Place, bool]:
        """By model and weather, whether the results differ, in any digit, between any two variants that differ in this
        parameter alone; pairs of model and weather without two such variants are left out. The baseline is one of the
        variants, with the model's own values if they are known.

        Args:
            parameter: The parameter.
            weather: If the parameter varies the weather, the file to name in its place.
            unknown_is_level: Whether a baseline with an unknown value counts as another level.
        """
        number = self._parameters.index(parameter)
        models = self._rows["model"]
        places = _numbers(models)
        if weather is None:
            places = _pairs(places, _numbers(self._rows["weather"]))
        groups = _pairs(_pairs(self._before[number], self._after[number]), places)
        levels, outcomes = self._levels[parameter], self._outcomes
        known = np.arange(len(groups))
        if not unknown_is_level:
            known = np.flatnonzero(self._rows[parameter].notna().to_numpy())
        order = known[np.argsort(groups[known], kind="stable")]
        if not len(order):
            return {}
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        comparable = _vary(levels[order], starts)
        differ = _vary(outcomes[order], starts)[comparable]
        firsts = order[starts[comparable]]
        # In the order in which groups occur in the table.
        sequence = np.argsort(firsts)
        found: dict[Place, bool] = {}
        place_of_group = places[firsts[sequence]]
        for place in pd.unique(place_of_group):
            of_place = place_of_group == place
            row = firsts[sequence][of_place][0]
            own = self._rows["weather"].iloc[row] if weather is None else weather
            found[str(models.iloc[row]), str(own)] = bool(differ[sequence][of_place].any())
        return found


def _numbers(column: "pd.Series[Any]") -> Numbers:
    """A number for each value of a column, missing ones included."""
    return pd.factorize(column, use_na_sentinel=False)[0].astype(np.int32)


def _pairs(one: Numbers, other: Numbers) -> Numbers:
    """A number for each pair of numbers."""
    pairs = one.astype(np.int64) * (int(other.max(initial=0)) + 1) + other
    return pd.factorize(pairs)[0].astype(np.int32)


def _combinations(columns: Sequence[Numbers]) -> list[Numbers]:
    """For each column, a number for each combination of those before it."""
    found = [np.zeros(len(columns[0]), dtype=np.int32)] if columns else []
    for column in columns[:-1]:
        found.append(_pairs(found[-1], column))
    return found


def _vary(numbers: Numbers, starts: "NDArray[np.intp]") -> "NDArray[np.bool_]":
    """Whether the numbers of each group differ; groups are consecutive."""
    varied: NDArray[np.bool_] = np.minimum.reduceat(numbers, starts) != np.maximum.reduceat(numbers, starts)
    return varied
