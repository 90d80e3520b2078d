"""Which service a request is for. Completes moto/backends.py, which lists moto's folder anew for every request.

Each of about 150 disk accesses lets other threads run first: with eight clients a request waited for seconds.
"""

from moto import backends

_modules = frozenset(backends.list_of_moto_modules())


def install() -> None:
    backends.list_of_moto_modules = lambda: _modules
