"""Conversion of Python values to the content of `study.json`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def paths_of(files: Iterable[str | Path]) -> list[Path]:
    """Paths of files.

    Raises:
        TypeError: If one is given instead of a list.
    """
    if isinstance(files, str | Path):  # a str is iterable too
        raise TypeError(f"give a list of files, e.g. [{str(files)!r}]")
    return [Path(file) for file in files]


def path_in(path: Path, folder: Path) -> str:
    """A path in the study; one outside the folder is left unchanged, and rejected by the check."""
    inside = path.is_absolute() and path.is_relative_to(folder.absolute())
    return (path.relative_to(folder.absolute()) if inside else path).as_posix()


def plain(value: Any) -> Any:
    """Converts types that JSON does not support: numpy numbers and arrays, and pydantic models."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, tuple | set | frozenset | range):
        return list(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} cannot be part of a study")
