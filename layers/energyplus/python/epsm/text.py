"""Texts: names as EnergyPlus compares them, and what is shown where there is little room."""

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
    return name.strip(_BLANKS).translate(_ASCII_LOWER)


def middle_cut(text: str, most: int) -> str:
    """A text of at most `most` characters: the middle goes, since names often differ at their ends.

    >>> middle_cut("USA_FL_Tampa.Intl.AP.722110_TMY3", 20)
    'USA_FL_Ta...110_TMY3'
    """
    if len(text) <= most:
        return text
    end = (most - 3) // 2
    return f"{text[: most - 3 - end]}...{text[len(text) - end :]}" if most > 3 else text[:most]
