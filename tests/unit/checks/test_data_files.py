"""Lookup tables, imported shading and WINDOW data files: what ends a run of EnergyPlus, or is misread, is refused."""

import pytest

from epsm.checks.data_files import check_data_files
from epsm.checks.time_steps import check_time_steps
from epsm.energyplus.model_reader import read_outline
from epsm.problems import Problem
from epsm.study.parameters import Parameter

TABLE = """Version,25.2;
Table:IndependentVariable,Temp,Linear,Constant,0,100,,Dimensionless,t.csv,{x};
Table:IndependentVariableList,Vars,Temp;
Table:Lookup,Tab,Vars,,,,,Dimensionless,t.csv,{y};
"""
GOOD = "x,y\n1,10\n2,20\n3,30\n"


def faults(model: str, content: str) -> list[Problem]:
    outline = read_outline(model.encode(), "room.idf")
    assert not outline.problems
    return check_data_files(outline, "room.idf", lambda name: (name, content.encode()))


def table(content: str, x: str = "1,2", y: str = "2,2") -> list[Problem]:
    return faults(TABLE.format(x=x, y=y), content)


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (GOOD, {}),
        (GOOD.replace("\n", "\r\n"), {}),
        (GOOD, {"x": "1,1", "y": "2,1"}),
        ("x,y\n1,10\n\n2,20\n", {}),
    ],
)
def test_a_table_that_the_engine_reads_passes(content: str, places: dict[str, str]) -> None:
    assert table(content, **places) == []


@pytest.mark.parametrize(
    ("content", "places", "what"),
    [
        (GOOD, {"x": "9,2"}, "has 2 columns, and Table:IndependentVariable 'Temp' reads column 9"),
        (GOOD, {"y": "2,9"}, "has 4 rows, and Table:Lookup 'Tab' starts at row 9"),
        (GOOD, {"y": "2,3"}, "has 2 outputs, and its variables have 3 grid points"),
        (GOOD.replace("2,20", "1,20"), {}, "has 3 outputs, and its variables have 2 grid points"),
        (GOOD.replace("2,20", "two,20"), {}, "is 'two'"),
        (GOOD.replace("2,20", "2,20kW"), {}, "is '20kW'"),
        (GOOD.replace("2,20", "2"), {}, "is empty"),
        ("x,y\n3,30\n2,20\n1,10\n", {}, "column 1, which Table:IndependentVariable 'Temp' reads, is not ascending"),
        (GOOD.replace(",", ";"), {}, "is '1;10'"),
        ("x;y\n1,5;10\n", {}, "is '5;10'"),
    ],
)
def test_a_table_that_ends_the_run_or_is_misread_is_refused(content: str, places: dict[str, str], what: str) -> None:
    assert what in table(content, **places)[0].what


def test_two_variables_need_their_product_of_outputs() -> None:
    model = TABLE.format(x="1,2", y="3,2").replace("Vars,Temp;", "Vars,Temp,Flow;")
    model += "Table:IndependentVariable,Flow,Linear,Constant,0,100,,Dimensionless,t.csv,2,2;"
    grid = "\n".join(f"{x},{y},{x * y}" for x in (1, 2) for y in (5, 6, 7))
    assert faults(model, f"x,y,z\n{grid}\n") == []
    assert (
        "has 5 outputs, and its variables have 6" in faults(model, f"x,y,z\n{grid[: grid.rindex(chr(10))]}\n")[0].what
    )


SHADING = "Version,25.2;\nTimestep,1;\nSchedule:File:Shading,shade.csv;\n"
HEADER, ROW = "Surface Name,WALL,ROOF,\n", "01/01 01:00,1,0.5,\n"


@pytest.mark.parametrize("hours", [8_760, 8_784])
def test_a_year_of_shading_passes(hours: int) -> None:
    assert faults(SHADING, HEADER + ROW * hours) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (
            HEADER + ROW * 8_759,
            "has 8,759 rows after its header, and Schedule:File:Shading with Timestep 1 needs 8,760",
        ),
        (HEADER * 2 + ROW * 8_760, "has 8,761 rows"),
        (ROW * 8_760, "begins with '01/01 01:00"),
        ("", "is empty"),
        ((HEADER + ROW * 8_760).replace(",", ";"), "begins with 'Surface Name;WALL"),
        (HEADER + ROW * 8_759 + "01/01,one,1\n", "the sunlit fraction of WALL, is 'one'"),
        (HEADER + ROW * 8_759 + "01/01,1\n", "has 2 columns, and the header has 3"),
    ],
)
def test_shading_that_the_engine_ends_at_or_ignores_is_refused(content: str, what: str) -> None:
    (problem,) = faults(SHADING, content)
    assert what in problem.what


WINDOW = "Version,25.2;\nConstruction:WindowDataFile,DOUBLECLEAR,w5.dat;\n"
ENTRY = "Window5 Data File for EnergyPlus\nv1\nDate : today\nWindow name      : DoubleClear\n"


def test_a_window_data_file_must_have_the_window() -> None:
    assert faults(WINDOW, ENTRY) == []
    assert "begins with '<html>'" in faults(WINDOW, "<html>\n" + ENTRY)[0].what
    assert faults(WINDOW, "")[0].what == "is empty"
    (problem,) = faults(WINDOW, ENTRY.replace("DoubleClear", "Triple"))
    assert ("no window called 'DOUBLECLEAR'" in problem.what, problem.allowed) == (True, "'Triple'")


# Records an hour against time steps


def steps(timestep: str, records: int, *levels: float, others: str = "") -> list[Problem]:
    outline = read_outline(f"Version,25.2;\n{timestep}{others}".encode(), "room.idf")
    fields = {"name": "p", "class": "Timestep", "object": "*", "field": "Number of Timesteps per Hour"}
    parameters = [Parameter.model_validate(fields | {"values": levels})] if levels else []
    return list(check_time_steps(outline, "room.idf", parameters, {"town.epw": records}))


@pytest.mark.parametrize(
    ("timestep", "records"),
    [("Timestep,4;", 1), ("Timestep,6;", 1), ("Timestep,2;", 2), ("", 4), ("", 1), ("Timestep,60;", 60)],
)
def test_weather_fits_time_steps_that_the_engine_runs(timestep: str, records: int) -> None:
    assert steps(timestep, records) == []


@pytest.mark.parametrize(("timestep", "records"), [("Timestep,4;", 2), ("Timestep,1;", 2), ("Timestep,6;", 4), ("", 2)])
def test_weather_with_other_intervals_than_the_model_is_refused(timestep: str, records: int) -> None:
    (problem,) = steps(timestep, records)
    assert problem.what.startswith(f"has {records} records an hour, and room.idf runs with Timestep")


def test_each_level_of_a_varied_time_step_counts() -> None:
    assert steps("Timestep,4;", 4, 4.0) == []
    (problem,) = steps("Timestep,4;", 4, 4.0, 6.0)
    assert problem.what.endswith("Timestep 6")


def test_models_whose_time_step_the_engine_chooses_are_not_judged() -> None:
    assert steps("Timestep,4;", 2, others="\nHeatBalanceAlgorithm,ConductionFiniteDifference;") == []


def test_of_many_windows_five_are_listed() -> None:
    content = "".join([ENTRY.replace("DoubleClear", "A"), *(f"Window name : {name}\n" for name in "BCDEF")])
    (problem,) = faults(WINDOW, content)
    assert problem.allowed == "'A', 'B', 'C', 'D', 'E'"
