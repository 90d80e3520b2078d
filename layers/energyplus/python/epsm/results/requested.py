"""Values that a study asks for by name: cells of reports, and series reduced to a number."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestedValues:
    """What was found in a run's database.

    Attributes:
        numbers, texts: Value by name, None where there is none.
        missing: For every None the reason.
    """

    numbers: dict[str, float | None] = field(default_factory=dict)
    texts: dict[str, str | None] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
