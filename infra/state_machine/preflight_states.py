"""The states that try each model and weather of a study once before any of its variants is started."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.state_machine.retries import retry, run_engine

_path = sfn.JsonPath.string_at


def try_models(
    scope: Construct, run_variant: lambda_.Function, *, then: sfn.IChainable, else_: sfn.IChainable
) -> sfn.Choice:
    """Try the pairs of `$.preflight`, if any.

    Args:
        scope: The states' construct.
        run_variant: The function that runs EnergyPlus.
        then: What follows if no model failed, or none was tried.
        else_: What follows if one failed; `$.tried` says which.
    """
    attempt = run_engine(scope, "Try a model", run_variant, {"preflight": sfn.JsonPath.number_at("$.preflight")})
    # About ten minutes. An inline map writes each retry into the study's own history, which is limited to 25,000
    # events; and a model that could not be tried must not delay the variants.
    retry(attempt, ["States.TaskFailed"], attempts=30, first_s=2, factor=2, longest_s=60)
    not_tried = sfn.Pass(
        scope,
        "Model was not tried",
        parameters={"index": sfn.JsonPath.number_at("$.preflight"), "outcome": "not tried", "why": ""},
    )
    attempt.add_catch(not_tried, errors=[sfn.Errors.ALL], result_path="$.failure")
    models = sfn.Map(
        scope,
        "Try models",
        comment="One iteration for each model and weather, on one day",
        items_path="$.preflight",
        item_selector={
            "simulation_id": _path("$.simulation_id"),
            "preflight": sfn.JsonPath.number_at("$$.Map.Item.Value"),
        },
        max_concurrency_path=_path("$.preflight_concurrency"),
        result_selector={
            "trials": sfn.JsonPath.object_at("$"),
            "any_failed": sfn.JsonPath.array_contains(sfn.JsonPath.object_at("$[*].outcome"), "failed"),
        },
        result_path="$.tried",
    ).item_processor(attempt)
    # The output of an inline map is limited to 256 KB of state data: `epsm.study.preflight` stays below.
    # An error of the map itself says nothing about the models.
    models.add_catch(then, errors=[sfn.Errors.ALL], result_path="$.preflight_error")
    passed = sfn.Choice(scope, "Did every model run?")
    passed.when(sfn.Condition.boolean_equals("$.tried.any_failed", True), else_)
    passed.otherwise(then)
    models.next(passed)
    first = sfn.Choice(scope, "Are models tried first?")
    first.when(sfn.Condition.is_present("$.preflight[0]"), models)
    first.otherwise(then)
    return first
