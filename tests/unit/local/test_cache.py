"""The local stack's cache of files that it can create again: epsm_local/cache.py, and the engines that it installs."""

import os
import tempfile
from pathlib import Path

import pytest

from epsm.errors import EngineMissing
from epsm_local.cache import cache_folder
from epsm_local.energyplus import engines


def test_the_user_s_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "epsm"
    assert cache_folder().is_dir()


def test_another_cache_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "chosen"))
    assert cache_folder() == tmp_path / "chosen" / "epsm"


def test_a_home_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "file"))  # not even root can make a folder in a file
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = cache_folder()
    assert folder == tmp_path / f"epsm-{os.getuid()}" / "cache"
    assert folder.stat().st_mode & 0o077 == 0, "others could put code there"


def test_a_temporary_folder_that_others_can_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    open_to_all = tmp_path / f"epsm-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert cache_folder().parent != open_to_all


def test_an_environment_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(engines, "ENGINES", tmp_path / "file" / "energyplus")
    with pytest.raises(EngineMissing, match=r"EnergyPlus 23\.2 cannot be installed beside the Python packages"):
        engines.install("23.2")
