"""What is wrong with a study, told to the modeller who wrote it."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from epsm.text import fold_name

MOST_SHOWN = 100
"""More problems than this are counted, not listed: a refusal must fit into a record and on a screen."""


_MOST_CHARACTERS = 300
_MOST_SUGGESTED_FROM = 3000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in the input. Its texts quote what was found, so they are cut and made printable.

    Attributes:
        where: The file and the place in it, e.g. ``study.json: parameters[1].field``.
        what: What was found there, as a sentence.
        allowed: What would be accepted instead; empty where the sentence says it all.
    """

    where: str
    what: str
    allowed: str = ""

    def __post_init__(self) -> None:
        for name in ("where", "what", "allowed"):
            text = _UNPRINTABLE.sub("?", getattr(self, name))
            cut = text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 3] + "..."
            object.__setattr__(self, name, cut)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" (allowed: {self.allowed})" if self.allowed else "")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class StudyRejected(Exception):
    """A study that cannot be run as it is. Carries every fault that was found, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(f"{len(self.problems)} problem(s): " + "; ".join(map(str, self.problems[:3])))


def shortened(problems: Sequence[Problem]) -> list[Problem]:
    """The first `MOST_SHOWN` problems, then one that counts the rest."""
    if len(problems) <= MOST_SHOWN:
        return list(problems)
    rest = len(problems) - MOST_SHOWN
    return [*problems[:MOST_SHOWN], Problem("study", f"{rest} further problems of the same kinds are not listed")]


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """The known names most like `name`, quoted and joined, for the `allowed` of a problem; empty if none is near.

    >>> nearest("Watts per Zone Floor Area", ["Lighting Level", "Watts per Floor Area"])
    "'Watts per Floor Area'"
    """
    by_folded = {fold_name(each): each for each in known}
    if len(by_folded) > _MOST_SUGGESTED_FROM:
        return ""  # comparing takes a second for every 20,000 names
    folded = difflib.get_close_matches(fold_name(name), by_folded, n=count, cutoff=0.5)
    return ", ".join(f"'{by_folded[each]}'" for each in folded)


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names quoted and joined, cut after `most` of them.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    every = list(names)
    text = ", ".join(f"'{each}'" for each in every[:most])
    return text if len(every) <= most else f"{text} and {len(every) - most} more"
