"""Texts for people, where there is little room."""


def middle_cut(text: str, most: int) -> str:
    """A text of at most `most` characters: the middle goes, since names often differ at their ends.

    >>> middle_cut("USA_FL_Tampa.Intl.AP.722110_TMY3", 20)
    'USA_FL_Ta...110_TMY3'
    """
    if len(text) <= most:
        return text
    end = (most - 3) // 2
    return f"{text[: most - 3 - end]}...{text[len(text) - end :]}" if most > 3 else text[:most]
