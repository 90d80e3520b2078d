"""`epsm.Study(...).run()` and `epsm.Run` on the deployed stack."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import boto3
import pytest
from botocore.config import Config

import epsm
from epsm_local.provider import connection as local_connection
from epsm_local.stack import LocalStack
from tests.moto_fixtures import unique


@pytest.fixture(scope="module")
def connection(stack: LocalStack) -> epsm.Connection:
    return local_connection(stack.endpoint)


@pytest.fixture
def study(tmp_path: Path, one_day: str, chicago: Path) -> epsm.Study:
    """A study of one baseline and one variant, each a day, with a monthly series."""
    (tmp_path / "room.idf").write_text(one_day, encoding="utf-8")
    outputs = epsm.Outputs(meters=("Electricity:Facility",), frequency="Monthly")
    made = epsm.Study([tmp_path / "room.idf"], [chicago], name=unique("python"), outputs=outputs)
    return made.vary("north", "Building", "*", "North Axis", values=[10])


@pytest.fixture
def run(study: epsm.Study, connection: epsm.Connection) -> Iterator[epsm.Run]:
    started = study.run(connection)
    yield started
    started.cancel()


def test_a_study_is_run_to_its_end_and_its_results_are_read(run: epsm.Run, tmp_path: Path) -> None:
    with pytest.raises(epsm.NotEnded):
        run.results()
    with pytest.raises(epsm.NotEnded):
        run.sensitivity()
    with pytest.raises(epsm.WaitTimeout):
        run.wait(timeout_s=0)
    table = run.wait(timeout_s=120).results()
    assert run.status is epsm.StudyStatus.COMPLETED
    assert (run.counts.succeeded, run.counts.total, run.problems) == (2, 2, ())
    assert table["status"].tolist() == ["succeeded", "succeeded"]
    record = run.connection.stack.records.study(run.simulation_id)
    assert record is not None
    assert all(moment.endswith("Z") for moment in (record.created_at, record.started_at, record.ended_at))
    assert (run.cancel(), run.rerun()) == (False, 0)
    folder = run.download(tmp_path, variant_files=True)
    assert epsm.read_results(folder).equals(table)
    series = run.series(1, "Electricity:Facility")
    assert epsm.read_series(folder, 1).equals(series)
    assert epsm.read_series(folder).equals(run.series())
    assert run.series()["variant_index"].tolist() == [0, 1]
    assert series["Electricity:Facility [kWh]"].sum() == pytest.approx(table["electricity_kwh"][1])
    stored, computed = run.sensitivity(), run.sensitivity(["site_eui_kwh_m2"])
    assert stored.equals(computed)
    assert stored["method"].tolist() == ["regression", "pawn"]
    assert run.sensitivity(["electricity_kwh"])["metric"].unique().tolist() == ["electricity_kwh"]
    assert run.report(tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!")
    found = run.connection.run(run.simulation_id[:-2])
    assert (found.simulation_id, found.status) == (run.simulation_id, run.status)
    assert run.simulation_id in {each.simulation_id for each in run.connection.runs()}


def test_a_study_that_the_stack_refuses_says_why(study: epsm.Study, connection: epsm.Connection) -> None:
    run = study.with_options(after="no-such-simulation").run(connection)
    with pytest.raises(epsm.StudyRejected, match="no-such-simulation"):
        run.wait(timeout_s=120)
    assert run.status is epsm.StudyStatus.REJECTED
    with pytest.raises(epsm.StudyRejected):
        run.results()


def test_a_run_that_does_not_exist_is_not_found(connection: epsm.Connection) -> None:
    with pytest.raises(epsm.NotFound, match="no simulation 'nothing'"):
        connection.run("nothing")
    with pytest.raises(epsm.NotFound):
        _ = epsm.Run(connection, "nothing-0123456789abcdef").status
    with pytest.raises(epsm.NotFound):
        epsm.Run(connection, "nothing-0123456789abcdef").wait()


def test_a_stack_that_does_not_answer_is_a_stack_error(connection: epsm.Connection) -> None:
    nowhere = boto3.Session("id", "secret", region_name="us-east-1").client(
        "s3", endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1})
    )
    gone = replace(connection, stack=Mock(records=Mock(studies=lambda limit: nowhere.list_buckets())))
    with pytest.raises(epsm.StackError, match="does not answer"):
        gone.runs()
