"""The configuration of a deployment: infra.config."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from epsm.study.schema import MAX_VARIANTS
from infra.config import Config, ConfigError
from infra.tools.synth import SynthesisFailed, run_app
from tests.infra.conftest import OTHER_CHOICES, Template

ROLE = "arn:aws:iam::123456789012:role/Modellers"
SESSION = "arn:aws:sts::123456789012:assumed-role/Modellers/anna"
DIGEST = "sha256:" + "0" * 64


def test_audiences_may_be_written_with_spaces() -> None:
    assert Config(jwt_issuer="https://login", jwt_audience="one, two").jwt_audiences == ["one", "two"]


def test_values_are_texts_on_the_command_line_and_typed_in_cdk_json() -> None:
    assert Config.from_values(OTHER_CHOICES).memory_mb == 3008
    typed: dict[str, Any] = {"memory_mb": 3008, "fargate": True, "missing_file_grace_s": 5}
    assert Config.from_values(typed) == Config(memory_mb=3008, fargate=True, missing_file_grace_s=5.0)


def test_keys_of_the_cdk_itself_are_left_alone() -> None:
    keys = {"@aws-cdk/core:checkSecretUsage": True, "aws:cdk:enable-path-metadata": True, "vpc-provider:account=1": {}}
    assert Config.from_values(keys) == Config()


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("memory_mb", "20000", "20,000 is not between 512 and 10,240"),
        ("memory_mb", "128", "not between 512"),
        ("memory_mb", "1769.5", "'1769.5' is not a whole number"),
        ("memory_mb", True, "'true' is not a whole number"),
        ("memory_mb", None, "'null' is not a whole number"),
        ("memory_mb", "", "'' is not a whole number"),
        ("max_variants", "0", "not between 1 and"),
        ("max_variants", str(MAX_VARIANTS + 1), "not between 1 and"),
        ("reserved_concurrency", "-1", "not between 0"),
        (
            "reserved_concurrency",
            "901",
            "901 is more than 900, the most that Lambda reserves of 1000; account_concurrency",
        ),
        ("account_concurrency", "0", "not between 1"),
        ("missing_file_grace_s", "nan", "not a number"),
        ("missing_file_grace_s", "61", "not between 0 and 60"),
        ("log_retention_days", "31", "31 is not one of CloudWatch's steps: 1, 3, 5"),
        ("noncurrent_days", "39", "not between 40"),
        ("api_requests_per_s", "0", "not between 1"),
        ("canary_every_hours", "25", "not between 0 and 24"),
        ("keep_data", "yes", "neither true nor false"),
        ("stage", "", "does not fit into the names of resources"),
        ("stage", "my stage", "letters, digits and hyphens"),
        ("stage", "-prod", "letters, digits and hyphens"),
        ("stage", "x" * 48, "1 to 47"),
        ("stage", 3, "3 is not a text"),
        ("notify_email", "anna@example", "not one e-mail address"),
        ("notify_email", "anna@example.org, bob@example.org", "not one e-mail address"),
        ("jwt_issuer", "https://login", "needs jwt_audience"),
        ("jwt_issuer", "http://login", "begins with https://"),
        ("jwt_audience", "web", "no effect without jwt_issuer"),
        ("administrators", "admins", "groups need jwt_issuer"),
        ("administrators", SESSION, "is not such an ARN"),
        ("owner_max_running_studies", "-1", "not between 0 and 1,000"),
        ("owner_max_running_studies", "many", "not a whole number"),
        ("owner_max_usd_per_month", "-5", "not between 0"),
        ("owner_max_usd_per_month", "inf", "not a number"),
        ("bucket_owner", "anna", "is not an owner"),
        ("bucket_owner", f"iam:{SESSION}", "can choose this session name; name the role"),
        ("trusted_session_roles", SESSION, "is not the ARN of an IAM role"),
        ("trusted_session_roles", "Modellers", "is not the ARN of an IAM role"),
        ("base_image", "python:3.13-slim-trixie", "has no digest"),
        ("memroy_mb", "3008", "unknown key; did you mean 'memory_mb'?"),
        ("Stage", "prod", "did you mean 'stage'?"),
        ("zzz", "1", "unknown key"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_before_anything_is_deployed(key: str, value: object, reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Config.from_values({key: value})
    assert any(fault.startswith(f"context {key}: ") and reason in fault for fault in refused.value.faults)


@pytest.mark.parametrize(
    "context",
    [
        {"stage": "x" * 47},
        {"log_retention_days": "400"},
        {"reserved_concurrency": "2900", "account_concurrency": "3000"},
        {"account_concurrency": "10"},
        {"administrators": f"{ROLE}, arn:aws-us-gov:iam::123456789012:user/team/anna"},
        {"administrators": "HVAC admins, admins", "jwt_issuer": "https://login/pool", "jwt_audience": "web"},
        {"bucket_owner": f"iam:{ROLE}"},
        {"bucket_owner": f"iam:{SESSION}", "trusted_session_roles": ROLE},
        {"bucket_owner": f"iam:{SESSION.replace('Modellers', 'AWSReservedSSO_Modellers_0123456789abcdef')}"},
        {"bucket_owner": "jwt:https://login/pool#anna"},
        {"notify_email": "anna.b+epsm@mail.example.org"},
        {"base_image": f"public.ecr.aws/docker/library/python:3.13-slim-trixie@{DIGEST}"},
    ],
)
def test_a_value_that_fits_is_taken(context: dict[str, str]) -> None:
    Config.from_values(context)


def test_the_owner_of_uploads_is_named_as_the_api_names_its_callers() -> None:
    with_path = "iam:arn:aws:iam::123456789012:role/teams/Modellers"
    assert Config(bucket_owner=with_path).owner_of_uploads == f"iam:{ROLE}"
    assert Config(bucket_owner="jwt:https://login#anna").owner_of_uploads == "jwt:https://login#anna"


def test_session_names_are_of_no_use_where_tokens_say_who_calls() -> None:
    with pytest.raises(ConfigError, match="trusted_session_roles: has no effect with jwt_issuer"):
        Config(jwt_issuer="https://login", jwt_audience="web", trusted_session_roles=ROLE)


def test_every_fault_is_reported_at_once() -> None:
    given = {"memory_mb": "20000", "max_variants": "none", "stage": "", "memroy_mb": "1", "notify_email": "anna"}
    with pytest.raises(ConfigError) as refused:
        Config.from_values(given)
    assert {fault.split(":")[0].removeprefix("context ") for fault in refused.value.faults} == set(given)


def test_the_longest_stage_gives_names_that_lambda_takes(template: Template) -> None:
    longest = max(
        len(each["Properties"]["FunctionName"]) for each in template.of_type("AWS::Lambda::Function").values()
    )
    assert longest - len("local") + 47 <= 64


def test_the_app_says_what_is_wrong_in_plain_lines(tmp_path: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_app(tmp_path, {"memory_mb": "20000", "stag": "prod"}, validate=False)
    said = capfd.readouterr().err
    assert "context memory_mb: 20,000" in said
    assert "context stag: unknown key; did you mean 'stage'?" in said
    assert "Traceback" not in said


def test_the_app_needs_no_home_folder_that_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of a container often has no entry in passwd; /dev/null is no folder for root either."""
    monkeypatch.setenv("HOME", "/dev/null/home")
    run_app(tmp_path, validate=False, quiet=True)
    assert (tmp_path / "manifest.json").is_file()


def test_what_a_quiet_app_said_is_kept_for_the_report(tmp_path: Path) -> None:
    with pytest.raises(SynthesisFailed, match="stag") as failed:
        run_app(tmp_path, {"stag": "prod"}, validate=False, quiet=True)
    assert failed.value.__notes__
