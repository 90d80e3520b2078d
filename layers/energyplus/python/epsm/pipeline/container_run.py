"""A task that runs a variant or a batch: its exit code, and the signal that stops it."""

import math
import time
from collections.abc import Callable

from epsm.pipeline.batch import BatchOutcome
from epsm.pipeline.run_variant import Outcome
from epsm.pipeline.task_errors import INTERRUPTED_EXIT, RanTooLong, SimulationFailed, StudyCancelled


class StopNotice:
    """The signal that stops a container, a handler for `signal.signal`; until then its time is unlimited.

    Args:
        notice_s: Seconds from the signal to the end of the container.
        clock: A monotonic clock, seconds.
    """

    def __init__(self, notice_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._notice_s = notice_s
        self._clock = clock
        self._end = math.inf

    def __call__(self, number: int, frame: object) -> None:
        self._end = min(self._end, self._clock() + self._notice_s)

    @property
    def given(self) -> bool:
        """Whether the container has received the signal."""
        return math.isfinite(self._end)

    def seconds_left(self) -> float:
        """Seconds until the container ends."""
        return max(0.0, self._end - self._clock())


def run_to_exit_code(run: Callable[[int], Outcome | BatchOutcome], engines: int, notice: StopNotice) -> int:
    """Run a variant or a batch in a container.

    Args:
        run: Runs it, or what is left of it, with so many engines at a time.
        engines: Engines at a time.
        notice: Whether the container has received the signal.

    Returns:
        0 if every variant has ended, as its record states, or the study was cancelled; `INTERRUPTED_EXIT` if variants
        are left because the container is being stopped.

    Raises:
        Exception: An infrastructure error; the variant or batch can be repeated.
    """
    try:
        outcome = run(engines)
        if _left(outcome) and not notice.given:
            outcome = run(1)  # a variant that needs more than its share of the container has it alone
    except (SimulationFailed, StudyCancelled):
        return 0
    except RanTooLong:
        if notice.given:
            return INTERRUPTED_EXIT
        raise
    if not _left(outcome):
        return 0
    if notice.given:
        return INTERRUPTED_EXIT
    raise RuntimeError(f"{_left(outcome)} variants have not ended")


def _left(outcome: Outcome | BatchOutcome) -> int:
    return outcome.left if isinstance(outcome, BatchOutcome) else 0
