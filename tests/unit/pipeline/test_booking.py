"""Booking what a variant costs, while its run is watched and at its end."""

import threading
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from epsm.pipeline.booking import SECONDS_BETWEEN_BOOKINGS, Booking
from epsm.pipeline.task_errors import RanTooLong, StudyCancelled
from epsm.store.records import Records
from tests.unit.fakes import fake


class Table(Records):
    """Adds up what is booked.

    Attributes:
        booked: Each amount.
        answers: Cleared, the table stalls.
        asked: Set when a booking has reached the table.
        fault: What the table raises instead of booking.
    """

    def __init__(self) -> None:
        super().__init__(table=fake(None))
        self.booked: list[float] = []
        self.answers = threading.Event()
        self.answers.set()
        self.asked = threading.Event()
        self.fault: Exception | None = None

    def spend(self, simulation: str, usd: float) -> bool:
        self.asked.set()
        assert self.answers.wait(30)
        if self.fault is not None:
            raise self.fault
        self.booked.append(usd)
        return False


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def booking(table: Table, clock: Clock, usd_per_second: float | None = 1.0) -> Booking:
    return Booking(table, "study-1", usd_per_second, lambda simulation: None, started=0.0, clock=clock)


def in_a_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_what_was_booked_before_is_not_booked_at_the_end() -> None:
    table, clock = Table(), Clock()
    costs = booking(table, clock)
    clock.seconds = SECONDS_BETWEEN_BOOKINGS - 1
    costs.book()
    clock.seconds = 20
    costs.book()
    clock.seconds = 25
    costs.finish(0.5)
    assert table.booked == [20, 5.5]


def test_the_end_waits_for_a_booking_that_stalls_and_books_nothing_twice() -> None:
    table, clock = Table(), Clock()
    costs = booking(table, clock)
    table.answers.clear()
    clock.seconds = 20
    stalled = in_a_thread(costs.book)
    assert table.asked.wait(10)
    clock.seconds = 30
    final = in_a_thread(lambda: costs.finish(0.5))
    final.join(0.2)
    assert not table.booked
    table.answers.set()
    for thread in (stalled, final):
        thread.join(10)
    assert table.booked == [20, 10.5]


def test_the_end_takes_along_what_a_stalled_booking_did_not_book() -> None:
    table, clock = Table(), Clock()
    costs = booking(table, clock)
    table.fault = TimeoutError("no answer")
    clock.seconds = 20
    with pytest.raises(TimeoutError):
        costs.book()
    table.fault = None
    clock.seconds = 30
    costs.finish(0.5)
    assert table.booked == [30.5]


def test_what_was_added_is_booked_once_also_if_the_table_refused_it() -> None:
    table, clock = Table(), Clock()
    costs = booking(table, clock)
    costs.add(0.25)
    clock.seconds = 20
    table.fault = ClientError({"Error": {"Code": "InternalServerError"}}, "UpdateItem")
    with pytest.raises(ClientError):
        costs.book()
    table.fault = None
    costs.add(0.25)
    costs.book()
    clock.seconds = 21
    costs.finish(0.0)
    assert table.booked == [20.5, 1]


def test_nothing_is_booked_after_the_end() -> None:
    table, clock = Table(), Clock()
    costs = booking(table, clock)
    costs.finish(0.5)
    clock.seconds = 100
    costs.book()
    assert table.booked == [0.5]


def test_nothing_is_booked_after_a_run_that_ended_in_an_error() -> None:
    table, clock = Table(), Clock()
    costs = booking(table, clock)
    with pytest.raises(RuntimeError), costs:
        raise RuntimeError
    clock.seconds = 100
    costs.book()
    assert not table.booked


def test_without_a_budget_nothing_is_booked() -> None:
    table, clock = Table(), Clock()
    clock.seconds = 100
    booking(table, clock, usd_per_second=None).finish(0.5)
    assert not table.booked


@pytest.mark.parametrize("end", [StudyCancelled, RanTooLong])
def test_the_rest_of_a_run_that_was_stopped_is_booked(end: type[Exception]) -> None:
    table, clock = Table(), Clock()

    def run() -> None:
        with booking(table, clock) as costs:
            clock.seconds = 20
            costs.book()
            clock.seconds = 31
            raise end

    with pytest.raises(end):
        run()
    assert table.booked == [20, 11]


def test_a_stopped_run_ends_as_such_also_if_its_cost_cannot_be_booked() -> None:
    table, clock = Table(), Clock()
    table.fault = ClientError({"Error": {"Code": "InternalServerError"}}, "UpdateItem")
    with pytest.raises(StudyCancelled), booking(table, clock):
        raise StudyCancelled
    assert table.booked == []
