"""Comparison of the coefficients that the engine reports with the targets of measures."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from epsm.energyplus.construction_plan import Expected
from epsm.results.areas import EnvelopeSurface, read_surfaces
from epsm.text import fold_name, listed

_TOLERANCE = 0.02
"""Relative tolerance. For simple glazing, reported values are within 0.2 % of the targets; for opaque constructions
they are equal."""
_MAX_NAMED = 3
_IN_WORDS = {
    "u_w_m2k": ("U with films", " W/m2K"),
    "u_without_films_w_m2k": ("U without films", " W/m2K"),
    "shgc": ("SHGC", ""),
    "visible_transmittance": ("visible transmittance", ""),
}


def measure_remarks(expected: Mapping[str, Sequence[Expected]], database: Path) -> tuple[str, ...]:
    """Sentences about coefficients that differ by more than 2 % from the targets of measures.

    Args:
        expected: The expected values by measure and variant.
        database: The run's eplusout.sql.

    Raises:
        sqlite3.Error: If the database cannot be read, or has no surfaces.
    """
    if not any(expected.values()):
        return ()
    surfaces = {fold_name(surface.name): surface for surface in read_surfaces(database)}
    return tuple(sentence for label, targets in expected.items() for sentence in differences(label, targets, surfaces))


def differences(label: str, targets: Iterable[Expected], surfaces: Mapping[str, EnvelopeSurface]) -> list[str]:
    """The same for one measure.

    Args:
        label: The measure and its variant.
        targets: The expected values.
        surfaces: The reported surfaces, by name in lower case.
    """
    found: dict[tuple[str, float, float | None], list[str]] = {}
    for target in targets:
        surface = surfaces.get(fold_name(target.surface))
        for attribute in _IN_WORDS:
            expected_value = getattr(target, attribute)
            reported = getattr(surface, attribute) if surface else None
            if expected_value is None or (
                reported is not None and abs(reported - expected_value) <= _TOLERANCE * expected_value
            ):
                continue
            rounded = None if reported is None else float(f"{reported:.3g}")
            found.setdefault((attribute, expected_value, rounded), []).append(target.surface)
    return [_sentence(label, *key, names) for key, names in found.items()]


def _sentence(label: str, attribute: str, target: float, reported: float | None, names: Sequence[str]) -> str:
    name, unit = _IN_WORDS[attribute]
    count = f"{len(names)} surface{'' if len(names) == 1 else 's'}"
    shown = f"no {name}" if reported is None else f"{name} {reported:g}{unit}"
    where = f"{count} ({listed(names, most=_MAX_NAMED)})"
    return f"{label}: EnergyPlus reports {shown} for {where}; asked for: {target:g}{unit}."
