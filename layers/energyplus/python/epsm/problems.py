"""Faults of a study, reported to its modeller."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MAX_PROBLEMS_SHOWN = 100
"""Further problems are counted, not listed: a rejection must fit into a record and on a screen."""


_MAX_CHARACTERS = 300
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Includes characters that reverse the text direction, which could disguise a message."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in the input. Its texts quote what was found, so they are cut and made printable.

    Attributes:
        where: The file and the place in it, e.g. ``study.json: parameters[1].field``.
        what: What was found there, as a sentence.
        allowed: Allowed values; empty if `what` already says so.
    """

    where: str
    what: str
    allowed: str = ""

    def __post_init__(self) -> None:
        for name in ("where", "what", "allowed"):
            text = _UNPRINTABLE.sub("?", getattr(self, name))
            cut = text if len(text) <= _MAX_CHARACTERS else text[: _MAX_CHARACTERS - 3] + "..."
            object.__setattr__(self, name, cut)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" (allowed: {self.allowed})" if self.allowed else "")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def shortened(problems: Sequence[Problem]) -> list[Problem]:
    """The first `MAX_PROBLEMS_SHOWN` problems, then one that counts the rest."""
    if len(problems) <= MAX_PROBLEMS_SHOWN:
        return list(problems)
    rest = len(problems) - MAX_PROBLEMS_SHOWN
    return [
        *problems[:MAX_PROBLEMS_SHOWN],
        Problem("study", f"{rest} further problems of the same kinds are not listed"),
    ]
