"""A submitted study: its status, waiting for its end, its results."""

import io
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from epsm.client.aws_faults import stack_errors
from epsm.client.connection import Connection
from epsm.client.fetch import fetch
from epsm.client.follow import follow
from epsm.client.frames import DESIGN, MONTHLY, ZONES, read_parquet
from epsm.client.matches import matches
from epsm.client.progress import shown_progress
from epsm.client.results_place import results_folder
from epsm.client.sensitivity import sensitivity, stored_sensitivity
from epsm.client.series import series_frame
from epsm.client.sources import RESULTS, S3Source
from epsm.errors import NotEnded, NotFound, StudyFailed, StudyRejected, WaitTimeout
from epsm.operations.cancel import cancel
from epsm.operations.rerun import rerun_missing
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.executions import RunCounts
from epsm.study.records import StudyRecord, StudyStatus

if TYPE_CHECKING:
    import pandas as pd

_REPORT, _SENSITIVITY = "report.html", "sensitivity.json"
_OTHER_WRITER_S = 600.0


class Run:
    """A study on a stack. Every answer is fresh: nothing is remembered.

    All methods raise `StackError` if AWS refuses a request or cannot be reached.

    Attributes:
        simulation_id: Its name, unique in its stack.
        connection: The stack.
    """

    def __init__(self, connection: Connection, simulation_id: str, *, is_new: bool = False) -> None:
        self.connection = connection
        self.simulation_id = simulation_id
        self._is_new = is_new

    def __repr__(self) -> str:
        return f"Run({self.simulation_id!r} on {self.connection.name!r})"

    @property
    def status(self) -> StudyStatus:
        """Its status: ``pending``, ``running``, or how it ended (``completed``, ``partial``, ``failed``, ...).

        Raises:
            NotFound: If the stack has no such run, or no longer has it.
        """
        record = self._record()
        return StudyStatus.PENDING if record is None else record.status

    @property
    def counts(self) -> RunCounts:
        """Numbers of its variants that are running, have succeeded and have failed.

        Raises:
            NotFound: As for `status`.
        """
        record = self._record()
        with stack_errors():
            return RunCounts() if record is None else self.connection.stack.executions.counts(record)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems if the stack has rejected it; else empty.

        Raises:
            NotFound: As for `status`.
        """
        record = self._record()
        return () if record is None else record.problems

    def wait(self, timeout_s: float | None = None, *, progress: bool | None = None) -> "Run":
        """Wait for the end. The run continues if waiting is interrupted.

        Args:
            timeout_s: Maximum time, seconds; None for no limit.
            progress: Whether to show progress; by default (None) on a terminal and in a notebook. Elsewhere, as in
                the log of a CI job, it is a line for each tenth of the variants.

        Returns:
            This run, for ``run.wait().results()``.

        Raises:
            WaitTimeout: If it has not ended within the time.
            StudyRejected: If the stack has rejected it.
            StudyFailed: If it has failed as a whole; `results` says why, variant by variant.
            NotPickedUp: If the stack does not react to the upload.
        """
        latest = None if timeout_s is None else time.monotonic() + timeout_s

        def check_time() -> None:
            if latest is not None and time.monotonic() > latest:
                raise WaitTimeout(f"{self.simulation_id} has not ended within {timeout_s:g} s; it continues")

        if not self._is_new:
            self._record()
        with stack_errors(), shown_progress(progress, self.simulation_id) as show:

            def look(record: StudyRecord | None, counts: RunCounts) -> None:
                show(record, counts)
                if record is None or not record.status.final:
                    check_time()

            record = follow(self.connection, self.simulation_id, look, check_time)
        self._is_new = False
        if record.status is StudyStatus.REJECTED:
            raise StudyRejected(record.problems)
        if record.status is StudyStatus.FAILED:
            raise StudyFailed(f"{self.simulation_id}: {record.error or 'no variant has succeeded'}")
        return self

    def cancel(self) -> bool:
        """Cancel it: running engines are stopped within seconds, and results so far are kept.

        Returns:
            Whether it was cancelled; False if it had ended.

        Raises:
            NotFound: As for `status`; also just after the start, before the stack has noticed the upload.
        """
        with stack_errors():
            return cancel(self.connection.stack, self._known(), "Cancelled by a program.")

    def rerun(self) -> int:
        """Rerun the variants of an ended run that have not succeeded; results of the others are kept.

        Returns:
            Number of variants that are rerun; 0 if there are none.

        Raises:
            NotEnded: If it has not ended.
            NotFound: If its input files have been deleted.
        """
        record = self._known()
        if not record.status.final:
            raise NotEnded(f"{self.simulation_id} is {record.status.value}; it can be rerun once it has ended")
        if record.status is StudyStatus.REJECTED:
            return 0
        with stack_errors():
            return rerun_missing(self.connection.stack, record)

    def results(self) -> "pd.DataFrame":
        """The results table: one row per variant, failed ones too; energy in kWh, intensities in kWh/m2.

        Raises:
            NotEnded: If the run has not ended.
            StudyRejected: If the stack has rejected it.
            NotFound: If its results have been deleted, or are not collected yet after it was cancelled.
            MissingPackage: If pandas is not installed.
        """
        self._check_ended()
        return read_parquet(io.BytesIO(self._read(RESULTS)))

    def design(self) -> "pd.DataFrame":
        """The samples of a study, without the baseline, as docs/results.md describes `design.parquet`.

        One row per sample: `sample`, `block`, a column for each parameter, and `<parameter>:unit`, its coordinate in
        the unit cube, if the method has one.

        Raises:
            NotFound: If the results are not collected yet, or have been deleted.
            MissingPackage: If pandas is not installed.
        """
        return read_parquet(io.BytesIO(self._read(DESIGN)))

    def zones(self) -> "pd.DataFrame":
        """The zones of all variants that succeeded, if the study's ``outputs.tables`` requests them.

        Raises:
            NotFound: If it does not, or if the results are not collected yet or have been deleted.
            MissingPackage: If pandas is not installed.
        """
        return read_parquet(io.BytesIO(self._read(ZONES)))

    def monthly(self) -> "pd.DataFrame":
        """Energy and peak demand of each month by fuel and end use, if the study's ``outputs.tables`` requests them.

        Raises:
            NotFound: If it does not, or if the results are not collected yet or have been deleted.
            MissingPackage: If pandas is not installed.
        """
        return read_parquet(io.BytesIO(self._read(MONTHLY)))

    def sensitivity(self, metrics: Sequence[str] | None = None, *, confidence: float | None = None) -> "pd.DataFrame":
        """Which parameters matter, as `epsm.sensitivity` returns it.

        Args:
            metrics: Columns of the results table. None for those that the study's ``analysis`` names, whose indices
                were computed when it ended.
            confidence: Probability of the intervals; None for that of the study.

        Raises:
            NotEnded, StudyRejected: As for `results`.
            NotFound: If the study has no parameters or requests no analysis, its results have been deleted, or there is
                no such metric.
            MissingPackage: If pandas is not installed; for other metrics than the study's, scipy or SALib.
        """
        self._check_ended()
        if metrics is None and confidence is None:
            return stored_sensitivity(self._read(_SENSITIVITY))
        table = self.results()
        with stack_errors():
            manifest = self.connection.stack.files.read_manifest(self.simulation_id)
        study = manifest.study
        if not study.parameters:
            raise NotFound(f"{self.simulation_id} has no parameters")
        # A grid stores no design; its samples need not be known.
        grid = study.sampling.method == "grid"
        return sensitivity(
            table,
            None if grid else self.design(),
            metrics=study.analysis.metrics if metrics is None else metrics,
            parameters=[parameter.name for parameter in study.parameters] if grid else (),
            confidence=study.analysis.confidence if confidence is None else confidence,
        )

    def series(
        self, variant: int | Iterable[int] | None = None, name: str | Sequence[str] | None = None
    ) -> "pd.DataFrame":
        """The time series of the study, of each variant as soon as it has succeeded.

        Args:
            variant: Index of a variant (``variant_index`` in the table), or several; all by default.
            name: A meter or variable, or several; by default all series of the study. See `epsm.read_series`.

        Returns:
            The columns of `epsm.read_series`.

        Raises:
            NotFound: If a variant has no series, or none has one of that name.
            MissingPackage: If pandas is not installed.
        """
        bucket = self.connection.stack.settings.results_bucket
        return series_frame(
            S3Source(self.connection.client("s3"), bucket, keys.run_key(self.simulation_id)), variant, name
        )

    def download(self, folder: str | Path = "results", *, variant_files: bool = False) -> Path:
        """Download the results, as ``epsm results`` does.

        Args:
            folder: Output folder; the results of this run go to a subfolder named after the study.
            variant_files: Whether to download the files of every variant, too.

        Returns:
            The folder of this run.

        Raises:
            NotFound: As for `status`; also if the run is deleted in the meantime.
            CannotWrite: If the folder cannot be written.
            FolderBusy: If another process writes to it for ten minutes.
            DamagedResults: If files of some variants are missing or damaged; all others have been downloaded.
        """
        place = results_folder(Path(folder), self._known().source["key"], self.simulation_id)
        with stack_errors():
            return fetch(
                self.connection,
                self.simulation_id,
                place,
                with_variants=variant_files,
                report=lambda done, total: None,
                wait_s=_OTHER_WRITER_S,
            )

    def report(self, path: str | Path | None = None) -> Path:
        """Download the report, one HTML file.

        Args:
            path: The file to write; by default a temporary file.

        Raises:
            NotFound: If there is none: the run has not ended, or its results have been deleted.
            CannotWrite: If the file cannot be written.
        """
        content = self._read(_REPORT)
        place = Path(tempfile.mkdtemp(prefix="epsm-")) / _REPORT if path is None else Path(path)
        place.write_bytes(content)
        return place

    def _record(self) -> StudyRecord | None:
        """The record; None if the stack has not noticed the upload yet."""
        with stack_errors():
            record = self.connection.stack.records.study(self.simulation_id)
        if record is None and not self._is_new:
            raise NotFound(f"there is no simulation '{self.simulation_id}' on {self.connection.name}")
        self._is_new = self._is_new and record is None
        return record

    def _check_ended(self) -> None:
        record = self._record()
        if record is None or not record.status.final:
            state = StudyStatus.PENDING if record is None else record.status
            raise NotEnded(f"{self.simulation_id} is {state.value}; call wait() first")
        if record.status is StudyStatus.REJECTED:
            raise StudyRejected(record.problems)

    def _known(self) -> StudyRecord:
        record = self._record()
        if record is None:
            raise NotFound(f"{self.simulation_id}: the stack has not noticed the upload yet")
        return record

    def _read(self, name: str) -> bytes:
        with stack_errors():
            return self.connection.stack.files.open_result(keys.run_key(self.simulation_id, name)).read()


def newest(connection: Connection, limit: int) -> list[Run]:
    """See `Connection.runs`."""
    with stack_errors():
        return [Run(connection, record.simulation_id) for record in connection.stack.records.studies(limit)]


def find(connection: Connection, simulation_id: str) -> Run:
    """See `Connection.run`."""
    with stack_errors():
        matching = matches(connection, simulation_id)
    if len(matching) == 1:
        return Run(connection, matching[0].simulation_id)
    if not matching:
        raise NotFound(f"there is no simulation '{simulation_id}' on {connection.name}")
    names = ", ".join(record.simulation_id for record in matching)
    raise NotFound(f"several simulations on {connection.name} begin with '{simulation_id}': {names}")
