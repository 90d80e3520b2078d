"""The day types of EnergyPlus's schedules, and the words that choose them."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from epsm.text import fold_name

DayWord = Literal[
    "AllDays",
    "Weekdays",
    "Weekends",
    "Holidays",
    "AllOtherDays",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Holiday",
    "SummerDesignDay",
    "WinterDesignDay",
    "CustomDay1",
    "CustomDay2",
]
_ORDINARY = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Holiday")
_DESIGN = ("SummerDesignDay", "WinterDesignDay", "CustomDay1", "CustomDay2")
DAY_TYPES = (*_ORDINARY, *_DESIGN)
"""In EnergyPlus's order, which is that of the fields of Schedule:Week:Daily."""
DESIGN_DAYS = frozenset(_DESIGN)
"""Day types that are edited only if they are named."""
OTHER_DAYS = "AllOtherDays"
WEEKDAYS, WEEKENDS = frozenset(_ORDINARY[1:6]), frozenset({"Sunday", "Saturday"})
_WORDS: dict[str, frozenset[str]] = {
    "AllDays": frozenset(DAY_TYPES),
    "Weekdays": WEEKDAYS,
    "Weekends": WEEKENDS,
    "Holidays": frozenset({"Holiday"}),
    OTHER_DAYS: frozenset(),
    **{name: frozenset({name}) for name in DAY_TYPES},
}
_CANONICAL = {fold_name(word): word for word in _WORDS}


def _canonical_word(word: Any) -> Any:
    return _CANONICAL.get(fold_name(word), word) if isinstance(word, str) else word


Days = Annotated[
    tuple[Annotated[DayWord, BeforeValidator(_canonical_word)], ...], Field(min_length=1, max_length=len(_WORDS))
]


def named_days(words: Iterable[str]) -> frozenset[str]:
    """The day types that words name; none for `AllOtherDays`, which depends on the schedule.

    >>> sorted(named_days(["Weekends", "Holidays"]))
    ['Holiday', 'Saturday', 'Sunday']
    """
    return frozenset().union(*(_WORDS[word] for word in words))


def in_words(days: frozenset[str]) -> str:
    """Day types as a Schedule:Compact names them, separated by blanks.

    >>> in_words(named_days(["Weekdays", "Holidays"])), in_words(frozenset(DAY_TYPES))
    ('Weekdays Holidays', 'AllDays')
    """
    if days == frozenset(DAY_TYPES):
        return "AllDays"
    words: list[str] = []
    for word, group in (("Weekdays", WEEKDAYS), ("Weekends", WEEKENDS)):
        if group <= days:
            words.append(word)
            days -= group
    words += ["Holidays" if name == "Holiday" else name for name in DAY_TYPES if name in days]
    return " ".join(words)
