"""Starting studies on stacks of an AWS account, simulated by moto, and waiting for their end."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import epsm
from epsm.client.progress import shown_progress
from epsm.store.executions import RunCounts
from epsm.study.records import StudyStatus
from infra.tools.packaging import ROOT
from tests.unit.fakes import study_record

WEATHER = ROOT / "examples" / "office-retrofit" / "chicago.epw"
OUTPUTS = {"InputsBucket": "inputs", "ResultsBucket": "results", "TableName": "studies", "StateMachineArn": "arn"}


@pytest.fixture
def study() -> epsm.Study:
    made = epsm.Study([ROOT / "tests" / "data" / "one_zone.idf"], [WEATHER], name="One room")
    return made.vary("north", "Building", "*", "North Axis", values=[10])


@pytest.fixture
def account(table: Any, aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Deploys a stack with these outputs into the account of the environment."""
    for name, value in (("ACCESS_KEY_ID", "id"), ("SECRET_ACCESS_KEY", "secret"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    s3 = aws.client("s3")
    for bucket in ("inputs", "results"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def deploy(name: str, outputs: dict[str, str]) -> None:
        body = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {key: {"Value": value} for key, value in outputs.items()},
        }
        aws.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))

    return deploy


@pytest.mark.parametrize("start", [epsm.Study.run, epsm.Study.submit, epsm.run, epsm.submit])
def test_a_study_is_uploaded_to_the_stack_that_is_named(
    start: Callable[..., epsm.Run], study: epsm.Study, account: Callable[..., None], aws: boto3.Session
) -> None:
    account("epsm-dev", OUTPUTS)
    run = start(study, "epsm-dev")
    assert (run.connection.name, run.status) == ("epsm-dev", StudyStatus.PENDING)
    found = aws.client("s3").list_objects_v2(Bucket="inputs")["Contents"]
    assert {each["Key"].split("/", 1)[1] for each in found} == {
        "One room/data/one_zone.idf",
        "One room/office-retrofit/chicago.epw",
        "One room/office-retrofit/chicago.stat",
        "One room/study.json",
    }
    manifest = next(each["Key"] for each in found if each["Key"].endswith("study.json"))
    sent = json.loads(aws.client("s3").get_object(Bucket="inputs", Key=manifest)["Body"].read())
    assert sent["parameters"] == study.document["parameters"]
    assert run.simulation_id.startswith("one-room-")


def test_a_stack_that_does_not_exist_is_named(study: epsm.Study, account: Callable[..., None]) -> None:
    with pytest.raises(epsm.NoStack, match="epsm-prod"):
        study.run("epsm-prod")


def test_a_stack_of_another_project_gets_no_study(
    study: epsm.Study, account: Callable[..., None], aws: boto3.Session
) -> None:
    account("shop", {"Url": "x"})
    with pytest.raises(epsm.NoStack, match="not a stack of this project"):
        study.run("shop")
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket="inputs")


def test_a_bucket_that_is_gone_is_a_stack_error(study: epsm.Study, account: Callable[..., None]) -> None:
    account("epsm-dev", OUTPUTS | {"InputsBucket": "gone"})
    with pytest.raises(epsm.StackError) as raised:
        study.run("epsm-dev")
    assert raised.value.__cause__ is not None


def test_a_submitted_study_needs_a_local_stack_that_stays(
    study: epsm.Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(epsm.NoStack, match="epsm up"):
        study.submit()
    with pytest.raises(epsm.NoStack, match="epsm up"):
        epsm.submit(study)


def test_a_study_that_cannot_run_is_not_sent(
    study: epsm.Study, account: Callable[..., None], aws: boto3.Session
) -> None:
    account("epsm-dev", OUTPUTS)
    with pytest.raises(epsm.StudyRejected):
        study.vary("more", "Building", "*", "North Pole", values=[1]).run("epsm-dev")
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket="inputs")


PENDING = study_record("office-1", StudyStatus.PENDING, datetime(2026, 1, 1, tzinfo=UTC))


def looks(progress: bool | None) -> None:
    """A study of 100 variants from its upload to its end, as it shows itself."""
    with shown_progress(progress, "office-1") as show:
        show(None, RunCounts())
        show(PENDING, RunCounts())
        for ended in range(101):
            show(replace(PENDING, status=StudyStatus.RUNNING), RunCounts(1, ended, 0, 100))
        show(replace(PENDING, status=StudyStatus.PARTIAL), RunCounts(0, 98, 2, 100))


def test_a_log_gets_a_line_for_each_tenth_and_no_control_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    looks(progress=True)
    lines = log.getvalue().splitlines()
    assert lines[:3] == [
        "office-1: waiting for submit",
        "office-1: pending",
        "office-1: running, 0 of 100 variants",
    ]
    assert lines[-1] == "office-1: partial, 100 of 100 variants, 2 failed"
    assert len(lines) == 14
    assert log.getvalue().replace("\n", "").isprintable()


def test_nothing_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    looks(progress=None)
    looks(progress=False)
    assert log.getvalue() == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    looks(progress=None)
    assert "partial, 2 failed" in terminal.getvalue()
    assert "100/100" in terminal.getvalue()


def test_a_terminal_gets_lines_where_nothing_draws_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setitem(sys.modules, "rich.progress", None)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    looks(progress=None)
    assert terminal.getvalue().splitlines()[-1] == "office-1: partial, 100 of 100 variants, 2 failed"


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A kernel of Jupyter; what its cell's outputs hold now."""
    outputs: list[str] = []

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        outputs.append(data["text/plain"])
        number = len(outputs) - 1

        def update(data: dict[str, str], *, raw: bool) -> None:
            outputs[number] = data["text/plain"]

        return SimpleNamespace(update=update)

    shell = SimpleNamespace(kernel=object())
    fake = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    return outputs


def test_a_notebook_gets_one_line_that_is_written_anew(notebook: list[str]) -> None:
    looks(progress=None)
    (line,) = notebook
    assert line.startswith("━" * 30 + " partial, 100 of 100 variants, 2 failed, 0:0")
    looks(progress=False)
    assert len(notebook) == 1
