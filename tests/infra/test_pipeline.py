"""Trigger, state machine and notifications as they are deployed."""

import json
import re
from typing import Any

import pytest

from epsm.pipeline.items import item_of
from epsm.store import keys
from epsm.study.preflight import MAX_TRIED_PAIRS
from epsm.study.variants import Variant
from infra.tools.check import lint_definition
from infra.tools.packaging import ROOT
from tests.infra.conftest import Template


def state(template: Template, name: str) -> dict[str, Any]:
    states = template.machine["States"]
    for map_state in ("Run variants", "Try models"):
        if name not in states:
            states = {**states, **template.machine["States"][map_state]["ItemProcessor"]["States"]}
    return dict(states[name])


def states_of(map_state: dict[str, Any]) -> dict[str, Any]:
    processor = map_state.get("ItemProcessor") or map_state["Iterator"]
    return dict(processor["States"])


def key_of(task: dict[str, Any], data: dict[str, Any]) -> dict[str, str]:
    """The key of a task of DynamoDB for the state's input."""

    def value(path: str) -> str:
        found: Any = data
        for name in path.removeprefix("$.").split("."):
            found = found[name]
        return str(found)

    def text(expression: str) -> str:
        if called := re.fullmatch(r"States\.Format\('([^']*)', (.*)\)", expression):
            return called[1].format(*map(value, called[2].split(", ")))
        return value(expression)

    key = task["Parameters"]["Key"]
    return {name: text(typed["S.$"]) if "S.$" in typed else typed["S"] for name, typed in key.items()}


def retried(template: Template, name: str) -> dict[str, dict[str, Any]]:
    """Retrier by error name."""
    return {error: retrier for retrier in state(template, name)["Retry"] for error in retrier["ErrorEquals"]}


def test_only_a_file_called_study_json_starts_a_study(template: Template) -> None:
    detail = template.only("AWS::Events::Rule", "StudyUploaded")["EventPattern"]["detail"]
    assert detail["object"]["key"] == ["study.json", {"suffix": "/study.json"}]


def test_only_the_inputs_bucket_starts_a_study(template: Template) -> None:
    (bucket,) = template.only("AWS::Events::Rule", "StudyUploaded")["EventPattern"]["detail"]["bucket"]["name"]
    assert "Inputs" in bucket["Ref"]


def test_an_event_that_cannot_be_delivered_is_kept(template: Template) -> None:
    (target,) = template.only("AWS::Events::Rule", "StudyUploaded")["Targets"]
    assert "LostStudies" in json.dumps(target["DeadLetterConfig"])


def test_an_event_that_submit_cannot_handle_is_kept(template: Template) -> None:
    config = template.only("AWS::Lambda::EventInvokeConfig", "Submit")
    assert config["MaximumRetryAttempts"] == 2
    assert "LostStudies" in json.dumps(config["DestinationConfig"]["OnFailure"])


def test_lost_events_are_kept_for_two_weeks(template: Template) -> None:
    assert template.only("AWS::SQS::Queue", "LostStudies")["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_the_machine_is_standard_and_traced(template: Template) -> None:
    machine = template.only("AWS::StepFunctions::StateMachine")
    assert (machine["StateMachineType"], machine["TracingConfiguration"]) == ("STANDARD", {"Enabled": True})


def test_the_machine_logs_errors_with_their_data(template: Template) -> None:
    logging = template.only("AWS::StepFunctions::StateMachine")["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", True)


def test_the_definition_passes_statelint(template: Template) -> None:
    assert lint_definition(json.dumps(template.machine)) == []


def test_statelint_would_find_a_fault(template: Template) -> None:
    definition = template.machine
    definition["States"]["Collect results"]["Next"] = "Nowhere"
    assert lint_definition(json.dumps(definition)) != []


def test_variants_run_in_a_distributed_map_of_standard_children(template: Template) -> None:
    config = state(template, "Run variants")["ItemProcessor"]["ProcessorConfig"]
    assert config == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_items_come_from_s3_and_results_go_there(template: Template) -> None:
    run_variants = state(template, "Run variants")
    assert run_variants["ItemReader"]["Resource"].endswith(":s3:getObject")
    assert run_variants["ItemReader"]["Parameters"]["Key.$"] == "$.items_key"
    assert run_variants["ResultWriter"]["Parameters"]["Prefix.$"] == "$.map_prefix"


def test_the_study_chooses_concurrency_and_tolerance(template: Template) -> None:
    run_variants = state(template, "Run variants")
    assert run_variants["MaxConcurrencyPath"] == "$.max_concurrency"
    assert run_variants["ToleratedFailurePercentagePath"] == "$.tolerated_failure_percentage"


@pytest.mark.parametrize("error", ["SimulationFailed", "Sandbox.Timedout", "States.Timeout"])
def test_what_would_fail_again_is_not_retried(template: Template, error: str) -> None:
    assert retried(template, "Run EnergyPlus")[error]["MaxAttempts"] == 0


@pytest.mark.parametrize(
    "error",
    [
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "States.TaskFailed",
    ],
)
def test_a_fault_of_the_infrastructure_is_retried_with_jitter(template: Template, error: str) -> None:
    retrier = retried(template, "Run EnergyPlus")[error]
    assert retrier["MaxAttempts"] >= 3
    assert retrier["JitterStrategy"] == "FULL"


def test_throttles_are_outlasted(template: Template) -> None:
    retrier = retried(template, "Run EnergyPlus")["Lambda.TooManyRequestsException"]
    # After the steps up to the longest delay, half of it on average with full jitter.
    assert retrier["MaxAttempts"] * retrier["MaxDelaySeconds"] / 2 > 12 * 3600


def test_a_service_that_stays_at_fault_does_not_hold_a_study_for_hours(template: Template) -> None:
    retrier = retried(template, "Run EnergyPlus")["Lambda.ServiceException"]
    assert 20 * 60 < retrier["MaxAttempts"] * retrier["MaxDelaySeconds"] / 2 < 3600


def test_a_lost_worker_is_recorded(template: Template) -> None:
    caught = {
        error: each["Next"] for each in state(template, "Run EnergyPlus")["Catch"] for error in each["ErrorEquals"]
    }
    assert caught == {
        "SimulationFailed": "Variant failed",
        "StudyCancelled": "Variant failed",
        "States.ALL": "Record lost variant",
    }


@pytest.mark.parametrize("index", [7, 399, 400, 999_999])
@pytest.mark.parametrize("earlier_release", [False, True])
def test_a_lost_worker_is_recorded_where_the_variant_is_looked_for(
    template: Template, index: int, earlier_release: bool
) -> None:
    block_size = 0 if earlier_release else keys.BLOCK_SIZE
    entry = item_of(Variant(index, "a.idf", "a.epw"), block_size=block_size)
    singly = states_of(state(template, "Run the variants one by one"))
    key = keys.variant_item_key("office-1", index, block_size)
    assert key_of(state(template, "Record lost variant"), {"simulation_id": "office-1", "variant": entry}) == key
    record, count = singly["Record lost variant of a batch"]["Parameters"]["TransactItems"]
    data = {"simulation_id": "office-1", "entry": entry}
    assert key_of({"Parameters": record["Update"]}, data) == key
    assert key_of({"Parameters": count["Update"]}, data) == keys.counters_key("office-1")


def test_a_lost_variant_of_a_batch_whose_items_others_write_is_recorded_later(template: Template) -> None:
    singly = states_of(state(template, "Run the variants one by one"))
    (catch,) = singly["Record lost variant of a batch"]["Catch"]
    why = singly[catch["Next"]]
    (ended,) = why["Choices"]
    assert (ended["StringMatches"], ended["Next"]) == ("*ConditionalCheckFailed*", "Variant of a batch is lost")
    assert singly[why["Default"]]["Next"] == "Record lost variant of a batch"


def test_results_are_collected_whatever_the_map_came_to(template: Template) -> None:
    (catch,) = state(template, "Run variants")["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "Collect results")


def test_a_study_whose_results_cannot_be_collected_is_closed(template: Template) -> None:
    (catch,) = state(template, "Collect results")["Catch"]
    assert catch["Next"] == "Close uncollected study"


def test_a_failed_study_is_a_failed_execution(template: Template) -> None:
    (choice,) = state(template, "How did it end?")["Choices"]
    assert (choice["StringEquals"], choice["Next"]) == ("failed", "Study failed")


def test_subscribers_are_notified_unless_the_study_says_no(template: Template) -> None:
    notify = state(template, "Notify subscribers?")
    (choice,) = notify["Choices"]
    assert state(template, "Collect results")["Next"] == "Notify subscribers?"
    assert (choice["Variable"], choice["BooleanEquals"]) == ("$.collected.summary.notify", False)
    assert (choice["Next"], notify["Default"]) == ("How did it end?", "Notify subscribers")


def test_a_notice_that_cannot_be_sent_does_not_fail_the_study(template: Template) -> None:
    (catch,) = state(template, "Notify subscribers")["Catch"]
    assert catch["Next"] == "How did it end?"


def test_every_state_can_be_reached_and_is_named_for_people(template: Template) -> None:
    assert all(name[0].isupper() and " " in name for name in template.machine["States"])


def test_nobody_is_notified_by_default(template: Template) -> None:
    assert not template.of_type("AWS::SNS::Subscription")


def test_an_address_can_be_notified(other_template: Template) -> None:
    subscription = other_template.only("AWS::SNS::Subscription", "Ended")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "modeller@example.com")


def test_the_machine_may_read_items_and_write_map_results_only(template: Template) -> None:
    document = template.only("AWS::IAM::Policy", "StudyMachine")["PolicyDocument"]
    objects = [json.dumps(each["Resource"]) for each in document["Statement"] if "s3:GetObject" in each["Action"]]
    assert sorted(text.split('"/')[-1] for text in objects) == ['runs/*/items*.json"]]}', 'runs/*/map/*"]]}']


def test_the_map_may_start_and_stop_its_own_executions_only(template: Template) -> None:
    document = template.only("AWS::IAM::Policy", "StudyMachine")["PolicyDocument"]
    resources = [
        json.dumps(each["Resource"]) for each in document["Statement"] if "states:" in json.dumps(each["Action"])
    ]
    assert len(resources) == 3
    assert all("epsm-local-study" in text for text in resources)


def test_two_stages_share_no_name(template: Template, other_template: Template) -> None:
    assert "epsm-local" not in json.dumps(other_template.document["Resources"])
    assert "epsm-other" not in json.dumps(template.document["Resources"])


def test_the_app_of_cdk_json_is_the_one_that_is_tested() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    assert settings["app"].endswith("-m infra.app")


def test_every_resource_is_known_to_the_local_stack(template: Template) -> None:
    from epsm_local.aws.template_support import check_template

    check_template(template.document)


def test_an_end_without_results_is_reported_too(template: Template) -> None:
    assert state(template, "Close uncollected study")["Next"] == "Notify of uncollected study"
    assert state(template, "Notify of uncollected study")["Next"] == "Results not collected"


@pytest.mark.parametrize("name", ["Run EnergyPlus", "Collect results"])
def test_an_image_function_that_was_idle_for_weeks_is_waited_for(template: Template, name: str) -> None:
    retrier = retried(template, name)["Lambda.CodeArtifactUserPendingException"]
    assert retrier["MaxAttempts"] * retrier["MaxDelaySeconds"] >= 900


def test_models_are_tried_before_the_variants_where_the_input_names_any(template: Template) -> None:
    first = state(template, "Are models tried first?")
    (choice,) = first["Choices"]
    assert state(template, "Mark study as running")["Next"] == "Are models tried first?"
    assert (choice["Variable"], choice["IsPresent"], choice["Next"]) == ("$.preflight[0]", True, "Try models")
    assert first["Default"] == "Run variants"


def test_a_model_that_failed_its_trial_ends_the_study(template: Template) -> None:
    passed = state(template, "Did every model run?")
    (choice,) = passed["Choices"]
    assert (choice["Variable"], choice["BooleanEquals"]) == ("$.tried.any_failed", True)
    assert (choice["Next"], passed["Default"]) == ("Collect results", "Run variants")


def test_a_trial_that_could_not_be_made_keeps_no_study_from_its_variants(template: Template) -> None:
    (of_one,) = state(template, "Try a model")["Catch"]
    (of_all,) = state(template, "Try models")["Catch"]
    assert (of_one["ErrorEquals"], of_one["Next"]) == (["States.ALL"], "Model was not tried")
    assert (of_all["ErrorEquals"], of_all["Next"]) == (["States.ALL"], "Run variants")


def test_retries_of_trials_fit_into_the_history_of_one_execution(template: Template) -> None:
    retries = max(each["MaxAttempts"] for each in state(template, "Try a model")["Retry"])
    assert MAX_TRIED_PAIRS * (10 + 3 * retries) < 25_000 / 2
