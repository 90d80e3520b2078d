"""The verdict on a run, from its output files.

The rule of success has five parts, because each one alone has been wrong in practice: exit code 0, "Completed
Successfully" in eplusout.end, no error in sqlite.err, a readable database, and the requested periods.
Severe errors alone do not fail a run: official models finish with up to 41 of them.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from epsm.energyplus.engine import EngineRun
from epsm.energyplus.sql import read_only

_MESSAGE = re.compile(r"^\s*\*\*\s*(Warning|Severe|Fatal|~~~)\s*\*\*\s?(.*)$")
_COUNTS = re.compile(r"(\d+) Warning; (\d+) Severe Errors")
_MAX_MESSAGES = 5
_MAX_LINES = 8
_MAX_CHARACTERS = 500
_MAX_KEPT = 100
_MAX_LINE_CHARACTERS = 10_000
_NO_SPACE = re.compile(r"disk (is )?full|disk I/O error|no space left", re.IGNORECASE)
_OPENED = "open for processing"
# The engine writes the header of an illuminance map again on every day of the run, with the same number: all but the
# first are refused. The values of the maps and all other tables are complete.
_MAP_AGAIN = re.compile(r"UNIQUE constraint failed: DaylightMaps\.MapNumber\b")
_MAP_NOTE = "eplusout.sql names each illuminance map after its first day only; all other results are complete."
_REPORTS_READ = (
    "AnnualBuildingUtilityPerformanceSummary",
    "InputVerificationandResultsSummary",
    "DemandEndUseComponentsSummary",
)
_CANNOT_BE_STARTED = (126, 127)  # exit codes of a shell and the dynamic loader
_STARS = re.compile(r"^[*\s]*(Warning|Severe|Fatal|~~~)\s*\*\*\s*")


class Verdict(StrEnum):
    """How a run ended. Only the first two give results."""

    OK = "ok"
    OK_WITH_SEVERE = "ok with severe"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    DISK_FULL = "disk full"
    BAD_INPUT = "bad input"

    @property
    def has_results(self) -> bool:
        return self in (Verdict.OK, Verdict.OK_WITH_SEVERE)


@dataclass(frozen=True, slots=True)
class Environment:
    """A period that the engine simulated, from an `Environment,` line of eplusout.eio.

    Attributes:
        name: Name of the run period or design day.
        kind: ``WeatherFileRunPeriod``, ``SizingPeriod:DesignDay``, ...
        start, end: First and last day as the engine prints them, ``01/01/2017``.
        days: Length in days.
    """

    name: str
    kind: str
    start: str
    end: str
    days: int

    @property
    def from_weather_file(self) -> bool:
        """Whether its energy use is in the tabular reports, which exclude design days."""
        return self.kind == "WeatherFileRunPeriod"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict on a run, with its evidence.

    Attributes:
        verdict: How the run ended.
        message: One or two sentences for the modeller; empty if all is well.
        messages: The first severe and fatal errors of eplusout.err with their continuation lines.
        warnings, severe_errors: Counts; from eplusout.end where the engine wrote it, else counted in eplusout.err.
        environments: What was simulated.
    """

    verdict: Verdict
    message: str
    messages: tuple[str, ...]
    warnings: int
    severe_errors: int
    environments: tuple[Environment, ...]


@dataclass(frozen=True, slots=True)
class ErrorFile:
    """eplusout.err in parts: (level, text with its continuation lines) for each message, the first of each level only;
    the numbers of all by level; and the last line."""

    messages: tuple[tuple[str, str], ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    last_line: str = ""

    def of_level(self, *levels: str) -> list[str]:
        return [text for level, text in self.messages if level in levels]


def read_error_file(path: Path) -> ErrorFile:
    """Read an eplusout.err, which may have any size; a missing file reads as empty."""
    if not path.is_file():
        return ErrorFile()
    messages: list[tuple[str, list[str]]] = []
    numbers: Counter[str] = Counter()
    last_line = ""
    is_kept = False
    for line in _lines(path):
        last_line = line.strip() or last_line
        found = _MESSAGE.match(line)
        if found is None:
            continue
        level, text = found.groups()
        if level != "~~~":
            numbers[level] += 1
            is_kept = numbers[level] <= _MAX_KEPT
            if is_kept:
                messages.append((level, [text.strip()]))
        elif is_kept and len(messages[-1][1]) < _MAX_LINES:
            messages[-1][1].append(text.strip())
    return ErrorFile(tuple((level, "\n".join(lines)) for level, lines in messages), numbers, last_line)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from iter(lambda: file.readline(_MAX_LINE_CHARACTERS), "")


def read_environments(path: Path) -> tuple[Environment, ...]:
    """The simulated periods, from eplusout.eio; empty if the file is missing."""
    if not path.is_file():
        return ()
    environments = []
    for line in _lines(path):
        if line.startswith("Environment,"):
            parts = [part.strip() for part in line.split(",")]
            if len(parts) > 6 and parts[6].isdigit():
                environments.append(Environment(parts[1], parts[2], parts[3], parts[4], int(parts[6])))
    # With HVAC sizing simulations the engine writes its list again after every pass.
    return tuple(dict.fromkeys(environments))


def judge(run: EngineRun, output: Path, run_period: str = "as_in_model") -> Diagnosis:
    """Decide how a run ended.

    Args:
        run: The end of the process.
        output: The engine's output folder.
        run_period: The study's option of that name: the periods that must exist.
    """
    errors = read_error_file(output / "eplusout.err")
    end = output / "eplusout.end"
    end_text = end.read_text(encoding="utf-8", errors="replace") if end.is_file() else ""
    environments = read_environments(output / "eplusout.eio")
    counted = _COUNTS.search(end_text)
    verdict, message = _decide(run, output, errors, end_text, environments, run_period)
    severe = [_cut(text) for text in errors.of_level("Severe", "Fatal")]
    return Diagnosis(
        verdict=verdict,
        message=_cut(message),
        messages=tuple(severe[:_MAX_MESSAGES]),
        warnings=int(counted.group(1)) if counted else errors.numbers.get("Warning", 0),
        severe_errors=int(counted.group(2)) if counted else errors.numbers.get("Severe", 0),
        environments=environments,
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else text[: _MAX_CHARACTERS - 3] + "..."


def _decide(
    run: EngineRun,
    output: Path,
    errors: ErrorFile,
    end_text: str,
    environments: Sequence[Environment],
    run_period: str,
) -> tuple[Verdict, str]:
    if run.timed_out:
        reached = next((line for line in reversed(run.last_lines) if "Simulation at" in line), None)
        where = f"it was at: {reached}" if reached else "it had not reached its first day"
        return Verdict.TIMED_OUT, f"The run was ended after {run.wall_seconds:.0f} s; {where}"
    if run.out_of_memory:
        return Verdict.OUT_OF_MEMORY, f"The run was ended when it used {run.peak_memory_mb:.0f} MB of memory."
    database_fault = _database_fault(output)
    # The engine does not notice a full disk: it returns 0 and leaves an empty file for "Completed Successfully".
    if _disk_was_full(run, output, database_fault):
        return Verdict.DISK_FULL, "The disk was full; the output is incomplete."
    fatal = errors.of_level("Fatal")
    severe = errors.of_level("Severe")
    if fatal:
        first = (severe or fatal)[0].replace("\n", " ")
        refused = not environments or any("weather" in text.casefold() for text in fatal)
        return (Verdict.BAD_INPUT if refused else Verdict.FAILED), first
    if run.exit_code != 0 or not end_text:
        return _unfinished_run(run, errors)
    if "Completed Successfully" not in end_text:
        return Verdict.FAILED, end_text.strip()
    if database_fault:
        return Verdict.FAILED, f"The results cannot be read: {database_fault}"
    missing = _missing_period(environments, run_period)
    if missing:
        return Verdict.FAILED, missing
    note = _MAP_NOTE if any(_MAP_AGAIN.search(line) for line in _database_log(output)) else ""
    if severe:
        return Verdict.OK_WITH_SEVERE, severe[0].replace("\n", " ")
    return Verdict.OK, note


def _unfinished_run(run: EngineRun, errors: ErrorFile) -> tuple[Verdict, str]:
    printed = [line.strip() for line in run.last_lines if line.strip() and "--help" not in line]
    cause = f"signal {-run.exit_code}" if run.exit_code < 0 else f"exit code {run.exit_code}"
    if run.exit_code in _CANNOT_BE_STARTED:
        return (
            Verdict.CRASHED,
            f"EnergyPlus could not be started ({cause}): {printed[-1] if printed else 'no output'}",
        )
    if not errors.last_line and run.exit_code > 0:
        # An unreadable model or weather path: the engine reports it on standard output and writes no file.
        return Verdict.BAD_INPUT, f"EnergyPlus did not start ({cause}): {printed[-1] if printed else 'no output'}"
    severe = [text.replace("\n", " ") for text in errors.of_level("Severe")]
    message = next(iter(severe), "") or _STARS.sub("", errors.last_line) or (printed[-1] if printed else "nothing")
    return Verdict.CRASHED, f"EnergyPlus crashed ({cause}). Last message: {message}"


def _database_log(output: Path) -> list[str]:
    """The errors in sqlite.err, without the message that the database was opened."""
    log = output / "sqlite.err"
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return [line.strip() for line in text.splitlines() if line.strip() and _OPENED not in line]


def _database_fault(output: Path) -> str:
    """The fault of eplusout.sql, or an empty text."""
    log = _database_log(output)
    faults = [line for line in log if not _MAP_AGAIN.search(line)]
    if faults:
        return faults[0]
    database = output / "eplusout.sql"
    if not database.is_file():
        return "eplusout.sql is missing"
    try:
        with closing(read_only(database)) as connection:
            connection.execute("SELECT count(*) FROM Simulations").fetchone()
            connection.execute("SELECT count(*) FROM TabularData").fetchone()
            check = [text for (text,) in connection.execute("PRAGMA quick_check(1)")]
            if check != ["ok"]:
                return f"eplusout.sql is damaged: {check[0]}"
            if log:
                stored = {
                    name for (name,) in connection.execute("SELECT DISTINCT ReportName FROM TabularDataWithStrings")
                }
                lacking = [name for name in _REPORTS_READ if name not in stored]
                if lacking:
                    return f"eplusout.sql has no {lacking[0]}; sqlite.err says: {log[0]}"
    except sqlite3.Error as error:
        return str(error)
    return ""


def _disk_was_full(run: EngineRun, output: Path, database_fault: str) -> bool:
    end = output / "eplusout.end"
    if end.is_file() and end.stat().st_size == 0:
        return True
    # A truncated database after an apparently successful run means a full disk; after a crash it is only a consequence
    # of the crash.
    return bool(_NO_SPACE.search(database_fault)) or (run.exit_code == 0 and "malformed" in database_fault)


def _missing_period(environments: Sequence[Environment], run_period: str) -> str:
    if run_period == "design_days":
        found = any(not environment.from_weather_file for environment in environments)
        return "" if found else "No design day was simulated."
    run_periods = [environment for environment in environments if environment.from_weather_file]
    if not run_periods:
        return "No run period of the weather file was simulated."
    if run_period == "annual" and [period.days for period in run_periods] not in ([365], [366]):
        days = " + ".join(str(period.days) for period in run_periods)
        return f"A whole year was requested, {days} days were simulated."
    return ""
