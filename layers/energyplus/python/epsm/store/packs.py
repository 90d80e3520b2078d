"""Packs: the small files of several variants in one object, a ZIP with an entry ``variants/<index>/<name>`` for each.

The files that are read most, result.json, come last, next to the ZIP's directory: they are read with one request.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from epsm.errors import NotFound
from epsm.store import keys

RESULT = "result.json"
RECORDS = "records.json"
"""In a pack, beside the variants: the records of those that succeeded, by index."""
_COMPRESSED = (".gz", ".parquet")


def pack(variants: Mapping[int, Mapping[str, bytes]], records: Mapping[int, Mapping[str, Any]]) -> bytes:
    """The content of a pack.

    Args:
        variants: The files of each variant by name.
        records: The records of those that succeeded, as JSON objects.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for last in (False, True):
            for index, files in variants.items():
                for name, data in files.items():
                    if (name == RESULT) is last:
                        _write(archive, keys.variant_file(index, name), data)
        _write(archive, RECORDS, json.dumps(records, ensure_ascii=False, allow_nan=False).encode())
    return content.getvalue()


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    entry.external_attr = 0o644 << 16
    stored = name.endswith(_COMPRESSED)
    archive.writestr(entry, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED, compresslevel=1)


class Pack:
    """A pack that is read.

    Args:
        file: Its content, seekable.

    Raises:
        NotFound: If it is damaged; also by the methods, which check the CRC of each entry.
    """

    def __init__(self, file: IO[bytes]) -> None:
        with _damage_is_absence():
            self._archive = zipfile.ZipFile(file)
        self._names: dict[int, list[str]] = {}
        for entry in self._archive.namelist():
            if found := keys.variant_file_of(entry):
                self._names.setdefault(found[0], []).append(found[1])

    @property
    def variants(self) -> list[int]:
        """The variants of which it has files."""
        return list(self._names)

    def names(self, index: int) -> list[str]:
        """Names of the files of a variant."""
        return self._names.get(index, [])

    def read(self, index: int, name: str) -> bytes:
        """A file of a variant."""
        return self._read(keys.variant_file(index, name))

    def is_same(self, index: int, name: str, path: Path) -> bool:
        """Whether a file on disk has the content of a file of a variant, by its size and its CRC."""
        with _damage_is_absence():
            entry = self._archive.getinfo(keys.variant_file(index, name))
        try:
            return path.stat().st_size == entry.file_size and zlib.crc32(path.read_bytes()) == entry.CRC
        except OSError:
            return False

    def records(self) -> dict[int, dict[str, Any]]:
        """The records of its variants that succeeded."""
        content: dict[str, dict[str, Any]] = json.loads(self._read(RECORDS))
        return {int(index): record for index, record in content.items()}

    def _read(self, entry: str) -> bytes:
        with _damage_is_absence():
            return self._archive.read(entry)


@contextmanager
def _damage_is_absence() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise NotFound(f"a pack of results is damaged: {error}") from error
