"""Callers of the API, and the studies that belong to them: epsm.api.access."""

import base64
import json
from typing import Any

import pytest

from epsm.api.access import Caller, Unknown, caller_of
from epsm.study.records import StudyRecord, StudyStatus

ANNA = "arn:aws:iam::123456789012:user/anna"
ISSUER = "https://issuer.example"


def iam(arn: Any) -> dict[str, Any]:
    return {"authorizer": {"iam": {"userArn": arn}}}


def token(**claims: Any) -> dict[str, Any]:
    return {"authorizer": {"jwt": {"claims": {"iss": ISSUER, "sub": "anna", **claims}}}}


def record(owner: str) -> StudyRecord:
    return StudyRecord("study-1", "Study", StudyStatus.RUNNING, "2026-01-01T00:00:00.000Z", owner=owner)


def test_an_iam_caller_is_called_by_the_arn() -> None:
    assert caller_of(iam(ANNA), []) == Caller(f"iam:{ANNA}")


def test_a_token_holder_is_called_by_issuer_and_subject() -> None:
    assert caller_of(token(), []) == Caller(f"jwt:{ISSUER}#anna")


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"authorizer": None},
        {"authorizer": {}},
        {"authorizer": {"iam": None, "jwt": None}},
        iam(None),
        iam(""),
        {"authorizer": {"jwt": {"claims": None}}},
        token(iss=""),
        token(sub=""),
        {"authorizer": {"jwt": {"claims": {"sub": "anna"}}}},
        {"authorizer": {"jwt": {"claims": {"iss": ISSUER, "cognito:groups": "[admins]"}}}},
    ],
)
def test_a_request_that_does_not_say_who_calls_is_nobodys(context: dict[str, Any]) -> None:
    with pytest.raises(Unknown):
        caller_of(context, ["admins"])


def test_the_same_subject_of_another_issuer_is_somebody_else() -> None:
    assert caller_of(token(iss="https://other.example"), []) != caller_of(token(), [])


def test_a_token_cannot_take_the_name_of_an_iam_user() -> None:
    assert caller_of(token(sub=ANNA), []) != caller_of(iam(ANNA), [])


def test_a_user_can_be_an_administrator() -> None:
    assert caller_of(iam(ANNA), [ANNA]).administrator


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_session_of_an_administrators_role_is_an_administrator(partition: str) -> None:
    session = f"arn:{partition}:sts::123456789012:assumed-role/Admins/anna@example.org"
    assert caller_of(iam(session), [f"arn:{partition}:iam::123456789012:role/Admins"]).administrator


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::999999999999:assumed-role/Admins/anna",
        "arn:aws-cn:sts::123456789012:assumed-role/Admins/anna",
        "arn:aws:sts::123456789012:assumed-role/Admins2/anna",
        "arn:aws:sts::123456789012:assumed-role/Guests/Admins",
        "arn:aws:iam::123456789012:user/x:assumed-role/Admins/anna",
        "arn:aws:iam::123456789012:user/Admins",
    ],
)
def test_an_arn_that_only_looks_like_an_administrators_is_none(arn: str) -> None:
    assert not caller_of(iam(arn), ["arn:aws:iam::123456789012:role/Admins"]).administrator


ROLE = "arn:aws:iam::123456789012:role/Modellers"
IDENTITY_CENTER_ROLE = "AWSReservedSSO_Modellers_0123456789abcdef"


def session(name: str, role: str = "Modellers") -> dict[str, Any]:
    return iam(f"arn:aws:sts::123456789012:assumed-role/{role}/{name}")


def test_a_session_name_that_can_be_chosen_does_not_say_who_calls() -> None:
    assert caller_of(session("anna"), []) == caller_of(session("ben"), []) == Caller(f"iam:{ROLE}")


@pytest.mark.parametrize("role", [ROLE, "arn:aws:iam::123456789012:role/teams/energy/Modellers"])
def test_sessions_of_a_role_whose_trust_policy_demands_their_names_are_different_callers(role: str) -> None:
    anna, ben = (caller_of(session(who), [], trusted_session_roles=[role]) for who in ("anna", "ben"))
    assert anna == Caller("iam:arn:aws:sts::123456789012:assumed-role/Modellers/anna")
    assert anna != ben


@pytest.mark.parametrize("role", ["arn:aws:iam::999999999999:role/Modellers", "arn:aws:iam::123456789012:role/Model"])
def test_another_role_of_a_like_name_is_not_trusted(role: str) -> None:
    assert caller_of(session("anna"), [], trusted_session_roles=[role]) == Caller(f"iam:{ROLE}")


def test_users_of_identity_center_are_different_callers() -> None:
    anna, ben = (caller_of(session(f"{who}@example.org", IDENTITY_CENTER_ROLE), []) for who in ("anna", "ben"))
    assert anna != ben


@pytest.mark.parametrize("role", ["AWSReservedSSO_Modellers", "MyAWSReservedSSO_Modellers_0123456789abcdef"])
def test_a_role_named_almost_like_one_of_identity_center_is_not_trusted(role: str) -> None:
    assert caller_of(session("anna", role), []) == caller_of(session("ben", role), [])


def test_federated_users_whose_names_can_be_chosen_are_one_caller() -> None:
    anna, ben = (caller_of(iam(f"arn:aws:sts::123456789012:federated-user/{who}"), []) for who in ("anna", "ben"))
    assert anna == ben
    assert anna != caller_of(iam(ANNA), [])


@pytest.mark.parametrize("path", ["", "teams/energy/", "aws-reserved/sso.amazonaws.com/eu-central-1/"])
def test_the_path_of_an_administrators_role_is_in_none_of_its_sessions(path: str) -> None:
    role = f"arn:aws:iam::123456789012:role/{path}Admins"
    assert caller_of(session("anna", "Admins"), [role]).administrator
    assert not caller_of(session("anna", "teams"), [role]).administrator


def test_the_path_of_an_administrator_who_is_a_user_counts() -> None:
    assert not caller_of(iam(ANNA), ["arn:aws:iam::123456789012:user/admins/anna"]).administrator


def test_a_study_that_was_a_sessions_before_is_its_roles_now() -> None:
    older = record("iam:arn:aws:sts::123456789012:assumed-role/Modellers/anna")
    assert caller_of(session("ben"), []).may_use(older)
    assert not caller_of(session("anna", "Guests"), []).may_use(older)
    assert not caller_of(iam(ANNA), []).may_use(older)


def test_a_study_that_was_a_sessions_before_stays_its_own_where_its_name_is_true() -> None:
    older = record("iam:arn:aws:sts::123456789012:assumed-role/Modellers/anna")
    assert caller_of(session("anna"), [], trusted_session_roles=[ROLE]).may_use(older)
    assert not caller_of(session("ben"), [], trusted_session_roles=[ROLE]).may_use(older)


def test_a_study_of_the_whole_role_is_no_single_sessions() -> None:
    assert not caller_of(session("anna"), [], trusted_session_roles=[ROLE]).may_use(record(f"iam:{ROLE}"))


@pytest.mark.parametrize("claim", ["cognito:groups", "groups", "roles"])
@pytest.mark.parametrize("value", ["admins", "[admins]", ["guests", "admins"]])
def test_a_group_in_a_token_can_make_an_administrator(claim: str, value: Any) -> None:
    assert caller_of(token(**{claim: value}), ["admins"]).administrator


@pytest.mark.parametrize("value", [None, "", "[]", [], "administrators", "[admins2 notadmins]", ["Admins"], [1]])
def test_another_group_makes_no_administrator(value: Any) -> None:
    assert not caller_of(token(groups=value), ["admins"]).administrator


@pytest.mark.parametrize("claim", ["scope", "sub", "email", "group"])
def test_no_other_claim_makes_an_administrator(claim: str) -> None:
    assert not caller_of(token(**{claim: "admins"}), ["admins"]).administrator


def test_nobody_is_an_administrator_where_none_is_named() -> None:
    assert not caller_of(token(groups="[admins]"), []).administrator


def test_a_study_is_its_owners() -> None:
    assert Caller("jwt:i#anna").may_use(record("jwt:i#anna"))


def test_a_study_is_not_somebody_elses() -> None:
    assert not Caller("jwt:i#ann").may_use(record("jwt:i#anna"))


def test_a_study_without_an_owner_is_not_a_callers_without_a_name() -> None:
    assert not Caller("").may_use(record(""))


@pytest.mark.parametrize("owner", ["", "jwt:i#anna"])
def test_every_study_is_an_administrators(owner: str) -> None:
    assert Caller("jwt:i#root", administrator=True).may_use(record(owner))


def header(**claims: Any) -> str:
    parts = (json.dumps(each).encode() for each in ({"alg": "RS256"}, {"iss": ISSUER, "sub": "anna", **claims}))
    return "Bearer " + ".".join([*(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts), "c2ln"])


@pytest.mark.parametrize("groups", [["HVAC admins"], ["admins of HVAC", "HVAC"]])
@pytest.mark.parametrize("has_header", [True, False])
def test_a_group_with_blanks_in_its_name_is_not_the_group_of_one_of_its_words(
    groups: list[str], has_header: bool
) -> None:
    claim = f"[{' '.join(groups)}]"
    authorization = header(groups=groups) if has_header else ""
    assert not caller_of(token(groups=claim), ["admins"], authorization).administrator


def test_two_groups_are_not_one_whose_name_is_both() -> None:
    groups = ["HVAC", "admins"]
    assert not caller_of(token(groups="[HVAC admins]"), ["HVAC admins"], header(groups=groups)).administrator
    assert caller_of(token(groups="[HVAC admins]"), ["admins"], header(groups=groups)).administrator


@pytest.mark.parametrize("subject", ["a", "an", "ann", "anna"], ids=len)
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer  ", ""])
def test_a_group_with_blanks_in_its_name_is_known_from_the_token(scheme: str, subject: str) -> None:
    authorization = header(groups=["HVAC admins"], sub=subject).replace("Bearer ", scheme)
    assert caller_of(token(groups="[HVAC admins]"), ["HVAC admins"], authorization).administrator


def test_a_token_has_no_letters_beyond_ascii() -> None:
    authorization = header(groups=["HVAC admins"]) + "ä"
    assert not caller_of(token(groups="[HVAC admins]"), ["HVAC admins"], authorization).administrator


@pytest.mark.parametrize(
    "authorization", ["Bearer x.y.z", "Bearer a.e30.b,Bearer c.e30.d", "Bearer", header(groups=["admins"])]
)
def test_a_header_that_does_not_say_what_was_verified_counts_for_nothing(authorization: str) -> None:
    assert not caller_of(token(groups="[HVAC users]"), ["admins", "users"], authorization).administrator
