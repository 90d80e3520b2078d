"""Whether models and weather files are from the same place: where EnergyPlus would warn, a remark says so."""

import math
from collections.abc import Mapping

from epsm.checks.table_text import field_text
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.targets import number_in
from epsm.energyplus.weather import Weather
from epsm.text import listed

_EARTH_RADIUS_KM = 6371.0
_MAX_DEGREES, _MAX_ELEVATION_SHARE = 1.0, 0.1
"""EnergyPlus's own limits, tried with 25.2; a different time zone is beyond them, whatever the difference."""


def location_remark(weather: Weather, source: str, outlines: Mapping[str, ModelOutline]) -> str:
    """A sentence about the models whose Site:Location is not where a weather file is from; empty if there are none.

    Args:
        weather: The weather file.
        source: Its path in the study; the sentence begins with it.
        outlines: For each model at least its Site:Location.
    """
    apart = {model: found for model, outline in outlines.items() if (found := _difference(weather, outline))}
    if not apart:
        return ""
    models = listed([f"{model} ({location})" for model, location in apart.items()], most=3).replace("'", "")
    return (
        f"{source} is not from the Site:Location of {models}: EnergyPlus uses the location of the weather file, and "
        "design days remain those of the model."
    )


def _difference(weather: Weather, outline: ModelOutline) -> str:
    """How far a model is from a weather file, and what else differs; empty within EnergyPlus's limits."""
    for model_object in outline.of_class("Site:Location"):
        texts = [field_text(model_object, name) for name in ("Latitude", "Longitude", "Time Zone", "Elevation")]
        latitude, longitude, zone, elevation = (number_in(text or 0) for text in texts)
        if latitude is None or longitude is None or zone is None or elevation is None:
            return ""  # a fault, which the check of the model reports
        far = max(abs(latitude - weather.latitude_deg), abs(longitude - weather.longitude_deg)) > _MAX_DEGREES
        height = elevation - weather.elevation_m
        parts = []
        if far:
            distance = _distance_km(latitude, longitude, weather.latitude_deg, weather.longitude_deg)
            parts.append(f"{distance:,.0f} km away")
        if zone != weather.time_zone_h:
            parts.append(f"time zone {zone:+g} h instead of {weather.time_zone_h:+g} h")
        if abs(height) / max(elevation, 1.0) > _MAX_ELEVATION_SHARE:
            parts.append(f"elevation {elevation:,.0f} m instead of {weather.elevation_m:,.0f} m")
        return ", ".join(parts)
    return ""


def _distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance by the haversine formula, degrees.

    >>> round(_distance_km(0, 0, 0, 90))  # a quarter of the equator
    10008
    """
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_theta = math.radians(other_longitude - longitude) / 2
    chord = math.sin((other_phi - phi) / 2) ** 2 + math.cos(phi) * math.cos(other_phi) * math.sin(half_theta) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))
