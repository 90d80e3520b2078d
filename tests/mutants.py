"""Mutation testing: changes the library one operator at a time, and says which changes no unit test noticed.

`make mutants` runs it, CI does not. The tests of a package run once with coverage, which says for each line the tests
that reach it. A mutant is run against those, and, if they pass, against the files that they are in; one of a line that
runs at the import, against all tests. A mutant of a line that no test reaches is not run. cosmic-ray, which makes the
changes, comes with many packages, so uv installs it for itself when it is first asked for.

    python -m tests.mutants store operations --sample 15
"""

import argparse
import ast
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.mutant_runs import Room, preload

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = Path("layers/energyplus/python/epsm")
ROOMS = ("study", "energyplus", "checks", "results", "store", "pipeline", "operations", "api", "client")
COSMIC_RAY = "cosmic-ray==8.7.0"
DOCTESTS = "tests/unit/test_doctests.py"
_WITHOUT_MEANING = ("Decorator", "_Eq_Is", "_NotEq_IsNot")
"""Ends of operators that nothing can notice, or only by chance: decorators that annotate, `is` between short texts."""
_WRITE_MUTANTS = """
import json, pathlib, sys
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
mutate = lambda module, operator, occurrence: mutate_code(
    pathlib.Path(module).read_text(encoding="utf-8"), get_operator(operator)(), occurrence)
print(json.dumps([mutate(*mutant) for mutant in json.load(sys.stdin)]))
"""


@dataclass(frozen=True, order=True)
class Spec:
    """One change: the `occurrence`-th place in `module` that `operator` can change, at `row` and `column`."""

    module: str
    row: int
    column: int
    operator: str
    occurrence: int


def main() -> None:
    """Run a sample of the mutants of each package in a copy of the repository; print score and survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", help=f"Packages of the library (default: {' '.join(ROOMS)}).")
    parser.add_argument("--sample", type=int, default=10, help="Mutants of each package.")
    parser.add_argument("--seed", type=int, default=1, help="Which ones are drawn.")
    parser.add_argument("--exclude", action="append", default=[], help="A module to leave out, as a path.")
    parser.add_argument("--tests", nargs="*", default=[], help="Tests to run instead of the package's own.")
    arguments = parser.parse_args()
    preload()
    for room in arguments.rooms or ROOMS:
        with tempfile.TemporaryDirectory(prefix=f"mutants-{room}-") as folder:
            copy = Path(folder) / "copy"
            _copy_repository(copy)
            specs = _specs(copy, room, arguments.exclude)
            drawn = _drawn(copy, specs, arguments.sample, arguments.seed)
            tests = Room.measured(copy, LIBRARY, arguments.tests or [f"tests/unit/{room}", DOCTESTS])
            _report(room, len(specs), tests, drawn)


def _copy_repository(target: Path) -> None:
    """The files that git knows; mutants are written into the sources, and never into those of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _report(room: str, total: int, tests: Room, mutants: list[tuple[Spec, str]]) -> None:
    started, outcomes = time.monotonic(), Counter[str]()
    for spec, text in mutants:
        outcome = tests.outcome(spec.module, spec.row, text)
        outcomes[outcome] += 1
        if outcome != "killed":
            before = (tests.copy / spec.module).read_text(encoding="utf-8").splitlines()[spec.row - 1].strip()
            after = [line.strip() for line in text.splitlines()[spec.row - 1 : spec.row]]
            print(f"  {outcome}: {spec.module}:{spec.row}: {spec.operator}\n    - {before}\n    + {''.join(after)}")
            sys.stdout.flush()
    counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    print(f"{room}: {counted}; {len(mutants)} of {total} mutants run in {time.monotonic() - started:.0f} s", flush=True)


def _specs(copy: Path, room: str, exclude: list[str]) -> list[Spec]:
    """All mutants of a package that a test could notice, in the order of the source."""
    config, session = copy / "mutants.toml", copy / "mutants.sqlite"
    left_out = [*exclude, *(str(path.relative_to(copy)) for path in (copy / LIBRARY).rglob("__init__.py"))]
    config.write_text(
        f'[cosmic-ray]\nmodule-path = "{LIBRARY / room}"\ntimeout = 1.0\nexcluded-modules = {left_out}\n'
        'test-command = "false"\n[cosmic-ray.distributor]\nname = "local"\n',
        encoding="utf-8",
    )
    _cosmic_ray(copy, "cosmic-ray", "init", config.name, session.name)
    with closing(sqlite3.connect(session)) as connection:
        query = "SELECT module_path, start_pos_row, start_pos_col, operator_name, occurrence FROM mutation_specs"
        specs = sorted(Spec(*row) for row in connection.execute(query))
    silent = {
        module: list(_without_effect(ast.parse((copy / module).read_text(encoding="utf-8"))))
        for module in {spec.module for spec in specs}
    }
    return [
        spec
        for spec in specs
        if not spec.operator.endswith(_WITHOUT_MEANING)
        and not any(_holds(node, (spec.row, spec.column)) for node in silent[spec.module])
    ]


def _drawn(copy: Path, specs: list[Spec], size: int, seed: int) -> list[tuple[Spec, str]]:
    """A random sample of the mutants that are valid Python, each with the text of its module."""
    shuffled = random.Random(seed).sample(specs, len(specs))[: 2 * size]
    specification = json.dumps([(spec.module, spec.operator, spec.occurrence) for spec in shuffled])
    texts: list[str] = json.loads(_cosmic_ray(copy, "python", "-c", _WRITE_MUTANTS, stdin=specification))
    valid = [(spec, text) for spec, text in zip(shuffled, texts, strict=True) if _is_python(text)]
    return sorted(valid[:size])


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _cosmic_ray(copy: Path, *command: str, stdin: str = "") -> str:
    line = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", COSMIC_RAY, *command]
    return subprocess.run(line, cwd=copy, check=True, input=stdin, stdout=subprocess.PIPE, text=True).stdout


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


if __name__ == "__main__":
    main()
