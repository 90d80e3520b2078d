"""No event is lost without a trace: every asynchronous invocation has a queue for events that were not handled."""

import json
from typing import Any

from infra.tools.packaging import ROOT
from tests.infra.conftest import Template


def targets(template: Template) -> list[tuple[str, dict[str, Any]]]:
    """The targets of all rules, each with the rule's logical id."""
    rules = template.of_type("AWS::Events::Rule")
    return [(name, target) for name, each in rules.items() for target in each["Properties"]["Targets"]]


def queues(template: Template) -> list[str]:
    return list(template.of_type("AWS::SQS::Queue"))


def names_a_queue(template: Template, part: Any) -> bool:
    return any(f'"{queue}"' in json.dumps(part) for queue in queues(template))


def test_every_target_of_a_rule_has_a_dead_letter_queue(template: Template) -> None:
    assert targets(template)
    assert [name for name, each in targets(template) if not names_a_queue(template, each.get("DeadLetterConfig"))] == []


def test_every_function_that_events_call_has_a_queue_for_what_it_cannot_handle(template: Template) -> None:
    kept = {
        each["Properties"]["FunctionName"]["Ref"]
        for each in template.of_type("AWS::Lambda::EventInvokeConfig").values()
        if names_a_queue(template, each["Properties"]["DestinationConfig"]["OnFailure"])
    }
    called = {
        function
        for function in template.of_type("AWS::Lambda::Function")
        for _, each in targets(template)
        if f'"{function}"' in json.dumps(each["Arn"])
    }
    assert called
    assert called <= kept


def test_the_runbook_speaks_of_every_queue(template: Template) -> None:
    page = (ROOT / "docs" / "runbook" / "dead-letter-queue.md").read_text(encoding="utf-8")
    names = {
        next(part for part in ("LostStudies", "LostCleanups", "LostCanaries") if part in q) for q in queues(template)
    }
    assert {name for name in names if f"`{name}`" not in page} == set()
