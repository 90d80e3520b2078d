"""Runs the unit tests of a package against one mutant of a module: killed, survived, not reached, or timed out."""

import ast
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import coverage
import pytest

_PRELOADED = (
    *("boto3", "pandas", "pyarrow.parquet", "scipy.stats", "SALib.analyze.sobol", "pydantic", "hypothesis"),
    *("eppy.modeleditor", "aws_lambda_powertools", "werkzeug.serving"),
    *(f"moto.{part}" for part in ("dynamodb", "s3", "sns", "stepfunctions", "events", "awslambda", "sts")),
)
_USAGE_ERROR = 4
"""pytest did not find a test that it was given: the mutant changed the tests' parameters."""
_LIMIT_S, _LIMIT_FACTOR = 60.0, 10.0
"""Tests of a mutant may take this long, and this many times as long as without it. No test times itself meanwhile."""


def preload() -> None:
    """Import what all tests import except the project itself, once; each run is a fork of this process."""
    for name in _PRELOADED:
        importlib.import_module(name)
    for plugin in entry_points(group="pytest11"):
        plugin.load()


@dataclass(frozen=True)
class Room:
    """The tests of one package, in a copy of the repository.

    reached: The tests that reach a line, by module and line, without mutants; "" is the import of the module.
    took_s: How long each of them took, in the order in which they ran.
    """

    copy: Path
    library: Path
    tests: list[str]
    reached: dict[str, dict[int, list[str]]]
    took_s: dict[str, float]

    @staticmethod
    def measured(copy: Path, library: Path, tests: list[str]) -> "Room":
        """Run the tests once, without a mutant; they must pass."""
        process = _start(_measure, copy, library, tests)
        process.join()
        if process.exitcode != 0:
            raise SystemExit(f"The tests fail without a mutant:\n{(copy / 'pytest.log').read_text(encoding='utf-8')}")
        data = coverage.CoverageData(str(copy / "mutants.coverage"))
        data.read()
        reached = {
            str(Path(file).relative_to(copy)): data.contexts_by_lineno(file) for file in sorted(data.measured_files())
        }
        took_s = dict(line.rsplit("\t", 1) for line in (copy / "took.txt").read_text(encoding="utf-8").splitlines())
        return Room(copy, library, tests, reached, {test: float(seconds) for test, seconds in took_s.items()})

    def outcome(self, module: str, row: int, mutant: str) -> str:
        """What the tests say of a module with another text, which differs in `row`."""
        by_line = self.reached.get(module, {})
        source = self.copy / module
        contexts = {
            name for line in _statement(source.read_text(encoding="utf-8"), row) for name in by_line.get(line, [])
        }
        if not contexts:
            return "not reached"
        original = source.with_suffix(".kept")
        shutil.copy2(source, original)
        try:
            source.write_text(mutant, encoding="utf-8")
            reaching = self._nearest_first(source.stem, contexts - {""})
            if not reaching:
                return self._run(self.tests)
            outcome = self._run(reaching)
            # Tests that share a fixture with one of them.
            files = sorted({test.partition("::")[0] for test in reaching})
            return self._run(files) if outcome == "survived" else outcome
        finally:
            # With its time, by which Python knows that the bytecode of the first run is the file's.
            original.replace(source)

    def _nearest_first(self, module: str, reaching: set[str]) -> list[str]:
        return sorted((test for test in self.took_s if test in reaching), key=lambda test: module not in test)

    def _run(self, tests: list[str]) -> str:
        process = _start(_judge, self.copy, self.library, tests)
        usual_s = sum(seconds for test, seconds in self.took_s.items() if test.startswith(tuple(tests)))
        process.join(_LIMIT_S + _LIMIT_FACTOR * usual_s)
        if process.exitcode is None:
            os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
            return "timed out"
        if process.exitcode == _USAGE_ERROR and "::" in tests[0]:
            return "survived"  # by this run; that of the files will tell
        return "survived" if process.exitcode == 0 else "killed"


def _statement(text: str, row: int) -> range:
    """The lines of the innermost statement that holds a line; of one with a body, its head."""
    lines = range(row, row + 1)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            body: list[ast.stmt] = getattr(node, "body", [])
            end = body[0].lineno if body and body[0].lineno > node.lineno else (node.end_lineno or node.lineno) + 1
            if node.lineno <= row < end:
                lines = range(node.lineno, end)
    return lines


def _start(target: Any, copy: Path, *arguments: Any) -> Any:
    process = multiprocessing.get_context("fork").Process(target=_in_copy, args=(target, copy, *arguments))
    process.start()
    return process


def _in_copy(target: Any, copy: Path, library: Path, tests: list[str]) -> None:
    """Run pytest in a process group of its own, with the copy's sources before those of the repository."""
    os.setsid()
    os.chdir(copy)
    output = os.open("pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sources = [str(copy / library.parent), str(copy)]
    sys.path[:0] = sources
    os.environ["PYTHONPATH"] = os.pathsep.join(sources)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    sys.exit(target(library, ["-x", "-q", "-p", "no:cacheprovider", "--timeout=0", *tests]))


def _judge(_: Path, arguments: list[str]) -> int:
    sys.dont_write_bytecode = True  # That of the first run is used, except for the mutated module.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    return int(pytest.main(arguments))


def _measure(library: Path, arguments: list[str]) -> int:
    sys.dont_write_bytecode = False
    os.environ["COVERAGE_CORE"] = "ctrace"  # The other one forgets a line that it has seen once.
    measured = coverage.Coverage(data_file="mutants.coverage", source=[str(library)], config_file=False)
    with measured.collect():
        code = int(pytest.main(arguments, plugins=[_Tests(measured)]))
    measured.save()
    return code


class _Tests:
    """Tells coverage which test runs, and notes how long each took."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        started = time.monotonic()
        self._measured.switch_context(item.nodeid)
        result = yield
        with Path("took.txt").open("a", encoding="utf-8") as file:
            file.write(f"{item.nodeid}\t{time.monotonic() - started}\n")
        return result
