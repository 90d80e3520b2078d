"""Python's garbage collector while the local stack starts."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS_BETWEEN_COLLECTIONS = 200_000


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Collect garbage rarely in this block, and let later collections leave out what exists at its end.

    moto and its descriptions of AWS's services are half a million objects that stay until the process ends. At its
    usual interval of 700 new objects the collector visits them so often that it takes 1.3 of the 3.4 s of CPU time in
    which the stack starts; and later, each full collection would stop all requests for 0.3 s.
    """
    young, *older = gc.get_threshold()
    gc.set_threshold(max(young, _OBJECTS_BETWEEN_COLLECTIONS), *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
        gc.freeze()
