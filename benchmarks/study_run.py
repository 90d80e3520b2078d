"""Running a study on the local stack, and where its time goes."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from epsm.store import keys
from epsm.study.records import StudyStatus, VariantRecord
from epsm_local.stack import LocalStack
from tests.support import records_of, upload_file

_POLL_INTERVAL_S = 0.25
"""How often the record is looked at. The times come from its stamps, so a longer pause costs no precision."""


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A study that has ended. All times in seconds.

    Between the first and the last variant every place for an engine is in one of four states; their times are sums
    over the places divided by the number of places, so that all of it adds up to `wall_seconds`.

    Attributes:
        simulation: Its name.
        variants: How many it had.
        wall_seconds: From the moment before the upload of study.json until the study's record is final.
        submit_seconds: From there until the first variant has started.
        engine_seconds: EnergyPlus runs.
        edit_and_read_seconds: A variant fetches inputs, edits the model, reads results.
        store_seconds: A variant stores its files.
        between_seconds: No variant runs: Lambda and Step Functions between two of them, and idle at the end.
        finish_seconds: From the end of the last variant: the map's results, table, report, record.
    """

    simulation: str
    variants: int
    wall_seconds: float
    submit_seconds: float
    engine_seconds: float
    edit_and_read_seconds: float
    store_seconds: float
    between_seconds: float
    finish_seconds: float

    @property
    def map_seconds(self) -> float:
        """From the start of the first variant to the end of the last."""
        return self.wall_seconds - self.submit_seconds - self.finish_seconds


def run_study(stack: LocalStack, folder: Path, places: int, within_s: float = 3600.0) -> StudyRun:
    """Upload the study in `folder`, wait for its end, take its time.

    Args:
        stack: The local stack.
        folder: The study's files.
        places: How many engines may run at a time.
        within_s: Longest time to wait, seconds.

    Raises:
        RuntimeError: If the study did not complete: its times would be those of something else.
    """
    for path in sorted(folder.iterdir()):
        if path.name != "study.json":
            upload_file(stack, f"{folder.name}/{path.name}", path.read_bytes())
    key, document = f"{folder.name}/study.json", (folder / "study.json").read_bytes()
    uploaded = datetime.now(UTC)
    version = upload_file(stack, key, document)
    simulation = keys.simulation_id(stack.outputs.inputs_bucket, key, version)
    records = records_of(stack)
    deadline = time.monotonic() + within_s
    while (record := records.study(simulation)) is None or not record.status.final:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{simulation} has not ended within {within_s:.0f} s")
        time.sleep(_POLL_INTERVAL_S)
    if record.status is not StudyStatus.COMPLETED:
        raise RuntimeError(f"{simulation} has ended as {record.status}: {record.error or record.problems}")
    return _timed(simulation, uploaded, _moment(record.ended_at), list(records.variants(simulation)), places)


def _timed(
    simulation: str, uploaded: datetime, ended: datetime, variants: list[VariantRecord], places: int
) -> StudyRun:
    first = min(_moment(variant.started_at) for variant in variants)
    last = max(_moment(variant.ended_at) for variant in variants)
    engine = sum(variant.summary["engine_seconds"] for variant in variants)
    until_read = sum(variant.summary["seconds"] for variant in variants)
    until_stored = sum(_between(_moment(variant.started_at), _moment(variant.ended_at)) for variant in variants)
    return StudyRun(
        simulation=simulation,
        variants=len(variants),
        wall_seconds=_between(uploaded, ended),
        submit_seconds=_between(uploaded, first),
        engine_seconds=engine / places,
        edit_and_read_seconds=(until_read - engine) / places,
        store_seconds=(until_stored - until_read) / places,
        between_seconds=_between(first, last) - until_stored / places,
        finish_seconds=_between(last, ended),
    )


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _between(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()
