"""What an analysis says: an index with its interval and what it was computed from, or the reason why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Basis:
    """From how many runs, blocks or trajectories something was computed, and of how many that the design has."""

    used: int
    of: int
    counted: str = "runs"

    def __str__(self) -> str:
        return f"{self.used} of {self.of} {self.counted}"


@dataclass(frozen=True, slots=True)
class Index:
    """One number about one parameter, or the reason why there is none.

    Attributes:
        method: ``sobol``, ``morris``, ``regression``, ``pawn`` or ``one_at_a_time``.
        name: ``S1``, ``ST``, ``S2``; ``mu_star``, ``mu``, ``sigma``; ``SRC``; ``PAWN``; ``range``.
        parameter: Of which parameter.
        value: The index; None where there is none.
        low, high: Its confidence interval, where it has one.
        basis: From how much it was computed.
        reason: Why there is no value.
        other: For ``S2`` the second parameter.
        threshold: For ``PAWN`` the value that a parameter without any effect would stay below.
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
        method: Which.
        basis: How much there was.
        reason: Why.
    """

    method: str
    basis: Basis
    reason: str


class TooLittle(Exception):
    """There are too few runs or levels for a method; the message names them."""
