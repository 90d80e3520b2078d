"""Booking the cost of a running variant on its study, from two threads: nothing twice, nothing after the end."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from epsm.pipeline.task_errors import RanTooLong, StudyCancelled
from epsm.store.records import Records

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_BOOKINGS = 15.0
"""Interval at which a running variant adds its cost to its study's record, if the study has a budget."""


class Booking:
    """The costs of one run of a variant. The end of its context is the end of the run: nothing is booked afterwards.
    The rest of a run that was stopped is booked there.

    The thread that watches the run books while it is running, and may still be waiting for the table when the run has
    ended; the final booking waits for that one and books only the rest.

    Args:
        records: The table.
        simulation: The study's simulation.
        usd_per_second: Cost of this process; None if it is not counted, and nothing is booked.
        budget_spent: Called with the simulation when the study's budget is spent.
        started: When the run began, seconds of `clock`.
        clock: A monotonic clock, seconds.
    """

    def __init__(
        self,
        records: Records,
        simulation: str,
        usd_per_second: float | None,
        budget_spent: Callable[[str], None],
        started: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._simulation = simulation
        self._usd_per_second = usd_per_second
        self._budget_spent = budget_spent
        self._clock = clock
        self._booked_until = started
        self._added_usd = 0.0
        self._adding = threading.Lock()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, (RanTooLong, StudyCancelled)):
            try:
                self.finish(0.0)
            except (BotoCoreError, ClientError):
                logger.warning("could not book the cost of a stopped run", exc_info=True)
        # Without the lock: any other error must not wait for a table that does not answer.
        self._closed = True

    def add(self, usd: float) -> None:
        """Include costs that do not depend on time in the next booking; does not wait for the table."""
        with self._adding:
            self._added_usd += usd

    def book(self) -> None:
        """Book what the run has cost since the last booking, if that was some time ago.

        Raises:
            botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: If the table refuses the write; the
                next booking includes the amount.
        """
        self._book(0.0, least_s=SECONDS_BETWEEN_BOOKINGS)

    def finish(self, further_usd: float) -> None:
        """Book the rest, and the costs of a variant that do not depend on its time.

        Raises:
            botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: If the table refuses the write.
        """
        self._book(further_usd, least_s=0.0, last=True)

    def _book(self, further_usd: float, *, least_s: float, last: bool = False) -> None:
        if self._usd_per_second is None:
            return
        with self._lock:
            moment = self._clock()
            if self._closed or moment - self._booked_until < least_s:
                return
            added_usd = self._added_usd
            usd = (moment - self._booked_until) * self._usd_per_second + added_usd + further_usd
            spent = self._records.spend(self._simulation, usd)
            self._booked_until = moment
            self.add(-added_usd)
            self._closed = last
        if spent:
            self._budget_spent(self._simulation)
