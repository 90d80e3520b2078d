"""Files that Schedule:File reads: enough rows and numbers, or refused with what was found and what is needed."""

import pytest

from epsm.outline import read_outline
from epsm.problems import Problem
from epsm.table_files import check_table_files

FIELDS = ("column", "skip", "hours", "separator", "interpolate", "minutes")


def schedule(name: str = "Use", **fields: str) -> str:
    return f"Schedule:File,{name},,use.csv,{','.join(fields.get(field, '') for field in FIELDS)};"


def faults(content: bytes, *objects: str) -> list[Problem]:
    outline = read_outline(("Version,25.2;\n" + "\n".join(objects)).encode(), "room.idf")
    assert not outline.problems
    return list(check_table_files(outline, "room.idf", lambda name: (name, content)))


def rows(count: int, row: str = "0.5", end: str = "\n") -> bytes:
    return (row + end).encode() * count


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (rows(8_760), {}),
        (rows(8_760, end="\r\n"), {}),
        (rows(8_760).rstrip(), {}),
        (b"\xef\xbb\xbf" + rows(8_760), {}),
        (rows(8_784), {}),
        (rows(8_784), {"hours": "8784"}),
        (b"Use\n" + rows(8_760), {"skip": "1"}),
        (b"a\nb\n" + rows(8_760), {"skip": "2"}),
        (rows(35_040), {"minutes": "15"}),
        (rows(8_760, "1,+2,3e-1"), {"column": "3"}),
        (rows(8_760, "1;2"), {"column": "2", "separator": "Semicolon"}),
        (rows(8_760, "1\t2"), {"column": "2", "separator": "TAB"}),
        (rows(8_760, "1 2"), {"column": "2", "separator": "space"}),
        (rows(8_760, "text,2"), {"column": "2"}),
        (rows(8_760, "1,"), {}),
        (rows(8_760) + b"\n\n", {}),
    ],
)
def test_a_whole_table_passes(content: bytes, fields: dict[str, str]) -> None:
    assert faults(content, schedule(**fields)) == []


@pytest.mark.parametrize(
    ("content", "fields", "found", "needed"),
    [
        (b"", {}, "0", "8,760"),
        (rows(8_759), {}, "8,759", "8,760"),
        (rows(4_380), {}, "4,380", "8,760"),
        (rows(8_736), {}, "8,736", "8,760"),
        (rows(8_760), {"skip": "1"}, "8,759", "8,760"),
        (rows(8_760), {"skip": "9000"}, "0", "8,760"),
        (rows(8_760), {"hours": "8784"}, "8,760", "8,784"),
        (rows(8_760), {"minutes": "30"}, "8,760", "17,520"),
        (rows(35_039), {"minutes": "15"}, "35,039", "35,040"),
        (rows(8_760, end="\r"), {}, "1", "8,760"),
        (rows(8_700) + b"\n" * 60, {}, "8,700", "8,760"),
    ],
)
def test_too_few_rows_are_refused_with_found_and_needed(
    content: bytes, fields: dict[str, str], found: str, needed: str
) -> None:
    (problem,) = faults(content, schedule(**fields))
    assert f"has {found} rows" in problem.what
    assert f"needs {needed}" in problem.what


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("", {}),
        ("half", {}),
        ("nan", {}),
        ("inf", {}),
        ('"0.5"', {}),
        ("1_0", {}),
        ("0,5", {"separator": "Semicolon"}),
        ("1,,3", {"column": "2"}),
        ("1", {"column": "2"}),
        ("1;2", {"column": "2"}),
    ],
)
def test_a_cell_that_is_no_number_is_refused_with_its_line(row: str, fields: dict[str, str]) -> None:
    content = rows(100, "1;1" if "separator" in fields else "1,1,1") + rows(1, row) + rows(8_659, "1;1,1,1")
    (problem,) = faults(content, schedule(**fields))
    assert problem.where == "use.csv: line 101"


def test_a_column_that_is_not_there_is_refused() -> None:
    (problem,) = faults(rows(8_760, "1,2"), schedule(column="3"))
    assert "has 2 columns where Schedule:File 'Use' reads column 3" in problem.what


@pytest.mark.parametrize("minutes", ["7", "45", "90"])
def test_minutes_that_do_not_divide_the_hour_are_refused(minutes: str) -> None:
    (problem,) = faults(rows(100_000), schedule(minutes=minutes))
    assert problem.allowed == "a number that divides 60"


@pytest.mark.parametrize("fields", [{"skip": "2"}, {"separator": "Tab"}])
def test_a_file_that_two_objects_read_differently_is_refused(fields: dict[str, str]) -> None:
    (problem,) = faults(rows(9_000), schedule("A", skip="1"), schedule("B", **({"skip": "1"} | fields)))
    assert "'B' reads use.csv with another separator or Rows to Skip than 'A'" in problem.what


def test_two_columns_of_one_file_may_be_read() -> None:
    assert faults(rows(8_760, "1,2"), schedule("A"), schedule("B", column="2")) == []
