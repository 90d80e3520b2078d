"""Reading the files of a study: sizes, hashes and contents, and the faults of those that cannot be read."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from epsm.checks.weather_statistics import check_statistics
from epsm.energyplus.weather import statistics_beside
from epsm.errors import StudyRejected
from epsm.model_memory import is_epjson, largest_model_bytes
from epsm.problems import Problem
from epsm.study.schema import MANIFEST_NAME
from epsm.text import nearest

MAX_FILE_BYTES = 50_000_000


class StudyFiles(Protocol):
    """The files of a study, by their path in it (Unicode NFC)."""

    place: str
    """Where they are, for messages."""

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        """Every file with its size in bytes. May wait for `needed` files that are still being uploaded."""
        ...

    def read(self, name: str) -> bytes | None:
        """A file's content; None if it has been deleted in the meantime.

        Raises:
            StudyRejected: If it exists and cannot be read.
        """
        ...


class StudyReader:
    """Reads the files of a study and collects their faults.

    Args:
        files: The files.
        needed: Files to wait for if they are still being uploaded.
        hashes: SHA-256, hexadecimal, by file, if study.json gives them: no other file is read then, and no other
            content.

    Attributes:
        problems: Faults of the files read so far.
        done: SHA-256, hexadecimal, of each file that was read, in the order of reading.
    """

    def __init__(self, files: StudyFiles, needed: Iterable[str], hashes: Mapping[str, str]) -> None:
        self._files = files
        self._hashes = hashes
        self._sizes = self._sizes_of_study(needed)
        self.problems: list[Problem] = []
        self.done: dict[str, str] = {}

    def _sizes_of_study(self, needed: Iterable[str]) -> Mapping[str, int]:
        sizes = self._files.sizes(needed)
        # Other files in the folder may belong to another study: a .stat, say, that would be used without being listed.
        return {name: sizes[name] for name in sizes if name in self._hashes} if self._hashes else sizes

    def wait_for(self, names: Iterable[str]) -> None:
        if not set(names) <= self._sizes.keys():
            self._sizes = self._sizes_of_study(names)

    def read_statistics(self, weather: str, *, for_water_mains: bool) -> None:
        name = statistics_beside(weather, self._sizes)
        content = self.read(name, name) if name is not None else None
        if name is not None and content is not None:
            self.problems += check_statistics(content, name, for_water_mains=for_water_mains)

    def read_model(self, name: str, where: str, memory_mb: int) -> bytes | None:
        """A model's content; None, and a problem, if it is missing or a function with that memory cannot edit it."""
        largest = largest_model_bytes(memory_mb, epjson=is_epjson(name))
        size = self._sizes.get(name, 0)
        if size > largest:
            fault = f"has {size:,} bytes, more than functions of {memory_mb:,} MB can edit"
            self.problems.append(Problem(name, fault, f"at most {largest:,} with this stack's memory_mb"))
            return None
        return self.read(name, where)

    def read(self, name: str, where: str) -> bytes | None:
        """A file's content; None, and a problem, if it is missing or too large."""
        if self._hashes and name not in self._hashes:
            fault = f"'{name}' is not in 'files', which must list every file of the study if present"
            self.problems.append(Problem(where, fault, "its SHA-256 in 'files'"))
            return None
        size = self._sizes.get(name)
        if size is None:
            self.problems.append(Problem(where, f"'{name}' is not in {self._files.place}", nearest(name, self._sizes)))
            return None
        if size > MAX_FILE_BYTES:
            self.problems.append(Problem(name, f"has {size:,} bytes", f"at most {MAX_FILE_BYTES:,}"))
            return None
        try:
            content = self._files.read(name)
        except StudyRejected as refusal:
            self.problems += refusal.problems
            return None
        if content is None:
            self.problems.append(Problem(where, f"'{name}' was deleted while the study was being read"))
            return None
        found = hashlib.sha256(content).hexdigest()
        if self._hashes and found != self._hashes[name]:
            fault = f"has the SHA-256 {found}, but {MANIFEST_NAME} expects {self._hashes[name]}"
            self.problems.append(Problem(name, fault, "the expected file, uploaded again"))
            return None
        self.done[name] = found
        return content
