"""Reasons why an edit of a measure cannot be applied to a model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason, without the location in study.json, which the caller adds.

    Attributes:
        key: The key of the edit concerned; empty for the edit as a whole.
        what: The fault.
        allowed: The allowed alternative.
    """

    key: str
    what: str
    allowed: str = ""
