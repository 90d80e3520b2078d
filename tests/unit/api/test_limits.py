"""The API's response to a study beyond its owner's limits."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from epsm.api.description import app
from epsm.api.routes import change, submit
from epsm.errors import OverLimit
from epsm.estimate import RunTime
from epsm.pipeline.owner_limits import OwnerLimits, expected_cost_usd
from epsm.problems import Problem
from epsm.store.stack import Stack
from epsm.study.manifest import ObjectRef, RunManifest
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.schema import Options, Study
from tests.unit.fakes import MemoryRecords, MemoryStack, study_record
from tests.unit.manifests import manifest_of
from tests.unit.pipeline.test_owner_limits import MemoryAccounts

ANNA = {"iam": {"userArn": "arn:aws:iam::123456789012:user/anna"}}
OWNER = "iam:arn:aws:iam::123456789012:user/anna"


def ask(stack: Stack, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer to Anna."""
    http = {"method": method, "path": path, "sourceIp": "", "protocol": "", "userAgent": ""}
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"authorizer": ANNA, "http": http, "stage": "$default", "requestId": "1"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
    app.append_context(stack=stack)
    context: Any = SimpleNamespace(aws_request_id="1")
    answer = app.resolve(event, context)
    return answer["statusCode"], json.loads(answer["body"] or "{}")


def test_a_study_beyond_a_limit_is_answered_with_429_and_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OverLimit([Problem("study.json", "is one too many", "at most 2 at a time")])

    monkeypatch.setattr(submit, "submit_from_request", refuse)
    status, body = ask(MemoryStack(), "POST", "/api/simulation/run/", {"study": {}})
    assert (status, body["title"]) == (429, "Too Many Requests")
    assert body["errors"] == [{"where": "study.json", "what": "is one too many", "allowed": "at most 2 at a time"}]
    assert "is one too many (at most 2 at a time)" in body["detail"]


# --- what a study that is there already may come to cost


class Anna(MemoryRecords):
    """What the routes know of one study of Anna's: 4 variants, 1 of which has succeeded in an earlier attempt.

    Attributes:
        started: Attempts that were started.
    """

    def __init__(self, status: StudyStatus) -> None:
        options = {"max_cost_usd": 1.0}
        counts: dict[str, Any] = {"variants": 4, "succeeded": 1, "options": options, "owner": OWNER}
        super().__init__(study_record("anna-1", status, datetime.now(UTC), **counts))
        self.started: list[int] = []

    @property
    def record(self) -> StudyRecord:
        return self.by_name["anna-1"]

    def read_manifest(self, simulation: str) -> RunManifest:
        document: dict[str, Any] = {"models": ["a.idf"], "weather": ["b.epw"], "options": {"max_cost_usd": 0.5}}
        ref = ObjectRef(bucket="b", key="a.idf", version_id="1", sha256="0", bytes=1)
        return manifest_of(
            Study.model_validate(document),
            simulation_id=simulation,
            inputs={"a.idf": ref},
            variants=4,
            assumed_run_times_s={"a.idf": 100_000.0},
        )

    def run_time(self, owner: str, sha256: str) -> float | None:
        return None

    def change_options(self, simulation: str, options: dict[str, Any]) -> bool:
        return self._change(simulation, options=options)

    def rerun(self, *_: Any) -> int:
        self.started.append(self.record.attempt + 1)
        return 3


def deployed(records: Anna, monkeypatch: pytest.MonkeyPatch, usd_per_month: float) -> MemoryStack:
    """A stack with Anna's study, where each owner may spend so much a month."""
    functions = SimpleNamespace(ask_to_remove=lambda simulation: None)
    stack = MemoryStack(records=records, files=records, accounts=MemoryAccounts(), functions=functions)
    stack.settings = stack.settings.model_copy(update={"owner_max_usd_per_month": usd_per_month})
    monkeypatch.setattr(change, "rerun_missing", records.rerun)
    return stack


def reserved(stack: Stack) -> float:
    return stack.accounts.read(OWNER).claims["anna-1"].reserved_usd


def test_a_budget_that_is_raised_is_reserved_of_its_owners_money(monkeypatch: pytest.MonkeyPatch) -> None:
    records = Anna(StudyStatus.RUNNING)
    stack = deployed(records, monkeypatch, usd_per_month=4.0)
    OwnerLimits(stack.accounts, records, stack.settings.allowance).claim(records.record, 1.0)
    ask(stack, "PATCH", "/api/simulation/anna-1/", {"max_cost_usd": 2.0})
    assert (reserved(stack), records.record.options["max_cost_usd"]) == (2.0, 2.0)


def test_a_budget_is_not_raised_above_its_owners_money(monkeypatch: pytest.MonkeyPatch) -> None:
    records = Anna(StudyStatus.RUNNING)
    stack = deployed(records, monkeypatch, usd_per_month=1.5)
    OwnerLimits(stack.accounts, records, stack.settings.allowance).claim(records.record, 1.0)
    status, _ = ask(stack, "PATCH", "/api/simulation/anna-1/", {"max_cost_usd": 2.0})
    assert (status, reserved(stack), records.record.options["max_cost_usd"]) == (429, 1.0, 1.0)


def test_a_rerun_reserves_money_for_models_that_never_ran_within_the_budget_of_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = Anna(StudyStatus.FAILED)
    stack = deployed(records, monkeypatch, usd_per_month=4.0)
    status, _ = ask(stack, "POST", "/api/simulation/anna-1/rerun/", {})
    assert (status, records.started, reserved(stack)) == (202, [2], 1.0)
    assert stack.accounts.read(OWNER).claims["anna-1"].attempt == 2


@pytest.mark.parametrize(("succeeded", "quarters"), [(0, 4), (1, 3), (3, 1)])
def test_a_rerun_reserves_money_for_what_has_not_succeeded(
    monkeypatch: pytest.MonkeyPatch, succeeded: int, quarters: int
) -> None:
    def reserved_for(done: int) -> float:
        records = Anna(StudyStatus.FAILED)
        records.by_name["anna-1"] = replace(records.record, options={"max_cost_usd": 1e6}, succeeded=done)
        stack = deployed(records, monkeypatch, usd_per_month=1e6)
        assert ask(stack, "POST", "/api/simulation/anna-1/rerun/", {})[0] == 202
        return reserved(stack)

    manifest = Anna(StudyStatus.FAILED).read_manifest("anna-1")
    study = manifest.study.model_copy(update={"options": Options()})
    run_times = {"a.idf": RunTime(manifest.assumed_run_times_s["a.idf"], "assumed")}
    whole = expected_cost_usd(study, run_times, MemoryStack().settings.variant_memory_mb)
    assert reserved_for(succeeded) == pytest.approx(whole * quarters / 4)


def test_a_rerun_that_its_owner_cannot_pay_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    records = Anna(StudyStatus.FAILED)
    stack = deployed(records, monkeypatch, usd_per_month=0.9)
    status, _ = ask(stack, "POST", "/api/simulation/anna-1/rerun/", {})
    assert (status, records.started) == (429, [])


@pytest.mark.parametrize("cost_usd", [0.25, 3.0])
def test_a_study_that_is_deleted_has_cost_its_owner_what_it_cost(
    monkeypatch: pytest.MonkeyPatch, cost_usd: float
) -> None:
    records = Anna(StudyStatus.RUNNING)
    stack = deployed(records, monkeypatch, usd_per_month=4.0)
    OwnerLimits(stack.accounts, records, stack.settings.allowance).claim(records.record, 1.0)
    records.by_name["anna-1"] = replace(records.record, status=StudyStatus.FAILED, cost_usd=cost_usd)

    ask(stack, "DELETE", "/api/simulation/anna-1/", {})
    del records.by_name["anna-1"]

    account = stack.accounts.read(OWNER)
    assert (account.spent_usd, account.claims) == (cost_usd, {})
