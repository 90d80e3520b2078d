"""Bodies of HTTP requests, however they are sent: epsm_local/aws/http_bodies.py."""

import io
from email.message import Message

import pytest

from epsm_local.aws.http_bodies import pieces


def read(content: bytes, **headers: str) -> tuple[bytes, bytes]:
    """The body, and what the stream holds after it."""
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    stream = io.BytesIO(content)
    return b"".join(pieces(message, stream)), stream.read()


def test_a_body_is_as_long_as_its_headers_say() -> None:
    assert read(b"abcNEXT", Content_Length="3") == (b"abc", b"NEXT")


def test_a_body_without_a_length_is_empty() -> None:
    assert read(b"NEXT") == (b"", b"NEXT")


def test_a_long_body_is_whole() -> None:
    content = bytes(range(256)) * 20_000
    assert read(content, Content_Length=str(len(content))) == (content, b"")


def test_chunks_are_put_together() -> None:
    content = b"3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\n\r\nNEXT"
    assert read(content, Transfer_Encoding="chunked") == (b"abc0123456789", b"NEXT")


def test_fields_after_the_chunks_are_passed_over() -> None:
    assert read(b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\nNEXT", Transfer_Encoding="Chunked") == (b"a", b"NEXT")


@pytest.mark.parametrize(
    ("content", "header"),
    [(b"ab", {"Content_Length": "3"}), (b"", {"Content_Length": "3"}), (b"3\r\nab", {"Transfer_Encoding": "chunked"})],
)
def test_a_body_that_ends_early_is_none(content: bytes, header: dict[str, str]) -> None:
    with pytest.raises(ConnectionError):
        read(content, **header)


@pytest.mark.parametrize(
    ("content", "header"),
    [(b"ab", {"Content_Length": "many"}), (b"x\r\n", {"Transfer_Encoding": "chunked"})],
)
def test_a_length_that_is_no_number_is_an_error(content: bytes, header: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        read(content, **header)
