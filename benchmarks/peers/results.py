"""Tables of results that every runner leaves, and whether they agree."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from epsm.results.columns import END_USES_BY_FUEL

Row = dict[str, float]
EUI = "site_eui_kwh_m2"
_GJ_ROUNDING_KWH = 0.005 / 0.0036
"""EnergyPlus prints two digits of a GJ, 2.8 kWh."""
_MJ_ROUNDING_KWH = 0.005 / 3.6
"""And two of an MJ for each m2."""
_RELATIVE = 1e-6
"""Other outputs, or another order of objects, change the last digits of sums."""


class Disagreement(Exception):
    """Runners have different results, so that their times cannot be compared; the message lists the cells."""


def read_table(path: Path) -> list[Row]:
    """The EUI and the end uses by fuel of each variant, in their order; an end use that is not used is left out."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["variant_index"]))
    heads = (EUI, *END_USES_BY_FUEL)
    return [{head: float(row[head]) for head in heads if row.get(head) and float(row[head])} for row in rows]


def check_equal(tables: Mapping[str, Sequence[Row]]) -> None:
    """Compare the tables of all runners with that of the first.

    Args:
        tables: For each runner its table.

    Raises:
        Disagreement: If a cell differs by more than the rounding of EnergyPlus's reports.
    """
    (first, expected), *others = tables.items()
    faults = [
        f"{name}: {len(rows)} variants, not {len(expected)}" for name, rows in others if len(rows) != len(expected)
    ]
    for name, rows in others:
        for index, (row, wanted) in enumerate(zip(rows, expected, strict=False)):
            for head in sorted(row.keys() | wanted.keys()):
                found, right = row.get(head, 0.0), wanted.get(head, 0.0)
                rounding = _MJ_ROUNDING_KWH if head == EUI else _GJ_ROUNDING_KWH
                # Both may be rounded.
                if abs(found - right) > 2 * rounding + _RELATIVE * abs(right):
                    faults.append(f"{name}, variant {index}: {head} is {found:.4f}; {first} has {right:.4f}")
    if faults:
        raise Disagreement("the runners disagree, so this comparison is void:\n" + "\n".join(faults[:20]))
