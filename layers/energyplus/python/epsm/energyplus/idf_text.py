"""The text of a model file, read in blocks, so a large model is never in memory twice."""

import codecs
import re
from collections.abc import Iterator

_BLOCK_BYTES = 2**19
_LINE_ENDS_OF_PYTHON_ONLY = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_COMMENT = re.compile(r"![^\r\n]*")


def decode(content: bytes) -> str:
    """Model text from bytes: UTF-8 if it is valid, otherwise Windows-1252, which tools on Windows write, otherwise
    Latin-1.

    Windows-1252 is Latin-1 with quotes, dashes and the ellipsis in place of control characters; five bytes are
    undefined in it. Characters that Python's `splitlines` treats as the end of a line, but EnergyPlus does not, become
    a space.
    """
    return "".join(text_blocks(content))


def text_blocks(content: bytes) -> Iterator[str]:
    """The same, in blocks of whole lines."""
    encoding = next((name for name in ("utf-8", "cp1252") if _can_be(content, name)), "latin-1")
    marked = encoding == "utf-8" and content.startswith(codecs.BOM_UTF8)
    for start, end in _blocks(content, len(codecs.BOM_UTF8) if marked else 0):
        yield _LINE_ENDS_OF_PYTHON_ONLY.sub(" ", content[start:end].decode(encoding))


def idf_objects(content: bytes) -> Iterator[list[str]]:
    """Each object of an IDF whose syntax has been checked, as its values without comments, the class name first."""
    rest = ""
    for block in text_blocks(content):
        *objects, rest = (rest + _COMMENT.sub("", block)).split(";")
        for text in objects:
            values = [value.strip() for value in text.split(",")]
            if any(values):  # a surplus ';' is ignored
                yield values


def _can_be(content: bytes, encoding: str) -> bool:
    try:
        for start, end in _blocks(content, 0):
            content[start:end].decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _blocks(content: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each block; a line feed is never part of another character in any of the encodings."""
    while start < len(content):
        line_end = content.find(b"\n", start + _BLOCK_BYTES)
        end = len(content) if line_end < 0 else line_end + 1
        yield start, end
        start = end
