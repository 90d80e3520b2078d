"""The exceptions that end a variant's task. The state machine catches them by name."""

INTERRUPTED_EXIT = 75
"""Exit code of a container that was stopped before all its variants had ended; EX_TEMPFAIL of sysexits.h."""


class SimulationFailed(Exception):
    """The variant failed; its record has the reason. It would fail again, so nothing retries it."""


class RanTooLong(Exception):
    """The function timed out before the study's own limit; a container has more time. The record says running."""


class NeedsMoreRoom(Exception):
    """A run needed more than its part of the function's memory or disk; alone it may have enough."""


class StudyCancelled(Exception):
    """The study was cancelled or given up before or while the variant ran; nothing of the variant is kept."""
