"""Files that Schedule:File reads: enough rows and numbers, or refused with what was found and what is needed."""

import pytest

from epsm.checks.table_files import check_table_files
from epsm.energyplus.model_reader import read_outline
from epsm.problems import Problem
from epsm.study.parameters import Parameter

FIELDS = ("column", "skip", "hours", "separator", "interpolate", "minutes")


def schedule(name: str = "Use", **fields: str) -> str:
    return f"Schedule:File,{name},,use.csv,{','.join(fields.get(field, '') for field in FIELDS)};"


def faults(content: bytes, *objects: str) -> list[Problem]:
    outline = read_outline(("Version,25.2;\n" + "\n".join(objects)).encode(), "room.idf")
    assert not outline.problems
    problems, _ = check_table_files(outline, "room.idf", lambda name: (name, content))
    return problems


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
        (rows(100, "1,2") + rows(1, "1,2,3") + rows(8_659, "1,2.5"), {"column": "2"}),
        (b"title\n" + rows(8_760, "1,2.5"), {"skip": "1"}),
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
    assert "has 2 columns, and Schedule:File 'Use' reads column 3" in problem.what


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


# Tables that can be read and are probably not what is meant


def remarks(content: bytes, *objects: str) -> list[str]:
    outline = read_outline(("Version,25.2;\n" + "\n".join(objects)).encode(), "room.idf")
    problems, found = check_table_files(outline, "room.idf", lambda name: (name, content))
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("count", "minutes", "fitting"),
    [(17_520, "", 30), (35_040, "", 15), (35_136, "", 15), (525_600, "15", 1), (105_120, "10", 5)],
)
def test_a_year_of_shorter_items_is_refused(count: int, minutes: str, fitting: int) -> None:
    (problem,) = faults(rows(count), schedule(minutes=minutes))
    assert problem.what.startswith(f"has {count:,} rows, a whole year of {fitting} minutes each")
    assert problem.allowed.startswith(f"{fitting} Minutes per Item")


def test_more_rows_than_needed_are_remarked() -> None:
    (remark,) = remarks(rows(10_000), schedule())
    assert remark.startswith("use.csv: has 10,000 rows, and Schedule:File 'Use' needs 8,760")
    assert remarks(rows(8_784), schedule()) == []


@pytest.mark.parametrize(
    ("head", "row", "fields"),
    [
        ("", "0,05", {}),
        ("", "0,05" + ",25" * 6, {}),
        ("a,b\n", "0,5,1,25", {"skip": "1"}),
        ("", "20,075", {"column": "2"}),
    ],
)
def test_decimal_commas_that_are_certain_are_refused(head: str, row: str, fields: dict[str, str]) -> None:
    (problem,) = faults(head.encode() + rows(8_760, row), schedule(**fields))
    shown = row.strip() if len(row) < 20 else row[:20]
    assert f"has numbers with a decimal comma ('{shown}'), of which" in problem.what


def test_decimal_commas_that_are_possible_are_remarked() -> None:
    (remark,) = remarks(rows(8_760, "0,5"), schedule())
    assert "pairs of whole numbers such as '0,5'" in remark
    assert remarks(rows(8_760, "0,0.5"), schedule()) == []
    assert remarks(rows(8_760, "1,2,3"), schedule()) == []


LIMITS = "ScheduleTypeLimits,Fraction,0,1,Continuous;"
LIMITED = schedule().replace("Use,,", "Use,fraction,")


@pytest.mark.parametrize("value", ["1.01", "-0.5"])
def test_values_outside_the_schedules_limits_are_refused(value: str) -> None:
    content = rows(50) + rows(1, value) + rows(8_709)
    (problem,) = faults(content, LIMITED, LIMITS)
    assert (problem.where, problem.allowed) == ("use.csv: line 51", "0 to 1, by its Schedule Type Limits")
    assert faults(content, schedule(), LIMITS) == []
    assert faults(content, LIMITED, LIMITS.replace(",1,", ",,")) == []


def test_a_row_shorter_than_the_first_is_refused() -> None:
    (problem,) = faults(rows(100, "1,2") + rows(1, "1") + rows(8_659, "1,2"), schedule())
    assert (problem.where, problem.allowed) == ("use.csv: line 101", "2 columns")


# What a study varies


def varied(content: bytes, field: str, *values: float | str) -> list[Problem]:
    outline = read_outline(("Version,25.2;\n" + schedule()).encode(), "room.idf")
    parameter = Parameter.model_validate(
        {"name": "p", "class": "Schedule:File", "object": "*", "field": field, "values": values}
    )
    return check_table_files(outline, "room.idf", lambda name: (name, content), [parameter])[0]


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("Column Number", 3, "has 2 columns, and Schedule:File 'Use' with Column Number 3 reads column 3"),
        ("Rows to Skip at Top", 1, "needs 8,760"),
        ("Number of Hours of Data", 8_784, "needs 8,784"),
        ("Minutes per Item", 30, "needs 17,520"),
        ("Column Separator", "Semicolon", "which Schedule:File 'Use' with Column Separator ; reads"),
    ],
)
def test_each_level_of_a_varied_field_is_checked(field: str, value: float | str, what: str) -> None:
    (problem,) = varied(rows(8_760, "1.5,2"), field, value)
    assert what in problem.what


@pytest.mark.parametrize(
    ("field", "value"), [("Column Number", 2), ("Column Separator", "Comma"), ("Minutes per Item", 60)]
)
def test_levels_that_fit_the_file_pass(field: str, value: float | str) -> None:
    assert varied(rows(8_760, "1.5,2"), field, value) == []


def test_rows_too_many_do_not_hide_possible_decimal_commas() -> None:
    assert len(remarks(rows(9_000, "0,5"), schedule())) == 2
