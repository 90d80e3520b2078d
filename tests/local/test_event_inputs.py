"""What EventBridge passes to the target of a rule: the event, a constant, or parts of the event."""

import json
from typing import Any

import pytest

from tests.moto_fixtures import Aws, unique


@pytest.mark.parametrize("value", [{"task": "clean"}, ["a", 1]])
def test_a_constant_input_replaces_the_event(aws: Aws, value: Any) -> None:
    source, queue = unique("test"), aws.queue()
    aws.rule({"source": [source]}, queue.arn, Input=json.dumps(value))
    aws.send_event(source, {})
    assert aws.message(queue) == value


def test_a_constant_text_stays_json(aws: Aws) -> None:
    source, queue = unique("test"), aws.queue()
    aws.rule({"source": [source]}, queue.arn, Input='"a text"')
    aws.send_event(source, {})
    assert aws.message(queue) == "a text"


def test_an_input_transformer_picks_from_the_event(aws: Aws) -> None:
    source, queue = unique("test"), aws.queue()
    transformer = {
        "InputPathsMap": {"name": "$.detail.name", "number": "$.detail.number", "source": "$.source"},
        "InputTemplate": '{"who": "<name>", "how_many": <number>, "from": "<source>"}',
    }
    aws.rule({"source": [source]}, queue.arn, InputTransformer=transformer)
    aws.send_event(source, {"name": "Müller", "number": 3})
    assert aws.message(queue) == {"who": "Müller", "how_many": 3, "from": source}


def test_an_input_path_picks_a_part_of_the_event(aws: Aws) -> None:
    source, queue = unique("test"), aws.queue()
    aws.rule({"source": [source]}, queue.arn, InputPath="$.detail")
    aws.send_event(source, {"number": 3})
    assert aws.message(queue) == {"number": 3}
