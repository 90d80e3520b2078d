"""Mutation testing: changes the library one operator at a time, and says which changes no unit test noticed.

`make mutants` runs it, CI does not: a mutant takes as long as its room's tests up to the first failure. cosmic-ray,
which makes the changes, comes with many packages, so uv installs it for itself when it is first asked for.

    python -m tests.mutants store operations --sample 15
"""

import argparse
import ast
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = Path("layers/energyplus/python/epsm")
ROOMS = ("study", "energyplus", "checks", "results", "store", "pipeline", "operations", "api", "client")
COSMIC_RAY = "cosmic-ray==8.7.0"
_TIMEOUT_S = 900.0
_EQUIVALENT = re.compile(r"Decorator|_Eq_Is$|_NotEq_IsNot$")
"""Mutants that nothing can notice, or only by chance: decorators that annotate, `is` between equal short texts."""


def main() -> None:
    """Run a sample of the mutants of each room in a copy of the repository; print the score and the survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", help=f"Packages of the library (default: {' '.join(ROOMS)}).")
    parser.add_argument("--sample", type=int, default=10, help="Mutants of each room.")
    parser.add_argument("--seed", type=int, default=1, help="Which ones are drawn.")
    parser.add_argument("--exclude", action="append", default=[], help="A module of the rooms to leave out, as a path.")
    parser.add_argument("--tests", nargs="*", default=[], help="Tests to run instead of the room's own.")
    given = parser.parse_args()
    for room in given.rooms or ROOMS:
        with tempfile.TemporaryDirectory(prefix=f"mutants-{room}-") as folder:
            copy = Path(folder) / "copy"
            _copy_repository(copy)
            _run(copy, room, given.sample, given.seed, given.exclude, given.tests or [f"tests/unit/{room}"])


def _copy_repository(target: Path) -> None:
    """The files that git knows; mutants are written into the sources, and never into those of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


def _run(copy: Path, room: str, sample: int, seed: int, exclude: list[str], tests: list[str]) -> None:
    # The copy's library goes before the installed one, which is the repository's own.
    test = f"env PYTHONPATH={copy / LIBRARY.parent}:{copy} PYTHONDONTWRITEBYTECODE=1 {sys.executable} -m pytest -x -q"
    config, session = copy / "mutants.toml", copy / "mutants.sqlite"
    left_out = [*exclude, *(str(path.relative_to(copy)) for path in (copy / LIBRARY).rglob("__init__.py"))]
    config.write_text(
        "[cosmic-ray]\n"
        f'module-path = "{LIBRARY / room}"\ntimeout = {_TIMEOUT_S}\nexcluded-modules = {left_out}\n'
        f'test-command = "{test} -p no:cacheprovider {" ".join(tests)}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n',
        encoding="utf-8",
    )
    _cosmic_ray(copy, "init", config.name, session.name)
    total = _keep_sample(copy, session, sample, seed)
    _cosmic_ray(copy, "baseline", config.name)
    _cosmic_ray(copy, "exec", config.name, session.name)
    outcomes = _outcomes(session)
    killed = sum(outcome == "KILLED" for *_, outcome in outcomes)
    print(f"{room}: {killed} of {len(outcomes)} mutants killed, of {total} in all", flush=True)
    for module, row, operator, outcome in sorted(outcomes):
        if outcome != "KILLED":
            line = (ROOT / module).read_text(encoding="utf-8").splitlines()[row - 1].strip()
            print(f"  {module}:{row}: {operator.removeprefix('core/')}: {line}", flush=True)


def _cosmic_ray(copy: Path, *arguments: str) -> None:
    line = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", COSMIC_RAY, "cosmic-ray", *arguments]
    subprocess.run(line, cwd=copy, check=True)


def _keep_sample(copy: Path, session: Path, size: int, seed: int) -> int:
    """Leave a random sample of the mutants that a test could notice to be run; how many of those there were."""
    silent: dict[str, list[ast.expr]] = {}
    with closing(sqlite3.connect(session)) as connection, connection:
        jobs = []
        query = "SELECT job_id, operator_name, module_path, start_pos_row, start_pos_col FROM mutation_specs"
        for job, operator, module, row, column in connection.execute(query):
            if module not in silent:
                silent[module] = list(_without_effect(ast.parse((copy / module).read_text(encoding="utf-8"))))
            place = (row, column)
            if not _EQUIVALENT.search(operator) and not any(_holds(each, place) for each in silent[module]):
                jobs.append((job, operator))
        drawn = {job for job, _ in random.Random(seed).sample(sorted(jobs), min(size, len(jobs)))}
        gone = [(job,) for (job,) in connection.execute("SELECT job_id FROM work_items") if job not in drawn]
        connection.executemany("DELETE FROM mutation_specs WHERE job_id = ?", gone)
        connection.executemany("DELETE FROM work_items WHERE job_id = ?", gone)
    return len(jobs)


def _without_effect(module: ast.Module) -> Iterator[ast.expr]:
    """What a module does not evaluate, or not for its work: annotations, and conditions for type checkers."""
    for node in ast.walk(module):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield node.returns
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield node.test


def _holds(node: ast.expr, place: tuple[int, int]) -> bool:
    return (node.lineno, node.col_offset) <= place <= (node.end_lineno or 0, node.end_col_offset or 0)


def _outcomes(session: Path) -> list[tuple[str, int, str, str]]:
    query = """
        SELECT module_path, start_pos_row, operator_name, test_outcome
        FROM mutation_specs JOIN work_results USING (job_id)
    """
    with closing(sqlite3.connect(session)) as connection:
        return list(connection.execute(query))


if __name__ == "__main__":
    main()
