"""Shares of the concurrency: epsm.operations.shares."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from epsm.operations.shares import Claim, capacity_of, requested_concurrency, share, shares
from epsm.store.executions import Executions
from epsm.store.functions import Functions
from epsm.study.records import StudyRecord, StudyStatus
from tests.unit.fakes import fake, study_record

claims = st.lists(
    st.builds(Claim, st.uuids().map(str), st.sampled_from([1, 2, 4]), st.integers(1, 10_000)), min_size=1, max_size=12
)


class MapRuns:
    """Step Functions with one map run for each execution."""

    def __init__(self, **concurrency: int) -> None:
        self.concurrency = concurrency
        self.status = "RUNNING"
        self.fault = False
        self.unknown = ""
        self.ended: set[str] = set()

    def list_map_runs(self, *, executionArn: str) -> Any:  # noqa: N803
        if executionArn == self.unknown:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "ListMapRuns")
        return {"mapRuns": [{"mapRunArn": executionArn}] if executionArn in self.concurrency else []}

    def describe_execution(self, *, executionArn: str) -> Any:  # noqa: N803
        return {"name": executionArn, "status": "FAILED" if executionArn in self.ended else "RUNNING"}

    def describe_map_run(self, *, mapRunArn: str) -> Any:  # noqa: N803
        return {"status": self.status, "maxConcurrency": self.concurrency[mapRunArn]}

    def update_map_run(self, *, mapRunArn: str, maxConcurrency: int) -> None:  # noqa: N803
        if self.fault:
            raise ClientError({"Error": {"Code": "ValidationException"}}, "UpdateMapRun")
        self.concurrency[mapRunArn] = maxConcurrency


def executions_of(runs: MapRuns) -> Executions:
    return Executions(fake(runs), "arn:machine")


def study(name: str, **options: Any) -> StudyRecord:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return study_record(name, StudyStatus.RUNNING, when, execution_arn=name, options=options)


def test_where_there_is_enough_everybody_gets_what_they_want() -> None:
    assert shares([Claim("a", 1, 10), Claim("b", 4, 20)], 30) == {"a": 10, "b": 20}


def test_high_gets_twice_normal_and_four_times_low() -> None:
    assert shares([Claim("high", 4, 99), Claim("normal", 2, 99), Claim("low", 1, 99)], 70) == {
        "high": 40,
        "normal": 20,
        "low": 10,
    }


@given(claims, st.integers(1, 20_000))  # type: ignore[untyped-decorator]
def test_nobody_gets_nothing_or_more_than_wanted(claimed: list[Claim], capacity: int) -> None:
    given_out = shares(claimed, capacity)
    assert all(1 <= given_out[claim.name] <= claim.most for claim in claimed)


@given(claims, st.integers(1, 20_000))  # type: ignore[untyped-decorator]
def test_no_more_is_given_than_there_is_beside_the_one_that_each_must_have(claimed: list[Claim], capacity: int) -> None:
    assert sum(shares(claimed, capacity).values()) <= max(capacity, len(claimed)) + len(claimed)


def test_a_study_gets_its_share_while_it_runs() -> None:
    runs = MapRuns(a=100, b=100)
    share(
        executions_of(runs),
        [study("a", priority="high", max_concurrency=100), study("b", priority="low", max_concurrency=100)],
        50,
    )
    assert runs.concurrency == {"a": 40, "b": 10}


def test_who_is_left_alone_gets_everything_back() -> None:
    runs = MapRuns(b=10)
    assert share(executions_of(runs), [study("b", priority="low", max_concurrency=100)], 500) == {"b": 100}


def test_a_study_without_a_map_run_has_no_share_yet() -> None:
    runs = MapRuns(a=100)
    share(executions_of(runs), [study("a", max_concurrency=100), study("b", max_concurrency=100)], 100)
    assert runs.concurrency == {"a": 100}


def test_a_map_run_that_has_ended_is_left_alone() -> None:
    runs = MapRuns(a=100)
    runs.status = "SUCCEEDED"
    assert share(executions_of(runs), [study("a", max_concurrency=100)], 10) == {}


def test_a_share_that_cannot_be_changed_is_no_fault() -> None:
    runs = MapRuns(a=100)
    runs.fault = True
    assert share(executions_of(runs), [study("a", max_concurrency=100)], 10) == {}


def test_a_map_run_that_is_not_known_leaves_the_others_their_shares() -> None:
    runs = MapRuns(a=100, b=100)
    runs.unknown = "a"
    share(executions_of(runs), [study("a", max_concurrency=100), study("b", max_concurrency=100)], 10)
    assert runs.concurrency == {"a": 100, "b": 10}


def test_studies_want_together_what_each_wants() -> None:
    assert requested_concurrency([study("a", max_concurrency=100), study("b", max_concurrency=5)]) == 105


def test_functions_that_run_several_engines_are_wanted_fewer_times() -> None:
    assert requested_concurrency([replace(study("a", max_concurrency=100), engines=6)]) == 17


class Account:
    def __init__(self, limit: dict[str, int] | None) -> None:
        self._limit = limit

    def get_account_settings(self) -> Any:
        if self._limit is None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetAccountSettings")
        return {"AccountLimit": self._limit}


@pytest.mark.parametrize(
    ("reserved", "limit", "capacity"),
    [
        (200, None, 200),
        (0, {"UnreservedConcurrentExecutions": 1000}, 950),
        (0, {"UnreservedConcurrentExecutions": 50}, 45),
        (0, {"UnreservedConcurrentExecutions": 1}, 1),
        (0, None, None),
    ],
)
def test_capacity_is_what_is_set_aside_or_most_of_what_the_account_has(
    reserved: int, limit: dict[str, int] | None, capacity: int | None
) -> None:
    assert capacity_of(Functions(fake(Account(limit)), "cleanup"), reserved) == capacity
