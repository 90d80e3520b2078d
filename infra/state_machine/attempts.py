"""The attempt of a study in writes of the state machine: one that was superseded must not change a later one."""

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from epsm.pipeline.items import ATTEMPT
from epsm.store import attributes

NO_LATER_ATTEMPT = f"(attribute_not_exists({attributes.ATTEMPT}) OR {attributes.ATTEMPT} <= :attempt)"
"""Condition of a write to an item of the study, with `:attempt`."""


def attempt_in(entry: str) -> tasks.DynamoAttributeValue:
    """The attempt.

    Args:
        entry: Path of the execution's input, or of an item of items.json.
    """
    attempt = sfn.JsonPath.format("{}", sfn.JsonPath.string_at(f"{entry}.{ATTEMPT}"))
    return tasks.DynamoAttributeValue.number_from_string(attempt)
