"""Values that a study requests by name: cells of reports, and series reduced to a number."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestedValues:
    """Requested values from a run's database.

    Attributes:
        numbers, texts: Value by name, or None.
        missing: The reason for every None.
    """

    numbers: dict[str, float | None] = field(default_factory=dict)
    texts: dict[str, str | None] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
