"""Unpacking the packs of a run into the folders of its variants."""

import threading
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO

from epsm.client.results_place import PART
from epsm.errors import NotFound
from epsm.store import keys
from epsm.store.packs import Pack


class Unpacking:
    """Writes the files of packs below a folder, as if each were an object of its own.

    A variant that was repeated may be in several packs. The index, which is written with the results, says which one
    counts; until then, it is the newest. Damaged files are left out, and the others are written.

    Args:
        folder: Where to write.

    Attributes:
        index: The variants of each pack that counts; None until the results have been collected.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.index: dict[str, set[int]] | None = None
        self._written: dict[int, tuple[str, str]] = {}
        self._unpacked: set[str] = set()
        self._damage: dict[str, tuple[set[int], str]] = {}
        self._lock = threading.Lock()

    def is_done(self, name: str) -> bool:
        """Whether all files of a pack that count are on disk."""
        if self.index is not None and name not in self.index:
            return True
        if name not in self._unpacked:
            return False
        return self.index is None or all(self._written.get(index, ("", ""))[1] == name for index in self.index[name])

    def may_be_on_disk(self, name: str) -> bool:
        """Whether an earlier process may have unpacked a pack: the folder of one of its variants that count exists."""
        variants = self.index.get(name, set()) if self.index else set()
        return bool(variants) and (self._folder / keys.variant_file(min(variants), "")).is_dir()

    def recognise(self, name: str, age: str, content: IO[bytes]) -> bool:
        """Whether all files of a pack that count are on disk, by their sizes and CRCs in its directory; they count as
        unpacked then.

        Args:
            name: The pack.
            age: As for `unpack`.
            content: Its content, of which only the directory is read.
        """
        expected = self.index[name] if self.index else set()
        try:
            pack = Pack(content)
        except NotFound:
            return False  # reported when it is downloaded
        if not expected.issubset(pack.variants) or not all(self._has(pack, index) for index in expected):
            return False
        with self._lock:
            self._written |= dict.fromkeys(expected, (age, name))
            self._unpacked.add(name)
        return True

    def _has(self, pack: Pack, index: int) -> bool:
        folder = self._folder / keys.variant_file(index, "")
        return all(pack.is_same(index, file, folder / file) for file in pack.names(index))

    def unpack(self, name: str, age: str, content: IO[bytes]) -> Collection[str]:
        """Write the files of a pack.

        Args:
            name: The pack.
            age: A text that sorts packs by age.
            content: Its content.

        Returns:
            The paths of the files, below the folder.

        Raises:
            OSError: If they cannot be written.
        """
        paths: list[str] = []
        expected = self.index[name] if self.index else set()
        try:
            pack = Pack(content)
        except NotFound as error:
            self._damage[name] = (expected, str(error))
            return paths
        damaged, reason = expected.difference(pack.variants), "they are not in it"
        for index in pack.variants:
            with self._lock:  # of several packs with a variant, one writes at a time
                if self.index is None:
                    counts = self._written.get(index, ("", "")) <= (age, name)
                else:
                    counts = index in self.index[name]
                if counts:
                    self._written[index] = (age, name)
                    written, fault = self._write(pack, index)
                    paths += written
                    if fault:
                        damaged, reason = damaged | {index}, fault
        if damaged:
            self._damage[name] = (damaged, reason)
        else:
            self._damage.pop(name, None)
            self._unpacked.add(name)
        return paths

    def _write(self, pack: Pack, index: int) -> tuple[list[str], str]:
        """Write the files of a variant; returns their paths, and a fault if one is damaged."""
        paths, fault = [], ""
        (self._folder / keys.variant_file(index, "")).mkdir(parents=True, exist_ok=True)
        for name in pack.names(index):
            path = keys.variant_file(index, name)
            target = self._folder / path
            part = target.with_name(f".{name}.unpacked{PART}")
            try:
                part.write_bytes(pack.read(index, name))
            except NotFound as error:
                fault = str(error)
                target.unlink(missing_ok=True)  # of an earlier attempt
                continue
            part.replace(target)
            paths.append(path)
        return paths, fault

    def damage(self, stored: Iterable[str]) -> dict[str, tuple[set[int], str]]:
        """The packs that are damaged or missing: the variants concerned, as far as they are known, and the reason.

        Args:
            stored: The packs that there are.
        """
        counted = {name for name, variants in (self.index or {}).items() if variants}
        damaged = {name: found for name, found in self._damage.items() if self.index is None or name in counted}
        missing = (
            {name: (self.index[name], "it is missing") for name in counted.difference(stored)} if self.index else {}
        )
        return dict(sorted((damaged | missing).items()))
