"""The notebooks of docs/ run to their end, and show what is stored in them."""

from pathlib import Path

import nbformat
import pytest

from docs.notebook import as_markdown, executed, notebooks, texts
from epsm_local.running import announced
from epsm_local.stack import LocalStack


@pytest.fixture
def announced_stack(stack: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalStack:
    """The local stack, as `epsm up` keeps one running: the kernels of notebooks find it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "epsm").mkdir()
    return stack


@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore:Kernel is running over TCP")
@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_stored_in_it(announced_stack: LocalStack, path: Path) -> None:
    with announced(announced_stack.endpoint):
        run = executed(path)
    stored = nbformat.read(path, as_version=4)
    assert texts(run) == texts(stored), "run: make notebooks"
    pictures = [data for cell in run.cells for each in cell.get("outputs", ()) if (data := each.get("data", {}))]
    assert sum("image/svg+xml" in data for data in pictures) == as_markdown(path).count("<svg ") >= 3
