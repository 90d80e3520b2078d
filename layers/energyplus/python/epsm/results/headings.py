"""Readable headings for the columns of the results table."""

import re

_UNITS = {
    "_kgco2e_m2": "kg CO2e/m2",
    "_kgco2e": "kg CO2e",
    "_kwh_m2": "kWh/m2",
    "_w_m2k": "W/m2K",
    "_kwh": "kWh",
    "_percent": "%",
    "_hours": "h",
    "_seconds": "s",
    "_years": "years",
    "_m2": "m2",
    "_m3": "m3",
    "_mb": "MB",
    "_w": "W",
}
"""By suffix of a column's name; longer suffixes first."""
_ABBREVIATIONS = {
    "shgc": "SHGC",
    "cpu": "CPU",
    "eui": "EUI",
    "gwp": "GWP",
    "tedi": "TEDI",
    "cedi": "CEDI",
    "hvac": "HVAC",
}
_OWN = {"energy_cost_m2": "Energy cost [per m2]", "variant_index": "Variant"}


_PRICE = re.compile(r"(measure_cost|replacement_cost)(_[a-z_]+)?_([a-z]{3})(_m2)?")
"""With the currency of the study."""


def heading(column: str) -> str:
    """The heading of one of EPSM's own columns, with its unit in brackets.

    >>> heading("site_eui_kwh_m2"), heading("unmet_heating_hours"), heading("severe_errors"), heading("variant_index")
    ('Site EUI [kWh/m2]', 'Unmet heating [h]', 'Severe errors', 'Variant')
    >>> heading("measure_cost_roof_ceiling_eur_m2"), heading("simple_payback_years")
    ('Measure cost roof ceiling [EUR/m2]', 'Simple payback [years]')
    """
    if column in _OWN:
        return _OWN[column]
    if price := _PRICE.fullmatch(column):
        name = f"{price[1]}{price[2] or ''}".replace("_", " ")
        return f"{name[:1].upper()}{name[1:]} [{price[3].upper()}{'/m2' if price[4] else ''}]"
    ending = next((ending for ending in _UNITS if column.endswith(ending)), "")
    words = [_ABBREVIATIONS.get(word, word) for word in column.removesuffix(ending).split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:] + (f" [{_UNITS[ending]}]" if ending else "")
