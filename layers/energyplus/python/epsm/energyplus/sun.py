"""Position of the sun, to a degree: enough to distinguish day from night."""

import functools
import math


@functools.lru_cache(maxsize=400)
def _day(day_of_year: int) -> tuple[float, float, float]:
    """Sine and cosine of the declination, and equation of time in hours (Spencer 1971, as in Duffie and Beckman,
    chapter 1)."""
    angle = 2 * math.pi * (day_of_year - 1) / 365
    declination = (
        0.006918
        - 0.399912 * math.cos(angle)
        + 0.070257 * math.sin(angle)
        - 0.006758 * math.cos(2 * angle)
        + 0.000907 * math.sin(2 * angle)
    )
    minutes = 229.18 * (
        0.000075
        + 0.001868 * math.cos(angle)
        - 0.032077 * math.sin(angle)
        - 0.014615 * math.cos(2 * angle)
        - 0.040849 * math.sin(2 * angle)
    )
    return math.sin(declination), math.cos(declination), minutes / 60


@functools.lru_cache(maxsize=16)
def _latitude(latitude_deg: float) -> tuple[float, float]:
    latitude = math.radians(latitude_deg)
    return math.sin(latitude), math.cos(latitude)


@functools.lru_cache(maxsize=64)  # the same hours are asked for several times in a row
def altitude_deg(
    latitude_deg: float, longitude_deg: float, time_zone_h: float, day_of_year: int, clock_h: float
) -> float:
    """Height of the sun over the horizon, degrees, negative at night.

    Args:
        latitude_deg, longitude_deg: Position, degrees north and east.
        time_zone_h: Hours that the clock is ahead of UTC.
        day_of_year: From 1.
        clock_h: Time of day by the clock, standard time, hours.
    """
    sine_of_declination, cosine_of_declination, equation_h = _day(day_of_year)
    sine_of_latitude, cosine_of_latitude = _latitude(latitude_deg)
    solar_h = clock_h + equation_h + longitude_deg / 15 - time_zone_h
    hour_angle = math.radians(15 * (solar_h - 12))
    sine = sine_of_latitude * sine_of_declination + cosine_of_latitude * cosine_of_declination * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def noon_h(longitude_deg: float, time_zone_h: float, day_of_year: int) -> float:
    """When the sun is highest, by the clock, standard time, hours."""
    return 12 - _day(day_of_year)[2] - longitude_deg / 15 + time_zone_h
