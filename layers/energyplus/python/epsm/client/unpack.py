"""Unpacking the packs of a run into the folders of its variants."""

import threading
from collections.abc import Collection
from pathlib import Path
from typing import IO

from epsm.client.results_place import PART
from epsm.store import keys
from epsm.store.packs import Pack


class Unpacking:
    """Writes the files of packs below a folder, as if each were an object of its own.

    A variant that was repeated may be in several packs. The index, which is written with the results, says which one
    counts; until then, it is the newest.

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
        self._lock = threading.Lock()

    def is_done(self, name: str) -> bool:
        """Whether all files of a pack that count are on disk."""
        if self.index is not None and name not in self.index:
            return True
        if name not in self._unpacked:
            return False
        return self.index is None or all(self._written.get(index, ("", ""))[1] == name for index in self.index[name])

    def unpack(self, name: str, age: str, content: IO[bytes]) -> Collection[str]:
        """Write the files of a pack.

        Args:
            name: The pack.
            age: A text that sorts packs by age.
            content: Its content.

        Returns:
            The paths of the files, below the folder.

        Raises:
            NotFound: If it is damaged.
            OSError: If they cannot be written.
        """
        paths: list[str] = []
        pack = Pack(content)
        for index in pack.variants:
            with self._lock:  # of several packs with a variant, one writes at a time
                if self.index is None:
                    counts = self._written.get(index, ("", "")) <= (age, name)
                else:
                    counts = index in self.index[name]
                if counts:
                    self._written[index] = (age, name)
                    paths += self._write(pack, index)
        self._unpacked.add(name)
        return paths

    def _write(self, pack: Pack, index: int) -> list[str]:
        paths = [keys.variant_file(index, name) for name in pack.names(index)]
        (self._folder / keys.variant_file(index, "")).mkdir(parents=True, exist_ok=True)
        for name, path in zip(pack.names(index), paths, strict=True):
            target = self._folder / path
            part = target.with_name(f".{name}.unpacked{PART}")
            part.write_bytes(pack.read(index, name))
            part.replace(target)
        return paths
