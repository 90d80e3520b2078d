"""The design of a study for the estimators: groups of runs, and which of these are complete."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEP_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Design:
    """The samples of one model and weather file, without the baseline, in order.

    Attributes:
        method: Sampling
        method: ``sobol``, ``morris``, ``one_at_a_time``; anything else (``grid``, ``latin_hypercube``, ``random``,
            ``list``) has no structure that an estimator needs.
        names: The parameters.
        values: One column per parameter: floats, or an array of objects if values are texts.
        unit: Coordinates in the unit cube (samples x parameters); required for Morris only.
        second_order: Whether a Sobol design has the blocks of second-order indices.
        varied: For ``one_at_a_time`` the number of the parameter that each sample varies.
    """

    method: str
    names: tuple[str, ...]
    values: tuple[NDArray[Any], ...]
    unit: Floats | None = None
    second_order: bool = False
    varied: NDArray[np.intp] | None = None

    @property
    def samples(self) -> int:
        return len(self.values[0]) if self.values else 0

    @property
    def group_size(self) -> int:
        """Number of runs in a group that is used as a whole (a Saltelli block, a Morris trajectory); otherwise 1."""
        count = len(self.names)
        if self.method == "sobol":
            return 2 * count + 2 if self.second_order else count + 2
        return count + 1 if self.method == "morris" else 1

    def problem(self) -> str:
        """The reason why the samples do not form the expected design; empty if they do."""
        if self.group_size == 1:
            return ""
        message = "Saltelli blocks" if self.method == "sobol" else "Morris trajectories"
        if self.samples == 0 or self.samples % self.group_size:
            return f"{self.samples} samples are not whole {message} of {self.group_size}"
        fits = self._is_saltelli() if self.method == "sobol" else self._is_morris()
        return "" if fits else f"the samples are not in the order of {message}"

    def _is_saltelli(self) -> bool:
        """Whether each block is A, then A with one column of B each (then B with one column of A each), then B."""
        count = len(self.names)
        for column, values in enumerate(self.values):
            block = values.reshape(-1, self.group_size)
            first, last = block[:, :1], block[:, -1:]
            mixed = block[:, 1:-1]
            from_b = np.zeros(mixed.shape[1], dtype=bool)
            from_b[column] = True
            if self.second_order:
                from_b[count:] = True
                from_b[count + column] = False
            if not (np.all(mixed[:, from_b] == last) and np.all(mixed[:, ~from_b] == first)):
                return False
        return True

    def _is_morris(self) -> bool:
        """Whether in each trajectory every parameter moves once, one at a time."""
        moved = np.abs(self.steps()) > _STEP_TOLERANCE
        return bool(np.all(moved.sum(axis=1) == 1) and np.all(moved.sum(axis=2) == 1))

    def steps(self) -> Floats:
        """Steps of each parameter between consecutive runs in the unit cube: trajectories x moves x parameters."""
        assert self.unit is not None
        return np.diff(self.unit.reshape(-1, self.group_size, len(self.names)), axis=1)


def complete_groups(design: Design, results: Floats) -> NDArray[np.bool_]:
    """For each group, whether all its runs have a value."""
    complete: NDArray[np.bool_] = np.all(np.isfinite(results).reshape(-1, design.group_size), axis=1)
    return complete
