"""Layers as folders: compiled where a Python of Lambda's version is at hand."""

import importlib.util
import sys
from pathlib import Path

import pytest

from infra.tools import packaging

_UNCHECKED = b"\x01\x00\x00\x00"
"""PEP 552: by hash, not to be compared with the source."""


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of the test's own, and a library of two files."""
    package = tmp_path / "source" / "python" / "epsm"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("VALUE = 1\n", encoding="utf-8")
    (package / "py.typed").touch()
    monkeypatch.setattr(packaging, "LIBRARY", tmp_path / "source")
    monkeypatch.setattr(packaging, "_LIBRARIES", tmp_path / "built")
    monkeypatch.setattr(packaging, "_LAYERS", tmp_path / "layers")


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("layer")
def test_the_library_is_compiled_and_never_compared_with_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "interpreter", lambda: sys.executable)
    folder = packaging.library_folder()
    compiled = f"python/epsm/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    assert files(folder) == sorted([compiled, "python/epsm/__init__.py", "python/epsm/py.typed"])
    content = (folder / compiled).read_bytes()
    assert content[:8] == importlib.util.MAGIC_NUMBER + _UNCHECKED
    assert b"/opt/python/epsm/__init__.py" in content


@pytest.mark.usefixtures("layer")
def test_the_library_is_copied_again_when_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "interpreter", lambda: sys.executable)
    before = packaging.library_folder()
    assert packaging.library_folder() == before
    (packaging.LIBRARY / "python" / "epsm" / "__init__.py").write_text("VALUE = 2\n", encoding="utf-8")
    after = packaging.library_folder()
    assert after != before
    assert (after / "python" / "epsm" / "__init__.py").read_text(encoding="utf-8") == "VALUE = 2\n"


@pytest.mark.usefixtures("layer")
def test_without_that_python_the_layer_is_not_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packaging, "interpreter", lambda: None)
    assert files(packaging.library_folder()) == ["python/epsm/__init__.py", "python/epsm/py.typed"]
    assert "There is no Python 3.13 here" in capsys.readouterr().err
