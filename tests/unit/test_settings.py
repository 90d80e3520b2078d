"""Settings: what a function reads from its environment."""

import pytest
from pydantic import ValidationError

from epsm.settings import Settings

NEEDED = {"INPUTS_BUCKET": "in", "RESULTS_BUCKET": "out", "TABLE_NAME": "records"}


def test_each_setting_comes_from_the_variable_of_its_name_in_capitals() -> None:
    settings = Settings.from_environment(
        NEEDED
        | {
            "STATE_MACHINE_ARN": "arn:x",
            "AGGREGATE_FUNCTION": "collector",
            "MAX_VARIANTS": "500",
            "LONGEST_RUN_S": "86400",
            "MISSING_FILE_GRACE_S": "2.5",
            "IMAGE_ID": "sha256:1",
        }
    )
    given = {
        "inputs_bucket": "in",
        "results_bucket": "out",
        "table_name": "records",
        "state_machine_arn": "arn:x",
        "aggregate_function": "collector",
        "max_variants": 500,
        "longest_run_s": 86_400,
        "missing_file_grace_s": 2.5,
        "image_id": "sha256:1",
    }
    assert settings.model_dump(include=set(given)) == given


def test_what_a_function_does_not_need_has_a_default() -> None:
    settings = Settings.from_environment(NEEDED)
    assert (settings.state_machine_arn, settings.max_variants) == ("", 1_000_000)
    assert (settings.missing_file_grace_s, settings.image_id) == (10.0, "unknown")
    assert settings.longest_run_s == 840, "a stack without Fargate"
    assert not settings.limits.containers


def test_a_stack_with_vcpus_of_fargate_has_containers() -> None:
    assert Settings.from_environment(NEEDED | {"FARGATE_VCPUS": "6"}).limits.containers


@pytest.mark.parametrize("missing", sorted(NEEDED))
def test_a_missing_variable_is_named(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing.lower()):
        Settings.from_environment({name: value for name, value in NEEDED.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_VARIANTS", "many"), ("MAX_VARIANTS", ""), ("MISSING_FILE_GRACE_S", "soon")]
)
def test_a_variable_that_is_no_number_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name.lower()):
        Settings.from_environment(NEEDED | {name: value})


def test_other_variables_are_ignored() -> None:
    Settings.from_environment(NEEDED | {"PATH": "/bin", "inputs_bucket": "lower case"})


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment().inputs_bucket == "in"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings.from_environment(NEEDED).table_name = "other"  # type: ignore[misc]
