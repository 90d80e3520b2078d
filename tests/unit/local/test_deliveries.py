"""Deliveries of events while the local stack stops."""

import logging
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from epsm_local.aws.processes import Stopped
from epsm_local.moto_patches import events

TARGET = {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:close"}


class Stack:
    """A stack whose function answers as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stopping = threading.Event()
        self.attempts = 0
        self.stops_at = 0
        monkeypatch.setattr(events, "local_aws", lambda: SimpleNamespace(stopping=self.stopping))
        monkeypatch.setattr(events, "_deliver", self._deliver)

    def _deliver(self, *_: Any) -> None:
        self.attempts += 1
        if self.attempts == self.stops_at:
            self.stopping.set()
        raise OSError("Could not connect to the endpoint URL")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(monkeypatch)


@pytest.mark.parametrize("stops_at", [1, 2])
def test_a_delivery_is_not_repeated_once_the_stack_stops(
    stops_at: int, stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    """It printed `Could not connect to the endpoint URL` after `epsm up` had been ended."""
    stack.stops_at = stops_at
    with caplog.at_level(logging.WARNING), pytest.raises(Stopped):
        events._deliver_or_bury("rule", TARGET, {})
    assert (stack.attempts, len(caplog.records)) == (stops_at, stops_at - 1)
