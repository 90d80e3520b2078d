"""Firing scheduled rules of EventBridge, when they are due or on demand."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from moto.events.models import Rule

from epsm_local.aws.schedules import Timetable
from epsm_local.moto_patches import events

logger = logging.getLogger(__name__)

_POLL_INTERVAL_S = 1.0


class Scheduler:
    """Fires scheduled rules of the default bus when they are due, from `start` to `close`.

    Args:
        clock: Returns the current time.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._timetable = Timetable()
        self._closed = threading.Event()

    def start(self) -> None:
        self._look()
        threading.Thread(target=self._run, daemon=True).start()

    def fire(self, rule_name: str) -> None:
        """Fire a rule now.

        Raises:
            ValueError: If there is no such rule, it has no schedule, or it is disabled.
        """
        rule = _scheduled().get(rule_name)
        if rule is None:
            raise ValueError(f"no enabled rule with a schedule is called {rule_name!r}")
        events.send_scheduled(rule, self._clock())

    def close(self) -> None:
        """Stop firing."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(_POLL_INTERVAL_S):
            try:
                self._look()
            except Exception:
                logger.exception("scheduled rules")

    def _look(self) -> None:
        rules = _scheduled()
        expressions = {name: rule.scheduled_expression for name, rule in rules.items()}
        for name, due in self._timetable.due(expressions, self._clock()).items():
            events.send_scheduled(rules[name], due)


def _scheduled() -> dict[str, Rule]:
    """Enabled rules with a schedule, by name."""
    return {rule.name: rule for rule in events.rules() if rule.scheduled_expression and rule.state == "ENABLED"}
