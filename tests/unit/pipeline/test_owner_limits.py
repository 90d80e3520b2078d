"""Limits of one owner's running studies and spending: epsm.pipeline.owner_limits."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from epsm.checks.budget import run_times_of
from epsm.errors import OverLimit
from epsm.estimate import RunTime
from epsm.pipeline.owner_limits import OwnerLimits, expected_attempt_usd, expected_cost_usd
from epsm.settings import Allowance
from epsm.store.accounts import Account, Claim
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import StudyRecord, StudyStatus, timestamp
from epsm.study.schema import Study
from tests.unit.fakes import MemoryRecords, study_record

ANNA = "iam:arn:aws:iam::123456789012:user/anna"
NOW = datetime.now(UTC)
ENDS = [status for status in StudyStatus if status.final]


class MemoryAccounts:
    """Accounts without a table.

    Attributes:
        by_owner: The accounts.
        before_write: Called once before the next write, as something that happens at the same time.
    """

    def __init__(self) -> None:
        self.by_owner: dict[str, Account] = {}
        self.before_write: Callable[[], None] | None = None

    def read(self, owner: str) -> Account:
        return self.by_owner.get(owner, Account())

    def write(self, owner: str, account: Account) -> bool:
        meanwhile, self.before_write = self.before_write, None
        if meanwhile:
            meanwhile()
        if self.read(owner).version != account.version:
            return False
        self.by_owner[owner] = replace(account, version=account.version + 1)
        return True


class Case:
    """An owner's studies and limits."""

    def __init__(self, running_studies: int = 0, usd_per_month: float = 0.0) -> None:
        self.records = MemoryRecords()
        self.accounts = MemoryAccounts()
        self.limits = OwnerLimits(self.accounts, self.records, Allowance(running_studies, usd_per_month))

    def study(self, name: str, owner: str = ANNA, **changes: Any) -> StudyRecord:
        record = study_record(name, StudyStatus.PENDING, NOW, owner=owner, **changes)
        self.records.by_name[name] = record
        return record

    def submit(self, name: str, usd: float = 0.0, **changes: Any) -> None:
        self.limits.claim(self.study(name, **changes), usd)

    def becomes(self, name: str, status: StudyStatus, **changes: Any) -> None:
        self.records.by_name[name] = replace(self.records.by_name[name], status=status, **changes)


# --- studies at a time


def test_one_study_too_many_is_refused_with_what_is_allowed() -> None:
    case = Case(running_studies=2)
    case.submit("a")
    case.submit("b")
    with pytest.raises(OverLimit, match="2 of your studies have not ended") as refused:
        case.submit("c")
    assert refused.value.problems[0].allowed.startswith("at most 2 at a time")


@pytest.mark.parametrize("end", ENDS)
def test_a_study_that_ended_however_it_did_makes_room(end: StudyStatus) -> None:
    case = Case(running_studies=1)
    case.submit("a")
    case.becomes("a", end)
    case.submit("b")


def test_a_study_that_was_removed_makes_room() -> None:
    case = Case(running_studies=1)
    case.submit("a")
    del case.records.by_name["a"]
    case.submit("b")


def test_of_two_at_once_one_is_refused() -> None:
    case = Case(running_studies=1)
    case.accounts.before_write = lambda: case.submit("a")
    with pytest.raises(OverLimit):
        case.submit("b")
    assert set(case.accounts.read(ANNA).claims) == {"a"}


def test_an_event_that_comes_twice_counts_once() -> None:
    case = Case(running_studies=1)
    case.submit("a")
    case.limits.claim(case.records.by_name["a"], 0.0)


def test_each_owner_has_limits_of_their_own() -> None:
    case = Case(running_studies=1)
    for owner in (ANNA, "iam:arn:aws:iam::123456789012:user/ben", ""):
        case.submit(f"of {owner}", owner=owner)


def test_a_look_claims_nothing() -> None:
    case = Case(running_studies=1)
    case.limits.check(ANNA, 0.0)
    case.submit("a")
    with pytest.raises(OverLimit):
        case.limits.check(ANNA, 0.0)


def test_a_study_that_runs_again_counts_again() -> None:
    case = Case(running_studies=1)
    case.submit("a")
    case.becomes("a", StudyStatus.PARTIAL)
    case.limits.claim(case.records.by_name["a"], 0.0, attempt=2)
    with pytest.raises(OverLimit):
        case.submit("b")
    case.becomes("a", StudyStatus.RUNNING, attempt=2)
    with pytest.raises(OverLimit):
        case.submit("b")
    case.becomes("a", StudyStatus.COMPLETED)
    case.submit("b")


def test_a_further_attempt_that_never_began_makes_room() -> None:
    case = Case(running_studies=1)
    case.study("a")
    case.becomes("a", StudyStatus.FAILED)
    claim = Claim(2, timestamp(NOW - timedelta(minutes=11)), 0.0, 0.0)
    case.accounts.by_owner[ANNA] = Account(1, "", 0.0, {"a": claim})
    case.submit("b")


def test_without_limits_nothing_is_kept() -> None:
    case = Case()
    case.submit("a", usd=1e6)
    assert case.accounts.by_owner == {}


# --- dollars a month


def test_what_a_study_is_expected_to_cost_is_reserved_until_it_ends() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=8)
    with pytest.raises(OverLimit, match=r"expected to cost \$3.00; of \$10.00 for .* \$8.00 reserved"):
        case.submit("b", usd=3)
    case.becomes("a", StudyStatus.COMPLETED, cost_usd=5.0)
    case.submit("c", usd=5)


def test_what_studies_have_cost_counts_and_not_what_was_expected() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=1)
    case.becomes("a", StudyStatus.FAILED, cost_usd=9.5)
    with pytest.raises(OverLimit, match=r"\$9.50 are spent") as refused:
        case.submit("b", usd=1)
    assert "at most $0.50; a max_cost_usd of that is accepted" in refused.value.problems[0].allowed


def test_of_two_at_once_that_are_too_expensive_together_one_is_refused() -> None:
    case = Case(usd_per_month=10)
    case.accounts.before_write = lambda: case.submit("a", usd=6)
    with pytest.raises(OverLimit):
        case.submit("b", usd=6)


def test_nothing_is_accepted_once_all_is_spent() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=1)
    case.becomes("a", StudyStatus.COMPLETED, cost_usd=12.0)
    with pytest.raises(OverLimit, match="at most"):
        case.submit("b", usd=0)


def test_a_removed_study_does_not_give_its_money_back() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=8)
    del case.records.by_name["a"]
    with pytest.raises(OverLimit, match=r"\$8.00 are spent"):
        case.submit("b", usd=3)


def test_a_new_month_begins_with_nothing_spent() -> None:
    case = Case(usd_per_month=10)
    before = timestamp(NOW.replace(day=1) - timedelta(days=1))
    old = Claim(1, before, 9.0, 0.0)
    case.study("a")
    case.accounts.by_owner[ANNA] = Account(3, before[:7], 10.0, {"a": old})
    case.submit("b", usd=9)
    case.becomes("a", StudyStatus.COMPLETED, cost_usd=9.0)
    case.submit("c", usd=1)


def test_only_what_the_further_attempt_costs_is_added() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=4)
    case.becomes("a", StudyStatus.PARTIAL, cost_usd=4.0)
    case.limits.claim(case.records.by_name["a"], 2.0, attempt=2)
    case.becomes("a", StudyStatus.COMPLETED, attempt=2, cost_usd=6.0)
    case.submit("b", usd=4)
    with pytest.raises(OverLimit):
        case.submit("c", usd=0.5)


@pytest.mark.parametrize(("budget", "expected"), [(None, None), (0.001, 0.001)])
def test_a_study_is_not_expected_to_cost_more_than_its_budget(budget: float | None, expected: float | None) -> None:
    options = {} if budget is None else {"max_cost_usd": budget}
    study = Study.model_validate({"models": ["a.idf"], "weather": ["b.epw"], "name": "A", "options": options})
    cost_usd = expected_cost_usd(study, {"a.idf": RunTime(1000.0, "assumed")}, 1769)
    assert cost_usd == expected if expected else cost_usd > 0.02
    assert expected_cost_usd(study, {"a.idf": RunTime(1000.0, "assumed")}, 1769, part=0.0) == 0


# --- a budget that changes


def test_a_raised_budget_reserves_what_the_study_is_expected_to_cost_then() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=3)
    case.limits.change(case.records.by_name["a"], 7.0)
    with pytest.raises(OverLimit, match=r"\$7.00 reserved"):
        case.submit("b", usd=4)
    case.submit("c", usd=3)


def test_a_lowered_budget_gives_back_what_was_reserved() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=8)
    case.limits.change(case.records.by_name["a"], 2.0)
    case.submit("b", usd=8)


def test_a_budget_is_not_raised_above_what_its_owner_may_spend() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=3)
    case.submit("b", usd=5)
    with pytest.raises(OverLimit, match=r"\$5.00 reserved") as refused:
        case.limits.change(case.records.by_name["a"], 6.0)
    assert "at most $5.00" in refused.value.problems[0].allowed
    assert case.accounts.read(ANNA).claims["a"].reserved_usd == 3
    case.limits.change(case.records.by_name["a"], 5.0)


def test_a_budget_raised_while_another_study_is_submitted_sees_it() -> None:
    case = Case(usd_per_month=10)
    case.submit("a", usd=3)
    case.accounts.before_write = lambda: case.submit("b", usd=5)
    with pytest.raises(OverLimit):
        case.limits.change(case.records.by_name["a"], 6.0)


def test_a_study_without_a_claim_gets_none_by_a_change() -> None:
    case = Case(usd_per_month=10)
    case.limits.change(case.study("canary"), 6.0)
    assert case.accounts.read(ANNA).claims == {}


def manifest(**changes: Any) -> RunManifest:
    study = Study.model_validate({"models": ["a.idf"], "weather": ["b.epw"], "name": "A"})
    ref = ObjectRef(bucket="b", key="a.idf", version_id="1", sha256="hash of a", bytes=1)
    values = {"simulation_id": "s", "created_at": NOW, "study": study, "inputs": {"a.idf": ref}, "variants": 1}
    values |= {"source": Source(bucket="b", key="study.json", version_id="1"), "external_files": {}}
    values |= {"engine_version": "25.2.0", "image_id": "i", "code_version": "0", "extraction_version": 1}
    return RunManifest.model_validate(values | changes)


def test_a_model_that_never_ran_takes_what_was_assumed_when_it_was_accepted() -> None:
    accepted = manifest(assumed_run_times_s={"a.idf": 31.0})
    assert run_times_of(accepted, lambda _: None) == {"a.idf": RunTime(31.0, "assumed")}
    assert run_times_of(accepted, {"hash of a": 7.0}.get) == {"a.idf": RunTime(7.0, "measured")}
    assert run_times_of(manifest(), lambda _: None)["a.idf"].engine_seconds > 0


@pytest.mark.parametrize(
    ("budget", "part", "spent", "expected"),
    [
        (None, 1.0, 0.0, 1.0),
        (None, 0.5, 0.0, 0.5),
        (0.001, 1.0, 0.0, None),
        (None, 1.0, 3.0, None),
        (2.0, 1.0, 3.0, None),
    ],
)
def test_an_attempt_costs_what_is_estimated_or_spent_within_the_budget_it_has_now(
    budget: float | None, part: float, spent: float, expected: float | None
) -> None:
    run_times = {"a.idf": RunTime(1000.0, "assumed")}
    whole = expected_cost_usd(manifest().study, run_times, 1769)
    cost_usd = expected_attempt_usd(manifest(), run_times, 1769, budget, part=part, spent_usd=spent)
    assert cost_usd == (whole * expected if expected else budget or spent)
