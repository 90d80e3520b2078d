"""Which of two figures is the memory of a child: what the kernel counted, or what its parent has seen."""

import os
import resource
import sys
from types import SimpleNamespace

import pytest

from epsm.energyplus.child_process import PeakMemory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")


@pytest.mark.parametrize(("counted_mb", "is_taken"), [(50.0, False), (101.5, False), (102.5, True), (300.0, True)])
def test_the_kernel_s_figure_is_taken_if_it_is_clearly_above_the_parents_own(
    monkeypatch: pytest.MonkeyPatch, counted_mb: float, is_taken: bool
) -> None:
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=100 * 1024))
    memory = PeakMemory()
    memory.look(os.getpid())
    seen = memory.peak_mb
    assert seen > 0
    assert memory.peak_at_end_mb(counted_mb) == (counted_mb if is_taken else seen)


def test_a_process_that_has_gone_is_not_looked_at() -> None:
    memory = PeakMemory()
    memory.look(2**22 + 1)  # beyond the largest number that a process may have
    assert memory.peak_mb == 0
