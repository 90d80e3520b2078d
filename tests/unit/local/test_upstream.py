"""The patches for moto in docs/upstream apply to the moto that is pinned."""

import re
import shutil
import subprocess
from pathlib import Path

import moto
import pytest

ROOT = Path(__file__).resolve().parents[3]
PATCHES = sorted((ROOT / "docs" / "upstream").glob("*.patch"))
PACKAGES = Path(moto.__file__).parents[1]


def changed(patch: Path) -> list[str]:
    """The files that a patch changes, without those that it adds."""
    return re.findall(r"(?m)^--- a/(\S+)$", patch.read_text(encoding="utf-8"))


def apply(folder: Path, *patches: Path) -> subprocess.CompletedProcess[str]:
    """Apply patches one after the other to a copy of the files of moto that they change."""
    for name in {name for patch in patches for name in changed(patch)}:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGES / name, target)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return subprocess.run(["git", "apply", *patches], cwd=folder, capture_output=True, text=True, check=False)


def test_there_are_patches_with_tests_and_a_line_in_the_readme() -> None:
    readme = (ROOT / "docs" / "upstream" / "README.md").read_text(encoding="utf-8")
    assert len(PATCHES) >= 3
    for patch in PATCHES:
        assert f"`{patch.name}`" in readme
        assert re.search(r"(?m)^\+\+\+ b/tests/test_\w+/test_\w+\.py$", patch.read_text(encoding="utf-8"))


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_patch_applies_to_the_pinned_moto(patch: Path, tmp_path: Path) -> None:
    done = apply(tmp_path, patch)
    assert done.returncode == 0, done.stderr
    for name in changed(patch):
        compile((tmp_path / name).read_text(encoding="utf-8"), name, "exec")


def test_the_patches_apply_together(tmp_path: Path) -> None:
    done = apply(tmp_path, *PATCHES)
    assert done.returncode == 0, done.stderr
