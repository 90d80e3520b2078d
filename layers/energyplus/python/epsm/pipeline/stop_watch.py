"""Whether a study is to stop, asked from the thread that watches a running engine."""

import logging
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from epsm.pipeline.booking import Booking
from epsm.store.records import Records

logger = logging.getLogger(__name__)

_POLL_INTERVAL_S = 3.0
"""Interval at which a running variant checks whether its study was cancelled: one small read of the table."""


def stop_watch(records: Records, simulation: str, costs: Booking, attempt: int | None = None) -> Callable[[], bool]:
    """A function that says whether the study is to stop; it reads the table and books costs every few seconds.

    Args:
        records: The table.
        simulation: The study's simulation.
        costs: The costs of the run that is watched.
        attempt: The study's attempt that it belongs to: it stops if a later one has begun.
    """
    next_poll = time.monotonic() + _POLL_INTERVAL_S

    def stop_requested() -> bool:
        nonlocal next_poll
        if time.monotonic() < next_poll:
            return False
        next_poll = time.monotonic() + _POLL_INTERVAL_S
        try:
            costs.book()
        except (BotoCoreError, ClientError):
            # The next booking includes it. Counters that refuse a write do not keep a cancelled run going.
            logger.warning("could not book the cost of a run", exc_info=True)
        try:
            return records.stop_requested(simulation, attempt)
        except (BotoCoreError, ClientError):
            logger.warning("could not check whether the study is to stop", exc_info=True)
            return False  # an unavailable table must not end a run

    return stop_requested
