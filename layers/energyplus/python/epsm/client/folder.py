"""A study in a folder on disk: checking it before anything is sent. It is uploaded by `epsm.client.upload`."""

import os
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from epsm.errors import StudyRejected
from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.problems import Problem
from epsm.study.limits import Limits
from epsm.study.schema import MANIFEST_NAME

if TYPE_CHECKING:
    from epsm.checks.study import CheckedStudy


class FolderOnDisk:
    """The files of a study on disk; an `epsm.checks.study_files.StudyFiles`.

    Symbolic links are followed within the folder only: a folder from an untrusted source could otherwise have any file
    of this machine uploaded.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder.resolve()
        self.place = str(folder)

    def paths(self) -> dict[str, Path]:
        """Every file below the folder by its path in it, Unicode NFC; also links to files elsewhere."""
        found: dict[str, Path] = {}
        for parent, folders, names in os.walk(self._folder, followlinks=True):
            here = Path(parent)
            folders[:] = sorted(name for name in folders if not name.startswith(".") and self._may_enter(here / name))
            found |= {
                unicodedata.normalize("NFC", (here / name).relative_to(self._folder).as_posix()): here / name
                for name in names
                if not name.startswith(".") and (here / name).is_file()
            }
        return dict(sorted(found.items()))

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        """Files with their sizes, and `needed` files that exist but cannot be read, for which `read` gives the
        reason."""
        unreadable = {name: 0 for name in needed if self._unreadable_reason(self._folder / name)}
        return {**unreadable, **{name: path.stat().st_size for name, path in self.paths().items()}}

    def read(self, name: str) -> bytes | None:
        path = self.paths().get(name, self._folder / name)
        if fault := self._unreadable_reason(path):
            raise StudyRejected([Problem(name, fault, "the file itself, in the study's folder")])
        return path.read_bytes() if path.is_file() else None

    def _may_enter(self, folder: Path) -> bool:
        """Whether a folder is inside the study and not, through a link, one of its own parents."""
        if not folder.is_symlink():
            return True
        target = folder.resolve()
        return target.is_relative_to(self._root) and not folder.parent.resolve().is_relative_to(target)

    def _leads_out(self, path: Path) -> bool:
        try:
            return path.is_symlink() and not path.resolve().is_relative_to(self._root)
        except RuntimeError:  # links in a circle, before Python 3.13
            return False

    def _unreadable_reason(self, path: Path) -> str:
        """Why a path in the folder cannot be read as a file; empty if it can, or does not exist."""
        if path.is_dir() and not path.is_symlink():
            return "is a folder"
        steps = [path, *path.parents[: len(path.relative_to(self._folder).parts) - 1]]
        for step in reversed(steps):
            if self._leads_out(step):
                name = "" if step == path else f"'{step.relative_to(self._folder).as_posix()}', a folder of its path, "
                return f"{name}is a link out of the study's folder, to {step.readlink()}"
        if path.is_symlink() and not path.is_file():
            return "is a folder" if path.is_dir() else f"is a link to {path.readlink()}, which does not exist"
        return ""


def check_folder(folder: Path, max_variants: int, memory_mb: int = DEFAULT_MEMORY_MB) -> "CheckedStudy":
    """Check a study on disk as the stack does.

    Args:
        folder: The study's folder.
        max_variants: Maximum number of variants on the stack.
        memory_mb: Memory of the stack's functions that run variants, MiB.

    Raises:
        StudyRejected: With every fault.
    """
    from epsm.checks.rules import Rules  # uploading a folder that has been checked does not load the checks
    from epsm.checks.study import check_study

    manifest = folder / MANIFEST_NAME
    if not manifest.is_file():
        raise StudyRejected([Problem(str(folder), f"holds no {MANIFEST_NAME}", "the folder of a study")])
    files = FolderOnDisk(folder)
    document = files.read(MANIFEST_NAME) or b""
    return check_study(document, files, Rules(Limits(max_variants, variant_memory_mb=memory_mb)))
