"""The environment of processes that work on a study's files: without credentials, and without the working directory in
search paths."""

import os
from pathlib import Path

_SEARCHED = ("PATH", "LD_LIBRARY_PATH")
_TUNABLES = "GLIBC_TUNABLES"
_PASSED_ON = (*_SEARCHED, "LANG", "LC_ALL", "TZ", _TUNABLES)
_HUGE_PAGES = "glibc.malloc.hugetlb=1"
"""malloc asks for transparent huge pages (docs/decisions/0033). Other C libraries, and glibc before 2.35, ignore it."""


def child_environment(folder: Path) -> dict[str, str]:
    """The environment of a process whose home, temporary and working directory is `folder`.

    Its memory consists of huge pages where the kernel has some; `GLIBC_TUNABLES` of this process takes precedence.
    """
    environment = {_TUNABLES: _HUGE_PAGES}
    environment |= {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {name: _absolute_only(environment[name]) for name in _SEARCHED if name in environment}
    return {**environment, "HOME": str(folder), "TMPDIR": str(folder)}


def _absolute_only(paths: str) -> str:
    """A search path without empty and relative parts, which refer to the working directory.

    That directory has the files of the study, which are untrusted: a `libstdc++.so.6` among them would be loaded.
    `export LD_LIBRARY_PATH=/opt/lib:$LD_LIBRARY_PATH` adds an empty part if the variable was not set.

    >>> _absolute_only("/opt/lib::lib:"), _absolute_only(":")
    ('/opt/lib', '')
    """
    return os.pathsep.join(part for part in paths.split(os.pathsep) if part.startswith("/"))
