"""Bodies of HTTP requests as `http.server` hands them over."""

from collections.abc import Iterator
from email.message import Message
from io import BufferedIOBase

_PIECE_BYTES = 1 << 20


def pieces(headers: Message, stream: BufferedIOBase) -> Iterator[bytes]:
    """The body of a request in pieces, whether it is sent at once or in chunks.

    Raises:
        ConnectionError: If the stream ends before the body does.
        ValueError: If a length is not a number.
    """
    if "chunked" not in headers.get("Transfer-Encoding", "").lower():
        yield from _read(stream, int(headers.get("Content-Length") or 0))
        return
    while size := int(stream.readline().partition(b";")[0].strip(), 16):
        yield from _read(stream, size)
        stream.readline()
    while stream.readline().strip():
        pass


def _read(stream: BufferedIOBase, size: int) -> Iterator[bytes]:
    while size > 0:
        piece = stream.read(min(size, _PIECE_BYTES))
        if not piece:
            raise ConnectionError("the body ended early")
        size -= len(piece)
        yield piece
