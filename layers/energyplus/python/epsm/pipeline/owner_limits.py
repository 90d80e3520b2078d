"""Limits of one owner: studies running at a time, and spending in a month.

A study counts from its submission until it has ended, and reserves its expected cost. Reservations are not released
when a study ends: the owner's next submission checks which claimed studies have ended and books their actual cost. The
account is written with a version check (optimistic locking), so of two concurrent submissions the second sees the
first.

The cost of a study counts in the month (UTC) of its submission. A study that costs more than expected is not stopped;
the excess reduces what is left for the next.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast

from epsm.errors import OverLimit
from epsm.estimate import RunTime, estimate, in_usd
from epsm.problems import Problem
from epsm.settings import Allowance
from epsm.store.accounts import Account, Claim
from epsm.store.records import Records
from epsm.study.manifest import RunManifest
from epsm.study.records import StudyRecord, timestamp
from epsm.study.schema import MANIFEST_NAME, Study

_MAX_ATTEMPTS = 20
_TIME_TO_REOPEN = timedelta(minutes=10)
"""A claim for a further attempt is made before the study is reopened."""


class AccountStore(Protocol):
    """An `epsm.store.accounts.Accounts`."""

    def read(self, owner: str) -> Account: ...
    def write(self, owner: str, account: Account) -> bool: ...


class _NoAccounts:
    """A store without items, for stacks without limits."""

    def read(self, owner: str) -> Account:
        raise AssertionError("there are no limits")

    def write(self, owner: str, account: Account) -> bool:
        raise AssertionError("there are no limits")


class OwnerLimits:
    """Holds owners to their limits.

    Args:
        accounts: The owners' accounts.
        records: The records of studies, with their status and cost.
        allowance: The limits of each owner.
    """

    def __init__(self, accounts: AccountStore, records: Records, allowance: Allowance) -> None:
        self._accounts = accounts
        self._records = records
        self._allowance = allowance

    @property
    def any(self) -> bool:
        """Whether there is any limit."""
        return bool(self._allowance.running_studies or self._allowance.usd_per_month)

    def check(self, owner: str, expected_usd: float) -> None:
        """Check whether one more study would be accepted now, without claiming anything.

        Raises:
            OverLimit: If it would not.
        """
        if self.any:
            self._refuse(self._settled(self._accounts.read(owner)), expected_usd)

    def claim(self, record: StudyRecord, expected_usd: float, attempt: int = 1) -> None:
        """Count a study against its owner's limits until it has ended. A repetition changes nothing.

        Args:
            record: The study.
            expected_usd: Expected cost of this attempt.
            attempt: The attempt that is about to run.

        Raises:
            OverLimit: If that exceeds the owner's limits; nothing is claimed.
        """
        if not self.any:
            return
        for _ in range(_MAX_ATTEMPTS):
            account = self._settled(self._accounts.read(record.owner))
            if record.simulation_id in account.claims:
                return
            try:
                self._refuse(account, expected_usd)
            except OverLimit:
                self._accounts.write(record.owner, account)
                raise
            made = Claim(attempt, timestamp(datetime.now(UTC)), expected_usd, record.cost_usd)
            claims = {**account.claims, record.simulation_id: made}
            if self._accounts.write(record.owner, replace(account, claims=claims)):
                return
        raise RuntimeError("too many concurrent submissions by one owner")

    def change(self, record: StudyRecord, expected_usd: float) -> None:
        """Reserve another amount for a study that has not ended, because its budget changes.

        A study without a claim (a canary, one that has ended or began without limits) gets none.

        Args:
            record: The study.
            expected_usd: Expected cost of its current attempt, including the cost so far.

        Raises:
            OverLimit: If that exceeds its owner's monthly limit; nothing is changed.
        """
        if not self._allowance.usd_per_month:
            return
        for _ in range(_MAX_ATTEMPTS):
            account = self._settled(self._accounts.read(record.owner))
            claim = account.claims.get(record.simulation_id)
            if claim is None:
                return
            if expected_usd > claim.reserved_usd and claim.month == account.month:
                others = {name: claim for name, claim in account.claims.items() if name != record.simulation_id}
                self._refuse_cost(replace(account, claims=others), expected_usd)
            claims = {**account.claims, record.simulation_id: replace(claim, reserved_usd=expected_usd)}
            if self._accounts.write(record.owner, replace(account, claims=claims)):
                return
        raise RuntimeError("too many concurrent submissions by one owner")

    def settle(self, owner: str) -> None:
        """Book the cost of an owner's ended studies now: one of them is about to be removed, and its record with it."""
        if not self.any:
            return
        for _ in range(_MAX_ATTEMPTS):
            account = self._accounts.read(owner)
            settled = self._settled(account)
            if settled.claims == account.claims or self._accounts.write(owner, settled):
                return
        raise RuntimeError("too many concurrent submissions by one owner")

    def _settled(self, account: Account) -> Account:
        """The account as of now: a new month begins with nothing spent, ended studies are booked."""
        month = timestamp(datetime.now(UTC))[:7]
        spent_usd = account.spent_usd if account.month == month else 0.0
        claims = {}
        for name, claim in account.claims.items():
            cost_usd = self._final_cost(name, claim)
            if cost_usd is None:
                claims[name] = claim
            elif claim.month == month:
                spent_usd += cost_usd
        return replace(account, month=month, spent_usd=spent_usd, claims=claims)

    def _final_cost(self, simulation: str, claim: Claim) -> float | None:
        """Cost of a claimed attempt; None while it has not ended."""
        record = self._records.study_including_removed(simulation)
        if record is None:
            return claim.reserved_usd  # it was removed, and its costs with it
        if record.attempt < claim.attempt:
            waiting = datetime.now(UTC) - datetime.fromisoformat(claim.made_at) < _TIME_TO_REOPEN
            return None if waiting else 0.0
        return max(0.0, record.cost_usd - claim.cost_before_usd) if record.status.final else None

    def _refuse(self, account: Account, expected_usd: float) -> None:
        allowance, running = self._allowance, len(account.claims)
        problems = []
        if allowance.running_studies and running >= allowance.running_studies:
            fault = f"exceeds your limit: {running} of your studies have not ended"
            allowed = f"at most {allowance.running_studies} at a time on this stack; wait for one, or cancel it"
            problems.append(Problem(MANIFEST_NAME, fault, allowed))
        problems += self._cost_problems(account, expected_usd)
        if problems:
            raise OverLimit(problems)

    def _refuse_cost(self, account: Account, expected_usd: float) -> None:
        if problems := self._cost_problems(account, expected_usd):
            raise OverLimit(problems)

    def _cost_problems(self, account: Account, expected_usd: float) -> list[Problem]:
        allowance = self._allowance
        if not allowance.usd_per_month:
            return []
        reserved_usd = sum(claim.reserved_usd for claim in account.claims.values() if claim.month == account.month)
        left_usd = allowance.usd_per_month - account.spent_usd - reserved_usd
        if expected_usd <= left_usd and left_usd > 0:
            return []
        return [_too_expensive(allowance, account, reserved_usd, expected_usd, left_usd)]


NO_LIMITS = OwnerLimits(_NoAccounts(), Records(cast(Any, None)), Allowance())
"""For stacks without limits."""


def _too_expensive(
    allowance: Allowance, account: Account, reserved_usd: float, expected_usd: float, left_usd: float
) -> Problem:
    fault = (
        f"the study is expected to cost {in_usd(expected_usd)}; of {in_usd(allowance.usd_per_month)} for "
        f"{account.month} (UTC) {in_usd(account.spent_usd)} are spent, and {in_usd(reserved_usd)} reserved for studies "
        "that have not ended"
    )
    rest = max(0.0, left_usd)
    allowed = f"at most {in_usd(rest)}" + ("; a max_cost_usd of that is accepted" if rest >= 0.01 else "")
    return Problem(f"{MANIFEST_NAME}: options.max_cost_usd", fault, allowed)


def expected_cost_usd(study: Study, run_times: Mapping[str, RunTime], memory_mb: int, part: float = 1.0) -> float:
    """Expected cost of a study: the estimate, but at most its own budget.

    Args:
        study: The study.
        run_times: For each of its models.
        memory_mb: Memory of the function that runs a variant.
        part: Fraction of its variants that will run.
    """
    cost_usd = part * estimate(study, run_times, memory_mb=memory_mb, capacity=1).cost_usd
    budget_usd = study.options.max_cost_usd
    return cost_usd if budget_usd is None else min(cost_usd, budget_usd)


def expected_attempt_usd(
    manifest: RunManifest,
    run_times: Mapping[str, RunTime],
    memory_mb: int,
    budget_usd: float | None,
    *,
    part: float,
    spent_usd: float = 0.0,
) -> float:
    """Expected cost of an attempt of an accepted study, with its current budget.

    Args:
        manifest: The study's.
        run_times: For each of its models.
        memory_mb: Memory of the function that runs a variant.
        budget_usd: Its max_cost_usd, which may have been changed since it was accepted; None for none.
        part: Fraction of its variants that run in this attempt.
        spent_usd: Cost of the attempt so far; returned if it exceeds the estimate.
    """
    study = manifest.study
    without_budget = study.model_copy(update={"options": study.options.model_copy(update={"max_cost_usd": None})})
    cost_usd = max(expected_cost_usd(without_budget, run_times, memory_mb, part), spent_usd)
    return cost_usd if budget_usd is None else min(cost_usd, budget_usd)
