"""Texts: names as EnergyPlus compares them, and shortening for display."""

import difflib
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_BLANKS = " \t\r\n"


def fold_name(name: str) -> str:
    """A name as EnergyPlus compares it: two names mean the same object if this is equal.

    Only the 26 ASCII letters lose their case, as in the engine's `InputProcessor::convertToUpper`; blanks around a
    name do not count. Python's `casefold` equates more: `Straße` with `Strasse`, `É` with `é`, which are different
    objects to the engine.

    >>> fold_name(" Room 1") == fold_name("ROOM 1"), fold_name("Straße") == fold_name("Strasse")
    (True, False)
    """
    stripped = name.strip(_BLANKS)
    return stripped.lower() if stripped.isascii() else stripped.translate(_ASCII_LOWER)


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "variant"), counted(1800, "variant")
    ('1 variant', '1,800 variants')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def middle_cut(text: str, most: int) -> str:
    """A text of at most `most` characters: the middle is cut, since names often differ at their ends.

    >>> middle_cut("USA_FL_Tampa.Intl.AP.722110_TMY3", 20)
    'USA_FL_Ta...110_TMY3'
    """
    if len(text) <= most:
        return text
    end = (most - 3) // 2
    return f"{text[: most - 3 - end]}...{text[len(text) - end :]}" if most > 3 else text[:most]


def file_labels(paths: Iterable[str]) -> dict[str, str]:
    """A label for each path: its name without extension, and more of the path if labels would be equal.

    >>> file_labels(["models/a.idf", "b.idf"])
    {'models/a.idf': 'a', 'b.idf': 'b'}
    >>> file_labels(["v1/office.idf", "v2/office.idf"])
    {'v1/office.idf': 'v1/office', 'v2/office.idf': 'v2/office'}
    >>> file_labels(["office.idf", "office.epJSON"])
    {'office.idf': 'office.idf', 'office.epJSON': 'office.epJSON'}
    """
    every = list(paths)
    forms: tuple[Callable[[PurePosixPath], str], ...] = (
        lambda path: path.stem,
        lambda path: str(path.with_suffix("")),
        str,
    )
    labels: dict[str, str] = {}
    for shown in forms:
        labels = {path: shown(PurePosixPath(path)) for path in every}
        if len(set(labels.values())) == len(labels):
            break
    return labels


_MAX_SUGGESTED_FROM = 3000


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """The known names most like `name`, quoted and joined, for the `allowed` of a problem; empty if none is close.

    >>> nearest("Watts per Zone Floor Area", ["Lighting Level", "Watts per Floor Area"])
    "'Watts per Floor Area'"
    """
    by_folded = {fold_name(name): name for name in known}
    if len(by_folded) > _MAX_SUGGESTED_FROM:
        return ""  # comparing takes a second for every 20,000 names
    folded = difflib.get_close_matches(fold_name(name), by_folded, n=count, cutoff=0.5)
    return ", ".join(f"'{by_folded[name]}'" for name in folded)


def numbered(numbers: Iterable[int], most: int = 8) -> str:
    """Numbers in order, as ranges, cut after `most` of them.

    >>> numbered([7, 3, 4, 5]), numbered([1, 3, 5], most=2)
    ('3 to 5, 7', '1, 3 and 1 more')
    """
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges[:most])
    return shown if len(ranges) <= most else f"{shown} and {len(ranges) - most} more"


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names quoted and joined, cut after `most` of them.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    every = list(names)
    text = ", ".join(f"'{name}'" for name in every[:most])
    return text if len(every) <= most else f"{text} and {len(every) - most} more"
