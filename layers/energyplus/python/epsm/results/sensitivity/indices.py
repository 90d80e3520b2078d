"""The results of an analysis: an index with its interval and basis, or the reason why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Basis:
    """The number of runs, blocks or trajectories used in a computation, and the number in the design."""

    used: int
    of: int
    counted: str = "runs"

    def __str__(self) -> str:
        return f"{self.used} of {self.of} {self.counted}"


@dataclass(frozen=True, slots=True)
class Index:
    """A sensitivity index of a parameter, or the reason why there is none.

    Attributes:
        method: ``sobol``, ``morris``, ``regression``, ``pawn`` or ``one_at_a_time``.
        name: ``S1``, ``ST``, ``S2``; ``mu_star``, ``mu``, ``sigma``; ``SRC``; ``PAWN``; ``range``.
        parameter: The parameter.
        value: The index, or None.
        low, high: Its confidence interval, if it has one.
        basis: The data from which it was computed.
        reason: The reason for a missing value.
        other: For ``S2``, the second parameter.
        threshold: For ``PAWN``, the value below which a parameter without effect stays.
    """

    method: str
    name: str
    parameter: str
    value: float | None
    low: float | None
    high: float | None
    basis: Basis
    reason: str = ""
    other: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A method that could not be used.

    Attributes:
        method: The method.
        basis: The available data.
        reason: The reason.
    """

    method: str
    basis: Basis
    reason: str


class TooLittle(Exception):
    """There are too few runs or levels for a method; the message names them."""
