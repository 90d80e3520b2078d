"""Why an edit of a measure cannot be made on a model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason, without the place in study.json, which the caller knows.

    Attributes:
        key: The key of the edit that it concerns; empty for the edit as a whole.
        what: What was found.
        allowed: What would be possible instead.
    """

    key: str
    what: str
    allowed: str = ""
