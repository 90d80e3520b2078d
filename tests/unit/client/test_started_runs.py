"""`epsm.Run` on a stack whose buckets and table are those of moto: the steps of a run, and the files of its results."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

import epsm
from epsm.client import fetch as fetching
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.executions import RunCounts
from epsm.store.records import Records
from epsm.study.records import StudyRecord, StudyStatus
from tests.unit.conftest import RESULTS
from tests.unit.deployed import Deployed

HEATING = [120.0, 90.0, 60.0]


@pytest.fixture
def stack(s3: Any, records: Records) -> Deployed:
    return Deployed(s3, records)


@pytest.fixture
def connection(stack: Deployed) -> epsm.Connection:
    clients = {"s3": stack.s3, "stepfunctions": stack.machine}
    return epsm.Connection("epsm-dev", clients.__getitem__, stack, poll_s=0.0)


@pytest.fixture
def run(stack: Deployed, connection: epsm.Connection) -> epsm.Run:
    """A study of a baseline and two variants, which has been accepted and not begun."""
    return epsm.Run(connection, stack.accepted("ann", folder_key("house")))


def folder_key(name: str) -> str:
    return f"ann/{name}/study.json"


def put(stack: Deployed, run: epsm.Run, name: str, content: bytes) -> None:
    stack.s3.put_object(Bucket=RESULTS, Key=keys.run_key(run.simulation_id, name), Body=content)


def parquet(**columns: list[Any]) -> bytes:
    target = io.BytesIO()
    pd.DataFrame(columns).to_parquet(target)
    return target.getvalue()


def finish(stack: Deployed, run: epsm.Run, status: StudyStatus = StudyStatus.COMPLETED, **changes: Any) -> None:
    stack.records.finish_study(run.simulation_id, status, **{"succeeded": 3, "failed": 0} | changes)


def test_a_run_is_pending_until_it_begins_and_counts_what_it_has_done(stack: Deployed, run: epsm.Run) -> None:
    assert (run.status, run.counts, run.problems) == (StudyStatus.PENDING, RunCounts(total=3), ())
    stack.begin(run.simulation_id)
    stack.machine.counts = {"running": 1, "succeeded": 1, "failed": 1}
    assert (run.status, run.counts) == (StudyStatus.RUNNING, RunCounts(1, 1, 1, 3))
    with pytest.raises(epsm.NotEnded, match=r"is running; call wait\(\) first"):
        run.results()
    with pytest.raises(epsm.NotEnded, match="is running; it can be rerun once it has ended"):
        run.rerun()
    finish(stack, run)
    assert (run.status, run.counts) == (StudyStatus.COMPLETED, RunCounts(0, 3, 0, 3))
    assert (run.cancel(), run.rerun()) == (False, 0)


def test_a_new_run_that_the_stack_has_not_seen_yet_is_pending(connection: epsm.Connection, stack: Deployed) -> None:
    run = epsm.Run(connection, "house-1", is_new=True)
    assert (run.status, run.counts, run.problems) == (StudyStatus.PENDING, RunCounts(), ())
    with pytest.raises(epsm.NotEnded, match="is pending"):
        run.results()
    for act in (run.cancel, run.rerun, run.download):
        with pytest.raises(epsm.NotFound, match="has not noticed the upload yet"):
            act()
    assert repr(run) == "Run('house-1' on 'epsm-dev')"
    # What was seen once, and is gone, was deleted.
    run = epsm.Run(connection, stack.accepted("ann"), is_new=True)
    assert run.status is StudyStatus.PENDING
    finish(stack, run)
    stack.records.mark_removing(run.simulation_id)
    stack.records.remove_study(run.simulation_id)
    with pytest.raises(epsm.NotFound, match=f"no simulation '{run.simulation_id}' on epsm-dev"):
        _ = run.status


def test_a_cancelled_run_stops_its_execution_and_is_run_again(stack: Deployed, run: epsm.Run) -> None:
    stack.begin(run.simulation_id)
    assert run.cancel()
    assert [error for _, error in stack.machine.stopped] == ["Cancelled"]
    assert stack.record(run.simulation_id).error == "Cancelled by a program."
    assert run.rerun() == 3
    assert (run.status, stack.record(run.simulation_id).attempt) == (StudyStatus.PENDING, 2)


def test_a_rejected_run_says_why(stack: Deployed, run: epsm.Run) -> None:
    stack.records.reject_study(run.simulation_id, [Problem("study.json", "names no study", "one that exists")])
    assert [problem.what for problem in run.problems] == ["names no study"]
    assert run.rerun() == 0
    for ask in (run.wait, run.results, run.sensitivity):
        with pytest.raises(epsm.StudyRejected, match="names no study"):
            ask()


def test_the_results_are_those_in_the_bucket(stack: Deployed, run: epsm.Run, tmp_path: Path) -> None:
    finish(stack, run)
    with pytest.raises(epsm.NotFound):
        run.results()
    stored = {"method": ["regression"], "metric": ["heating_kwh"]}
    rows = [{name: values[0] for name, values in stored.items()}]
    put(stack, run, "results.parquet", parquet(heating_kwh=HEATING))
    put(stack, run, "design.parquet", parquet(sample=[1]))
    put(stack, run, "zones.parquet", parquet(zone=["ROOM"]))
    put(stack, run, "monthly.parquet", parquet(month=[1]))
    put(stack, run, "series/part-0000001.parquet", parquet(variant_index=[1], environment=["RUN"]))
    put(stack, run, "report.html", b"<!doctype html>")
    put(stack, run, "sensitivity.json", json.dumps({"indices": rows}).encode())
    assert run.results()["heating_kwh"].tolist() == HEATING
    assert run.design()["sample"].tolist() == [1]
    assert run.zones()["zone"].tolist() == ["ROOM"]
    assert run.monthly()["month"].tolist() == [1]
    assert run.series(1)["environment"].tolist() == ["RUN"]
    assert run.series()["variant_index"].tolist() == [1]
    assert run.report(tmp_path / "report.html") == tmp_path / "report.html"
    assert (tmp_path / "report.html").read_bytes() == run.report().read_bytes() == b"<!doctype html>"


def test_a_download_has_the_files_of_the_study_and_of_its_variants_if_wanted(
    stack: Deployed, run: epsm.Run, tmp_path: Path
) -> None:
    finish(stack, run)
    put(stack, run, "results.csv", b"variant_index\n0\n")
    put(stack, run, "variants/1/result.json", b"{}")
    put(stack, run, "series/part-0000001.parquet", b"PAR1")
    put(stack, run, "items.json", b"[]")  # of the stack's own
    folder = run.download(tmp_path)
    assert folder == tmp_path / "house"
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "results.csv"}
    assert run.download(tmp_path, variant_files=True) == folder
    assert (folder / "variants" / "1" / "result.json").read_bytes() == b"{}"
    assert (folder / "series" / "part-0000001.parquet").read_bytes() == b"PAR1"
    assert not (folder / "items.json").exists()


def test_each_file_is_reported_after_those_that_identify_the_run(
    stack: Deployed, run: epsm.Run, connection: epsm.Connection, tmp_path: Path
) -> None:
    for name in ("results.csv", "report.html"):
        put(stack, run, name, b"")
    told: list[tuple[int, int]] = []

    def report(done: int, total: int) -> None:
        told.append((done, total))

    fetching.fetch(connection, run.simulation_id, tmp_path / "a", with_variants=False, report=report)
    assert told == [(1, 3), (2, 3), (3, 3)]
    empty = fetching.fetch(connection, "nothing", tmp_path / "b", with_variants=False, report=report)
    assert (empty.exists(), len(told)) == (False, 3)


def test_a_refused_download_is_not_left_out(
    stack: Deployed, run: epsm.Run, connection: epsm.Connection, tmp_path: Path
) -> None:
    class Refusing:
        get_paginator = staticmethod(stack.s3.get_paginator)

        def get_object(self, **request: str) -> Any:
            if request["Key"].endswith(".csv"):
                raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
            return stack.s3.get_object(Bucket=request["Bucket"], Key=request["Key"])

    put(stack, run, "results.csv", b"")
    refusing = replace(connection, client=lambda service: Refusing())
    with pytest.raises(epsm.StackError, match="denies access"):
        epsm.Run(refusing, run.simulation_id).download(tmp_path)


def test_a_folder_of_a_run_without_a_usable_name_makes_room_under_another(run: epsm.Run, tmp_path: Path) -> None:
    for unusable in ("../x", "", "."):
        folder = run.download(tmp_path)
        (folder / "manifest.json").write_text(json.dumps({"simulation_id": unusable}), encoding="utf-8")
    run.download(tmp_path)
    earlier = {"house-earlier", "house-earlier-2", "house-earlier-3"}
    assert {path.name for path in tmp_path.iterdir()} == {"house", *earlier}


def test_runs_are_found_by_name_and_by_a_prefix_that_one_has(stack: Deployed, connection: epsm.Connection) -> None:
    office, hotel, other = (stack.accepted("ann", folder_key(name)) for name in ("office", "hotel", "hotel-b"))
    assert {run.simulation_id for run in connection.runs()} == {office, hotel, other}
    assert len(connection.runs(limit=2)) == 2
    assert connection.run(office).simulation_id == connection.run("off").simulation_id == office
    assert connection.run(hotel).simulation_id == hotel
    with pytest.raises(epsm.NotFound, match="several simulations on epsm-dev begin with 'hot'") as raised:
        connection.run("hot")
    assert {hotel, other} <= set(str(raised.value).replace(",", "").split())
    with pytest.raises(epsm.NotFound, match="no simulation 'castle' on epsm-dev"):
        connection.run("castle")


# --- waiting


class Script:
    """Answers of the stack to the question for a study, one after the other; the last one for ever."""

    def __init__(self, stack: Deployed, *answers: Exception | StudyRecord | None) -> None:
        self.asked = 0
        self._answers = chain(answers, repeat(answers[-1]))
        stack.records.study = self.study  # type: ignore[method-assign]

    def study(self, simulation: str) -> StudyRecord | None:
        self.asked += 1
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "GetItem")  # type: ignore[typeddict-item]


@pytest.fixture
def ends(stack: Deployed, run: epsm.Run) -> Callable[..., StudyRecord]:
    """The record of the run as it is after its end."""
    accepted = stack.record(run.simulation_id)

    def end(status: StudyStatus, **changes: Any) -> StudyRecord:
        return replace(accepted, status=status, **changes)

    return end


def test_an_end_is_waited_for_through_faults_that_pass(
    stack: Deployed, run: epsm.Run, ends: Callable[..., StudyRecord]
) -> None:
    pending, ended = ends(StudyStatus.PENDING), ends(StudyStatus.PARTIAL, succeeded=2, failed=1)
    nowhere = EndpointConnectionError(endpoint_url="https://x")
    script = Script(stack, None, pending, nowhere, refused("ThrottlingException"), pending, ended)
    assert epsm.Run(run.connection, run.simulation_id, is_new=True).wait() is not None
    assert script.asked == 6


def test_a_study_that_failed_as_a_whole_raises_with_its_reason(
    stack: Deployed, run: epsm.Run, ends: Callable[..., StudyRecord]
) -> None:
    Script(stack, ends(StudyStatus.FAILED, error="budget exceeded"))
    with pytest.raises(epsm.StudyFailed, match="budget exceeded"):
        run.wait()
    Script(stack, ends(StudyStatus.FAILED))
    with pytest.raises(epsm.StudyFailed, match="no variant has succeeded"):
        run.wait()


def test_waiting_ends_with_its_time_also_while_the_stack_is_silent(
    stack: Deployed, run: epsm.Run, ends: Callable[..., StudyRecord]
) -> None:
    with pytest.raises(epsm.WaitTimeout, match="has not ended within 0 s; it continues"):
        run.wait(timeout_s=0)
    Script(stack, ends(StudyStatus.PENDING), refused("ThrottlingException"))
    with pytest.raises(epsm.WaitTimeout):
        run.wait(timeout_s=0)
    Script(stack, ends(StudyStatus.COMPLETED))
    assert run.wait(timeout_s=0) is run


def test_a_fault_that_lasts_is_not_waited_out(stack: Deployed, run: epsm.Run, ends: Callable[..., StudyRecord]) -> None:
    script = Script(stack, ends(StudyStatus.PENDING), refused("AccessDeniedException"))
    with pytest.raises(epsm.StackError, match="denies access"):
        run.wait()
    assert script.asked == 2
    impatient = epsm.Run(replace(run.connection, patience_s=-1.0), run.simulation_id)
    script = Script(stack, ends(StudyStatus.PENDING), EndpointConnectionError(endpoint_url="https://x"))
    with pytest.raises(epsm.StackError, match="does not answer"):
        impatient.wait()
    assert script.asked == 2


def test_throttled_counts_do_not_hide_an_end(
    stack: Deployed, run: epsm.Run, ends: Callable[..., StudyRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["ThrottlingException", "AccessDeniedException"])

    def refuse(**_: Any) -> Any:
        raise refused(next(codes))

    monkeypatch.setattr(stack.machine, "list_map_runs", refuse)
    running = ends(StudyStatus.RUNNING, execution_arn="arn")
    script = Script(stack, running, running, ends(StudyStatus.COMPLETED))
    assert run.wait() is run
    assert script.asked == 3
    monkeypatch.setattr(stack.machine, "list_map_runs", refuse)
    Script(stack, running)
    with pytest.raises(epsm.StackError, match="denies access"):
        run.wait()


def test_an_upload_that_nothing_picks_up_is_given_up(
    connection: epsm.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epsm.client.follow._PICKED_UP_WITHIN_S", -1.0)
    with pytest.raises(epsm.NotPickedUp, match="has not picked it up"):
        epsm.Run(connection, "house-1", is_new=True).wait()


def test_a_stack_that_reports_changes_itself_is_asked_for_each_of_them(
    connection: epsm.Connection, stack: Deployed, ends: Callable[..., StudyRecord]
) -> None:
    """`wait_for_change` gets what is known, so that no change between two polls is missed."""
    known: list[StudyStatus | None] = []
    told = replace(connection, wait_for_change=lambda simulation, status, seconds: known.append(status))
    pending, running = ends(StudyStatus.PENDING), ends(StudyStatus.RUNNING)
    Script(stack, None, pending, running, ends(StudyStatus.COMPLETED))
    epsm.Run(told, "house-1", is_new=True).wait()
    assert known == [None, StudyStatus.PENDING, StudyStatus.RUNNING]
