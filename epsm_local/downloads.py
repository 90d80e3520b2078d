"""Notes of commands for the running local stack: which runs they have downloaded, and where.

The stack copies results of studies that have ended. Unpacking the packs of a study again that `epsm run` has just
written to the same folder would take as long as the download itself.
"""

from contextlib import suppress
from pathlib import Path

from epsm_local.running import running_local_endpoint, state_file


def _folder() -> Path:
    return state_file().parent / "downloads"


def note_download(run: str, folder: Path) -> None:
    """Note that a command has downloaded a run with all its files, if a local stack is running.

    Args:
        run: Name of the execution: another attempt of the study is another run.
        folder: Where it is.
    """
    if running_local_endpoint() is None:
        return
    with suppress(OSError):  # the stack then copies the run itself
        _folder().mkdir(parents=True, exist_ok=True)
        (_folder() / run).write_text(str(folder.resolve()), encoding="utf-8")


def take_download(run: str) -> Path | None:
    """The folder that a command has downloaded a run to, or None; the note is removed."""
    note = _folder() / run
    try:
        folder = Path(note.read_text(encoding="utf-8"))
        note.unlink()
    except (OSError, ValueError):
        return None
    return folder


def forget_downloads() -> None:
    """Remove all notes, which commands wrote for an earlier start of the stack."""
    with suppress(OSError):
        for note in _folder().iterdir():
            note.unlink(missing_ok=True)
