"""What Python programs give, as `study.json` has it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def paths_of(files: Iterable[str | Path]) -> list[Path]:
    """Paths of files.

    Raises:
        TypeError: If one is given instead of a list.
    """
    if isinstance(files, str | Path):  # a text is iterable too
        raise TypeError(f"give a list of files, e.g. [{str(files)!r}]")
    return [Path(file) for file in files]


def path_in(path: Path, folder: Path) -> str:
    """A path in the study; one outside the folder is left as it is, and refused like any other such path."""
    inside = path.is_absolute() and path.is_relative_to(folder.absolute())
    return (path.relative_to(folder.absolute()) if inside else path).as_posix()


def plain(value: Any) -> Any:
    """What JSON does not know: numbers and arrays of numpy, and parts of a study that are models already."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, tuple | set | frozenset | range):
        return list(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} cannot be part of a study")
