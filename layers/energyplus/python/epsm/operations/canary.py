"""The canary: a tiny study through the whole stack, to detect a broken stack before users do.

It takes the path of every upload: one room, two design days, one variant. A successful study is removed; a failed one
is kept for diagnosis.
"""

import importlib.resources
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from epsm.store import keys
from epsm.store.functions import FunctionFailed
from epsm.store.inputs import simulation_of
from epsm.store.stack import Stack
from epsm.study.records import StudyRecord, StudyStatus, VariantStatus
from epsm.study.schema import MANIFEST_NAME

_MODEL = "canary.idf"
_WEATHER = "canary.epw"
_STUDY = {
    "name": "Canary",
    "models": [_MODEL],
    "weather": [_WEATHER],
    "options": {"run_period": "design_days", "retention_days": 1, "notify": False, "timeout_s": 120},
}
_EPW_HEADER = (
    "LOCATION,Nowhere,-,-,canary,0,42.0,-87.9,-6.0,200.0",
    "DESIGN CONDITIONS,0",
    "TYPICAL/EXTREME PERIODS,0",
    "GROUND TEMPERATURES,0",
    "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
    "COMMENTS 1,The same mild hour all year",
    "COMMENTS 2,",
    "DATA PERIODS,1,1,Data,Sunday,1/1,12/31",
)
_EPW_HOUR = "-,10,5,71,101325,0,0,300,0,0,0,0,0,0,0,180,2,5,5,10,2000,9,999999999,10,0.1,0,88,0.2,0,0"
_OK = "ok"
_POLL_INTERVAL_S = 2.0


class CanaryFailed(Exception):
    """The canary's study failed; the message gives its outcome. The study is kept."""


@dataclass(frozen=True, slots=True)
class CanaryRun:
    """A successful canary.

    Attributes:
        simulation_id: Name of its simulation, which is removed.
        seconds: From the first upload to the end of the study.
    """

    simulation_id: str
    seconds: float


class Canary:
    """Runs a study through the stack and reports whether it succeeded.

    Args:
        stack: The stack.
        clock: A monotonic clock, seconds.
        sleep: Waits between polls of the record.
    """

    def __init__(
        self,
        stack: Stack,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inputs = stack.inputs
        self._functions = stack.functions
        self._files = stack.files
        self._records = stack.records
        self._clock = clock
        self._sleep = sleep

    def run(self, timeout_s: float) -> CanaryRun:
        """Upload the study, wait for its end, check its results, and remove it.

        Args:
            timeout_s: Maximum duration of the study, seconds.

        Raises:
            CanaryFailed: If it did not end with complete results.
        """
        try:
            started = self._clock()
            simulation = self._send()
            record = self._ended(simulation, started + timeout_s)
            seconds = self._clock() - started
            if fault := self._fault(record):
                raise CanaryFailed(f"{_described(record)}: {fault}")
            self._remove(record)
        except (BotoCoreError, ClientError) as error:
            raise CanaryFailed(f"AWS refused a request of the canary itself: {error}") from error
        return CanaryRun(simulation, seconds)

    def _send(self) -> str:
        """Upload the study, study.json last; returns the name of its simulation."""
        prefix = keys.canary_prefix(datetime.now(UTC))
        for name, content in canary_files().items():
            self._inputs.put(prefix + name, content)
        return simulation_of(self._inputs.put_study(prefix + MANIFEST_NAME, json.dumps(_STUDY).encode()))

    def _ended(self, simulation: str, deadline: float) -> StudyRecord:
        record = self._records.study(simulation)
        while record is None or not record.status.final:
            if self._clock() >= deadline:
                if record is None:
                    raise CanaryFailed(f"{simulation}: the upload was not picked up, there is no record of it")
                raise CanaryFailed(f"{_described(record)}: it has not ended in time")
            self._sleep(_POLL_INTERVAL_S)
            record = self._records.study(simulation)
        return record

    def _fault(self, record: StudyRecord) -> str:
        """The fault of an ended study; empty if there is none."""
        variant = self._records.variant(record.simulation_id, 0)
        if record.status is not StudyStatus.COMPLETED:
            reasons = [record.error, variant.error if variant else "", *map(str, record.problems)]
            return " ".join(reason for reason in reasons if reason) or "no error is recorded"
        if variant is None or variant.status is not VariantStatus.SUCCEEDED or variant.verdict != _OK:
            found = "no record" if variant is None else f"{variant.status.value}, verdict {variant.verdict!r}"
            return f"its variant has {found}"
        if not self._files.size(self._files.results_bucket, keys.run_key(record.simulation_id, "results.csv")):
            return "its results.csv is missing or empty"
        return ""

    def _remove(self, record: StudyRecord) -> None:
        try:
            self._functions.remove(record.simulation_id)
        except FunctionFailed as failure:
            raise CanaryFailed(f"{_described(record)}: it could not be removed: {failure}") from failure


def canary_files() -> dict[str, bytes]:
    """The model and the weather of the canary's study, by name."""
    model = importlib.resources.files("epsm.operations") / "data" / _MODEL
    return {_MODEL: model.read_bytes(), _WEATHER: _constant_year().encode()}


def _constant_year() -> str:
    """An EPW with the same values in all hours: for design days the file only has to be complete."""
    days = [date(2023, 1, 1) + timedelta(days=day) for day in range(365)]
    hours = [f"2023,{day.month},{day.day},{hour},0,{_EPW_HOUR}" for day in days for hour in range(1, 25)]
    return "\n".join((*_EPW_HEADER, *hours)) + "\n"


def _described(record: StudyRecord) -> str:
    return f"{record.simulation_id} is {record.status.value} (execution {record.execution_arn or 'never started'})"
