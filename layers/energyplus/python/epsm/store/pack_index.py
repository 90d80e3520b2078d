"""Which pack of a study has which variants, for those who read them all."""

import json
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from epsm.errors import NotFound
from epsm.store import keys
from epsm.store.files import Files
from epsm.study.records import VariantRecord

_SCHEMA = 1


class PackIndex:
    """The pack of each variant, from their records; small, because a study may have a million."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._packs = array("l")

    def noting(self, records: Iterable[VariantRecord]) -> Iterator[VariantRecord]:
        """The records, whose packs are noted as they are read."""
        for record in records:
            if record.pack:
                self.add(record.index, record.pack)
            yield record

    def add(self, index: int, name: str) -> None:
        """Note the pack of a variant."""
        if name not in self._numbers:
            self._numbers[name] = len(self._names)
            self._names.append(name)
        missing = index + 1 - len(self._packs)
        self._packs.extend([-1] * missing)
        self._packs[index] = self._numbers[name]

    def pack_of(self, index: int) -> str:
        """Name of the pack of a variant; empty if its files are objects of their own.

        >>> index = PackIndex()
        >>> index.add(2, "packs/0000002-ab12.zip")
        >>> [index.pack_of(variant) for variant in (1, 2, 3)]
        ['', 'packs/0000002-ab12.zip', '']
        """
        number = self._packs[index] if index < len(self._packs) else -1
        return "" if number < 0 else self._names[number]

    def __bool__(self) -> bool:
        return bool(self._names)

    def document(self) -> dict[str, Any]:
        """The index as JSON: for each pack the first and the last variant of each range.

        >>> index = PackIndex()
        >>> for variant in (2, 3, 5): index.add(variant, "packs/0000002-ab12.zip")
        >>> index.document()
        {'schema': 1, 'packs': {'packs/0000002-ab12.zip': [[2, 3], [5, 5]]}}
        """
        ranges: dict[str, list[list[int]]] = {name: [] for name in self._names}
        for index, number in enumerate(self._packs):
            if number < 0:
                continue
            of_pack = ranges[self._names[number]]
            if of_pack and of_pack[-1][1] == index - 1:
                of_pack[-1][1] = index
            else:
                of_pack.append([index, index])
        return {"schema": _SCHEMA, "packs": ranges}


def read_index(files: Files, simulation: str) -> dict[str, set[int]] | None:
    """The variants of each pack of a study; None before its results are collected.

    Args:
        files: The store.
        simulation: The study.
    """
    try:
        with files.open_result(keys.run_key(simulation, keys.PACK_INDEX)) as stream:
            packs: dict[str, list[list[int]]] = json.load(stream)["packs"]
    except NotFound:
        return None
    return {
        name: {index for first, last in ranges for index in range(first, last + 1)} for name, ranges in packs.items()
    }
