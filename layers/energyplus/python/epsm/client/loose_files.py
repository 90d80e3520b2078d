"""Files of a study from anywhere on this machine: their names in the study, and reading them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath


class LooseFiles:
    """The files of a study that was put together from paths; an `epsm.checks.study_files.StudyFiles`.

    Files of one folder stay together, since a model names the files that it reads relative to itself: each folder has
    its name on disk, with as many of its parents as make it unique; a single folder becomes the study's own. Beside
    the named files, those beside and below them can be read; links are not followed out of the folder.

    Args:
        paths: The models and weather files.

    Attributes:
        names: The path in the study of each of `paths`.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        sources = list(paths)
        self._folders = _labels({path.absolute().parent for path in sources})
        labels = {folder: label for label, folder in self._folders.items()}
        self.names = {path: _nfc(labels[path.absolute().parent] / path.name) for path in sources}
        self._named = {name: path for path, name in self.names.items()}
        self.place = "the files of the study"

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        """Named files, the files beside them, and of `needed` those that exist, with their sizes."""
        beside = {
            _nfc(label / path.name): path
            for label, folder in self._folders.items()
            if folder.is_dir()
            for path in folder.iterdir()
            if not path.name.startswith(".")
        }
        found_paths = {name: path for name in needed if (path := self._find(name)) is not None}
        known = {**{name: path for name, path in beside.items() if _is_inside(path)}, **self._named, **found_paths}
        return {name: path.stat().st_size for name, path in sorted(known.items()) if path.is_file()}

    def read(self, name: str) -> bytes | None:
        path = self._find(name)
        return path.read_bytes() if path is not None and path.is_file() else None

    def _find(self, name: str) -> Path | None:
        if name in self._named:
            return self._named[name]
        relative = PurePosixPath(name)
        for label in sorted(self._folders, key=lambda path: len(path.parts), reverse=True):
            if relative.is_relative_to(label):
                folder = self._folders[label]
                path = folder / relative.relative_to(label)
                if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                    return path
        return None


def _is_inside(path: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(path.parent.resolve())


def _labels(folders: Iterable[Path]) -> dict[PurePosixPath, Path]:
    """Folders by their names in the study.

    >>> [str(each) for each in sorted(_labels([Path("/home/anna/office/models"), Path("/opt/weather")]))]
    ['models', 'weather']
    >>> [str(each) for each in sorted(_labels([Path("/v1/models"), Path("/v2/models")]))]
    ['v1/models', 'v2/models']
    >>> [str(each) for each in _labels([Path("/home/anna/office")])]
    ['.']
    """
    every = sorted(folders)
    if len(every) == 1:
        return {PurePosixPath(): every[0]}
    depth = dict.fromkeys(every, 1)
    while True:
        labels = {folder: PurePosixPath(*(_parts(folder)[-depth[folder] :])) for folder in every}
        count = Counter(labels.values())
        again = [folder for folder in every if count[labels[folder]] > 1 and depth[folder] < len(_parts(folder))]
        if not again:
            return {label: folder for folder, label in labels.items()}
        for folder in again:
            depth[folder] += 1


def _parts(folder: Path) -> tuple[str, ...]:
    """Parts of a folder's path without the root."""
    return folder.parts[1:] or ("root",)


def _nfc(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", str(path))
