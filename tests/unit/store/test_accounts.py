"""Accounts of owners in the table: written only if unchanged since they were read."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.store.accounts import Account, Accounts, Claim

CLAIM = Claim(attempt=2, made_at="2026-11-27T10:00:00.000Z", reserved_usd=1.25, cost_before_usd=0.1)


def test_an_owner_without_an_account_has_an_empty_one(accounts: Accounts) -> None:
    assert accounts.read("anna") == Account(0, "", 0.0, {})


def test_an_account_comes_back_as_it_was_written_with_the_next_version(accounts: Accounts) -> None:
    account = Account(month="2026-11", spent_usd=0.1 + 0.2, claims={"office-1": CLAIM})

    assert accounts.write("anna", account)

    assert accounts.read("anna") == replace(account, version=1, spent_usd=0.3)
    assert accounts.read("bert") == Account()


def test_of_two_that_read_the_same_account_the_second_writes_nothing(accounts: Accounts) -> None:
    accounts.write("anna", Account(spent_usd=1.0))
    first, second = accounts.read("anna"), accounts.read("anna")

    assert accounts.write("anna", replace(first, spent_usd=2.0))
    assert not accounts.write("anna", replace(second, spent_usd=9.0))

    assert (accounts.read("anna").spent_usd, accounts.read("anna").version) == (2.0, 2)


def test_of_two_that_found_no_account_the_second_writes_nothing(accounts: Accounts) -> None:
    assert accounts.write("anna", Account(spent_usd=1.0))
    assert not accounts.write("anna", Account(spent_usd=9.0))

    assert accounts.read("anna").spent_usd == 1.0


def test_a_claim_counts_in_the_month_that_it_was_made() -> None:
    assert CLAIM.month == "2026-11"


def test_the_name_of_an_owner_is_not_in_the_table(table: Any, accounts: Accounts) -> None:
    accounts.write("anna@example.org", Account(claims={"office-1": CLAIM}))

    assert "anna" not in str(table.scan()["Items"])


def test_a_fault_that_is_no_condition_is_not_swallowed(table: Any, accounts: Accounts) -> None:
    table.delete()

    with pytest.raises(ClientError, match="ResourceNotFound"):
        accounts.write("anna", Account())
