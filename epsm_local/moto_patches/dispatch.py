"""The service of a request.

Completes moto/backends.py, which lists moto's folder at every request. Other threads run at each of about 150 disk
accesses: with eight clients, a request waited for seconds.
"""

from moto import backends

_modules = frozenset(backends.list_of_moto_modules())


def install() -> None:
    backends.list_of_moto_modules = lambda: _modules
