"""The file with the emissions of each hour's electricity: its faults, each with its place."""

from typing import Any

import pytest

from tests.unit.checks.measures.studies import accept, faults

HOURLY = {"hourly_electricity": {"file": "grid.csv"}}


def grid(rows_of: int = 8760, **changes: str) -> bytes:
    cells = dict.fromkeys(range(rows_of), "0.4") | {int(key[1:]): cell for key, cell in changes.items()}
    return "\n".join(["kgco2e_per_kwh", *cells.values()]).encode()


@pytest.mark.parametrize(
    ("content", "asked", "where", "what"),
    [
        (None, {}, "impact.hourly_electricity.file", "'grid.csv' is not in "),
        (grid(8759), {}, "grid.csv", "has 8,759 rows after the row of names | 8760, or 8784 with 29 February"),
        (grid(8761), {}, "grid.csv", "has 8,761 rows"),
        (
            grid(r7="n/a"),
            {},
            "grid.csv: row 8, column kgco2e_per_kwh",
            "'n/a' is not a factor | a number from 0 to 1000",
        ),
        (grid(r7="-1"), {}, "grid.csv: row 8, column kgco2e_per_kwh", "'-1' is not a factor"),
        (grid(r7="inf"), {}, "grid.csv: row 8, column kgco2e_per_kwh", "'inf' is not a factor"),
        (grid(), {"column": "kg"}, "grid.csv", "has no column 'kg' | 'kgco2e_per_kwh'"),
        (b"a,b\n1,2\n", {}, "grid.csv", "has 2 columns, and 'hourly_electricity' does not name one"),
        (b"\xff\xfe", {}, "grid.csv", "is not UTF-8 text"),
        (b"", {}, "grid.csv", "has 0 columns"),
    ],
)
def test_faults_of_the_file(files: dict[str, bytes], content: bytes | None, asked: Any, where: str, what: str) -> None:
    if content is not None:
        files["grid.csv"] = content
    impact = {"hourly_electricity": {"file": "grid.csv", **asked}}

    found = faults(files, [], impact=impact)

    assert where in found, found
    assert what in found[where]


def test_the_file_is_an_input_of_the_study(files: dict[str, bytes]) -> None:
    files["grid.csv"] = grid()

    assert "grid.csv" in accept(files, [], impact=HOURLY).inputs
    both = {**HOURLY, "fuels": {"electricity": {"gwp_kgco2e_per_kwh": 0.4}}}
    assert "has 'hourly_electricity' and a 'gwp_kgco2e_per_kwh'" in faults(files, [], impact=both)["impact"]
