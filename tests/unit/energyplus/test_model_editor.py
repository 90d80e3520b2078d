"""Editing models: what a render writes, what it leaves alone, and what every run asks of the engine."""

import json
import random
import re
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pyenergyplus
import pytest
from pydantic import ValidationError

from epsm.energyplus import dictionary
from epsm.energyplus.documents import number_text
from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.energyplus.output_requests import REPORTS
from epsm.energyplus.verdict import judge
from epsm.results.reader import read_results
from epsm.study.schema import Study
from tests.conftest import DATA, study_document

REAL_MODELS = Path(pyenergyplus.__file__).parent / "data" / "model"
REWRITTEN = {"output:sqlite", "output:table:summaryreports", "outputcontrol:files"}

INSULATION = {
    "name": "insulation",
    "class": "Material",
    "object": "Wall Insulation",
    "field": "Thickness",
    "values": [0.3],
}


def multiplied(*factors: float) -> dict[str, Any]:
    """The same parameter with factors for the 0.05 m that the model has."""
    return {name: value for name, value in INSULATION.items() if name != "values"} | {"multiply": factors}


def study(*parameters: dict[str, Any], **changes: Any) -> Study:
    return Study.model_validate(study_document(parameters=parameters, **changes))


def prepared(engine: Engine, model: str | bytes, *parameters: dict[str, Any], **changes: Any) -> PreparedModel:
    content = model if isinstance(model, bytes) else model.encode()
    return prepare(content, "room.idf", study(*parameters, **changes), engine.idd)


def outline_of(text: str) -> ModelOutline:
    outline = read_outline(text.encode(), "in.idf")
    assert not outline.problems
    return outline


def values_of(text: str, class_name: str) -> list[tuple[str, ...]]:
    """The IDF values of every object of a class, the name first."""
    return [each.values for each in outline_of(text).of_class(class_name) if isinstance(each.values, tuple)]


def object_of(text: str, class_name: str, name: str) -> tuple[str, ...]:
    (found,) = [values for values in values_of(text, class_name) if values[0] == name]
    return found


def as_number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


# -- the baseline ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [DATA / "one_zone.idf", *sorted(REAL_MODELS.glob("*.idf"))], ids=lambda path: path.stem
)
def test_the_baseline_keeps_every_value_of_the_file(engine: Engine, path: Path) -> None:
    content = path.read_bytes()
    before = read_outline(content, path.name)

    after = outline_of(prepared(engine, content).render({}))

    def numerically(outline: ModelOutline) -> dict[str, list[list[float | str]]]:
        return {
            name: [[as_number(str(value)) for value in each.values] for each in group]
            for name, group in outline.objects.items()
            if name not in REWRITTEN
        }

    assert numerically(after) == numerically(before)


def test_the_baseline_is_the_same_text_every_time(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)

    assert model.render({}) == model.render({})


def test_a_latin_1_file_becomes_utf_8_text(engine: Engine, one_zone: str) -> None:
    content = one_zone.replace("Wall Insulation", "Dämmung").encode("latin-1")

    assert object_of(prepared(engine, content).render({}), "Construction", "Wall") == ("Wall", "Brick", "Dämmung")


def test_a_chinese_name_survives(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone.replace("Wall Insulation", "墙体保温")).render({})

    assert object_of(text, "Material", "墙体保温")[2] == "0.05"


def test_a_byte_order_mark_is_not_part_of_the_model(engine: Engine, one_zone: str) -> None:
    content = one_zone.replace("! A single conditioned room", "Version,25.2;!", 1).replace("\nVersion,25.2;", "", 1)

    text = prepared(engine, b"\xef\xbb\xbf" + content.encode()).render({})

    assert values_of(text, "Version") == [("25.2",)]


# -- parameters --------------------------------------------------------------------------------------------------


def test_an_edit_shows_in_the_text(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone, INSULATION).render({"insulation": 0.3})

    assert object_of(text, "Material", "Wall Insulation")[2] == "0.3"


def test_an_edit_touches_nothing_else(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)

    changed = set(model.render({"insulation": 0.123}).splitlines()) - set(model.render({}).splitlines())

    assert changed == {"  0.123,"}


def test_objects_keep_their_order(engine: Engine, one_zone: str) -> None:
    """The order of surfaces, programs and the like counts for the engine."""
    names = [values[0] for values in values_of(one_zone, "Material")]
    text = prepared(engine, one_zone, INSULATION).render({"insulation": 0.3})

    assert [values[0] for values in values_of(text, "Material")] == names
    assert names[0] != "Wall Insulation" != names[-1]


def test_objects_that_are_not_edited_keep_the_text_of_their_values(engine: Engine, one_zone: str) -> None:
    other = "Material,Other,Rough,1.00E-01,+1.50,1000.0,900.00;\n"

    assert object_of(prepared(engine, one_zone + other, INSULATION).render({}), "Material", "Other")[2:] == (
        *("1.00E-01", "+1.50", "1000.0", "900.00"),
    )


@pytest.mark.parametrize("pattern", ["Office Hours", "*"])
def test_editing_takes_little_memory_whatever_the_class(engine: Engine, one_zone: str, pattern: str) -> None:
    """eppy alone takes 0.7 MB for a Schedule:Compact, however short: its class has 4,500 fields."""
    schedules = "".join(
        f"Schedule:Compact,S{number},,Through: 12/31,For: AllDays,Until: 24:00,{number};\n" for number in range(300)
    )
    hours = {"name": "h", "class": "Schedule:Compact", "object": pattern, "field": "Field 4", "values": ["0.5"]}
    prepared(engine, one_zone, hours)  # reads the IDD
    tracemalloc.start()
    try:
        text = prepared(engine, one_zone + schedules, hours).render({"h": "0.5"})
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert peak_mb < 20
    assert object_of(text, "Schedule:Compact", "S299")[5] == ("0.5" if pattern == "*" else "299")


def test_an_edit_is_undone_for_the_next_variant(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)
    baseline = model.render({})

    model.render({"insulation": 0.3})

    assert model.render({}) == baseline


def test_an_edit_is_undone_after_an_error_in_between(engine: Engine, one_zone: str) -> None:
    # Lighting Level is blank, so the second parameter fails when the first is already set.
    blank = {"name": "lights", "class": "Lights", "field": "Lighting Level", "multiply": [2]}
    model = prepared(engine, one_zone, INSULATION, blank)
    baseline = model.render({})

    with pytest.raises(CannotEdit):
        model.render({"insulation": 0.3, "lights": 2.0})

    assert model.render({}) == baseline


def test_objects_edited_before_the_one_that_fails_are_put_back(engine: Engine, one_zone: str) -> None:
    second = "\nLights,Other Lights,Room,Office Hours,LightingLevel,autosize;\n"
    model_text = one_zone.replace("  ,                        !- Lighting Level {W}", "  480.5,") + second
    model = prepared(engine, model_text, {"name": "w", "class": "Lights", "field": "Lighting Level", "multiply": [0.5]})
    baseline = model.render({})

    with pytest.raises(CannotEdit):
        model.render({"w": 0.5})

    assert model.render({}) == baseline


def test_a_field_behind_the_last_one_is_undone_too(engine: Engine, one_zone: str) -> None:
    layer = {"name": "layer", "class": "Construction", "object": "Wall", "field": "Layer 3", "values": ["Concrete"]}
    model = prepared(engine, one_zone, layer)
    baseline = model.render({})

    model.render({"layer": "Concrete"})

    assert model.render({}) == baseline


def test_a_whole_number_is_undone_to_the_same_text(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone.replace("  0.05, ", "  2, "), INSULATION)
    baseline = model.render({})

    model.render({"insulation": 0.3})

    assert model.render({}) == baseline


def test_a_factor_multiplies_the_value_of_the_model(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, multiplied(1.5, 3))

    text = model.render({"insulation": 3.0})

    assert float(object_of(text, "Material", "Wall Insulation")[2]) == 0.05 * 3.0


def test_a_factor_applies_to_the_model_and_not_to_the_variant_before(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, multiplied(2, 3))

    model.render({"insulation": 2.0})
    text = model.render({"insulation": 3.0})

    assert float(object_of(text, "Material", "Wall Insulation")[2]) == 0.05 * 3.0


def test_a_factor_on_an_integer_field_gives_an_integer(engine: Engine, one_zone: str) -> None:
    steps = {"name": "steps", "class": "Timestep", "field": "Number of Timesteps per Hour", "multiply": [1.5]}

    assert values_of(prepared(engine, one_zone, steps).render({"steps": 1.5}), "Timestep") == [("6",)]


def test_a_product_that_is_no_number_is_refused(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone.replace("  0.05, ", "  50.0, "), multiplied(1e308))

    with pytest.raises(CannotEdit):
        model.render({"insulation": 1e308})


def test_a_text_value_is_written_as_it_is(engine: Engine, one_zone: str) -> None:
    outer = {"name": "outer", "class": "Construction", "object": "Roof", "field": "Outside Layer", "values": ["Brick"]}

    text = prepared(engine, one_zone, outer).render({"outer": "Brick"})

    assert object_of(text, "Construction", "Roof") == ("Roof", "Brick", "Wall Insulation")


@pytest.mark.parametrize(
    "value", ["City; Zone, Uninvited", "City, 90", "City ! and no comma behind it", "City\nSuburbs"]
)
def test_a_text_value_cannot_bring_in_a_field_or_an_object(engine: Engine, one_zone: str, value: str) -> None:
    terrain = {"name": "t", "class": "Building", "field": "Terrain", "values": [value]}

    with pytest.raises((ValidationError, CannotEdit)):
        prepared(engine, one_zone, terrain).render({"t": value})


def test_a_word_may_stand_in_a_number_field(engine: Engine, one_zone: str) -> None:
    volume = {"name": "volume", "class": "Zone", "object": "Room", "field": "Volume", "values": ["autocalculate", 140]}

    text = prepared(engine, one_zone, volume).render({"volume": "autocalculate"})

    assert object_of(text, "Zone", "Room")[8] == "autocalculate"


def test_an_extensible_field_is_found_by_its_number(engine: Engine, one_zone: str) -> None:
    hours = {
        "name": "h",
        "class": "Schedule:Compact",
        "object": "Office Hours",
        "field": "Field 6",
        "values": ["0.7"],
    }

    text = prepared(engine, one_zone, hours).render({"h": "0.7"})

    assert object_of(text, "Schedule:Compact", "Office Hours")[6:8] == ("Until: 18:00", "0.7")


def test_a_vertex_is_found_by_its_number(engine: Engine, one_zone: str) -> None:
    height = {
        "name": "h",
        "class": "FenestrationSurface:Detailed",
        "object": "South Window",
        "field": "Vertex 4 Z-coordinate",
        "values": [2.4],
    }

    text = prepared(engine, one_zone, height).render({"h": 2.4})

    assert object_of(text, "FenestrationSurface:Detailed", "South Window")[-1] == "2.4"


def test_a_star_means_every_object_of_the_class(engine: Engine, one_zone: str) -> None:
    thick = {"name": "t", "class": "Material", "object": "*", "field": "Thickness", "values": [0.2]}

    text = prepared(engine, one_zone, thick).render({"t": 0.2})

    assert [values[2] for values in values_of(text, "Material")] == ["0.2", "0.2", "0.2"]


def test_a_star_in_a_name_means_any_characters(engine: Engine, one_zone: str) -> None:
    thick = {"name": "t", "class": "Material", "object": "*c*", "field": "Thickness", "values": [0.2]}

    text = prepared(engine, one_zone, thick).render({"t": 0.2})

    assert [values[2] for values in values_of(text, "Material")] == ["0.2", "0.05", "0.2"]


def test_case_does_not_count_in_names(engine: Engine, one_zone: str) -> None:
    shouted = {"name": "t", "class": "MATERIAL", "object": "WALL insulation", "field": "THICKNESS", "values": [0.2]}

    text = prepared(engine, one_zone, shouted).render({"t": 0.2})

    assert object_of(text, "Material", "Wall Insulation")[2] == "0.2"


def test_only_ascii_letters_lose_their_case_as_in_the_engine(engine: Engine, one_zone: str) -> None:
    two = "Material,Putz Strasse,Rough,0.1,1,1000,900;\nMaterial,Putz Straße,Rough,0.2,1,1000,900;\n"
    strasse = {"name": "t", "class": "Material", "object": "PUTZ STRASSE", "field": "Thickness", "values": [0.3]}

    text = prepared(engine, one_zone + two, strasse).render({"t": 0.3})

    assert object_of(text, "Material", "Putz Strasse")[2] == "0.3"
    assert object_of(text, "Material", "Putz Straße")[2] == "0.2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"object": "No Such"}, "insulation: the model has no Material 'No Such'"),
        ({"field": "No Such"}, "insulation: Material has no field 'No Such'"),
        ({"class": "NoSuch"}, "'NoSuch' is not a class of EnergyPlus"),
    ],
)
def test_a_parameter_that_does_not_fit_says_why(
    engine: Engine, one_zone: str, change: dict[str, str], message: str
) -> None:
    model = prepared(engine, one_zone, INSULATION | change)

    with pytest.raises(CannotEdit) as refused:
        model.render({"insulation": 0.3})

    assert str(refused.value) == message


def test_a_value_that_cannot_be_multiplied_is_named(engine: Engine, one_zone: str) -> None:
    blank = {"name": "lights", "class": "Lights", "field": "Lighting Level", "multiply": [2]}

    with pytest.raises(CannotEdit, match="lights: '' cannot be multiplied"):
        prepared(engine, one_zone, blank).render({"lights": 2.0})


def test_two_models_are_edited_independently_in_one_process(engine: Engine, one_zone: str) -> None:
    thick = prepared(engine, one_zone.replace("  0.05, ", "  0.5,"), INSULATION)
    thin = prepared(engine, one_zone, INSULATION)

    thick.render({"insulation": 0.3})

    assert object_of(thin.render({}), "Material", "Wall Insulation")[2] == "0.05"


# -- numbers -----------------------------------------------------------------------------------------------------


def test_any_number_is_read_back_exactly() -> None:
    source = random.Random(25_2)
    every_bit_pattern = (struct.unpack("<d", source.randbytes(8))[0] for _ in range(20_000))
    everyday = (round(source.uniform(-1e6, 1e6), source.randint(0, 9)) for _ in range(20_000))

    wrong = [
        value
        for value in (*every_bit_pattern, *everyday, 0.0, -0.0, 1e15, 1e15 + 1, 5e-324, 1.7976931348623157e308)
        if value == value and abs(value) != float("inf") and float(number_text(value)) != value
    ]

    assert wrong == []


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (-2.0, "-2"), (0.1, "0.1"), (1e-7, "1e-07"), (4, "4")])
def test_a_number_is_written_short(value: float, text: str) -> None:
    assert number_text(value) == text


# -- what every run asks of the engine ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "existing",
    ["", "Output:SQLite,Simple;", "OUTPUT:SQLITE,SimpleAndTabular,InchPound,Yes;"],
    ids=["none", "simple", "ip"],
)
def test_tables_are_asked_for_in_kwh_with_all_digits(engine: Engine, one_zone: str, existing: str) -> None:
    text = prepared(engine, f"{one_zone}\n{existing}\n").render({})

    assert values_of(text, "Output:SQLite") == [("SimpleAndTabular", "JtoKWH", "No")]


def without_reports(model: str) -> str:
    return model.replace("Output:Table:SummaryReports,\n  AllSummary;", "")


def test_the_reports_that_results_are_read_from_are_added(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, without_reports(one_zone)).render({})

    assert values_of(text, "Output:Table:SummaryReports") == [REPORTS]


def test_the_reports_of_the_model_are_kept(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Table:SummaryReports,ClimaticDataSummary,demandEndUseComponentsSummary,ZoneComponentLoadSummary;\n"

    text = prepared(engine, without_reports(one_zone) + own).render({})

    assert values_of(text, "Output:Table:SummaryReports") == [
        (
            "ClimaticDataSummary",
            "demandEndUseComponentsSummary",
            "ZoneComponentLoadSummary",
            "AnnualBuildingUtilityPerformanceSummary",
            "InputVerificationandResultsSummary",
            *REPORTS[3:],
        )
    ]


@pytest.mark.parametrize("everything", ["AllSummary", "AllSummaryAndMonthly", "allsummaryandsizingperiod"])
def test_no_report_is_added_where_all_are_asked_for(engine: Engine, one_zone: str, everything: str) -> None:
    text = prepared(engine, one_zone.replace("AllSummary;", f"{everything};")).render({})

    assert values_of(text, "Output:Table:SummaryReports") == [(everything,)]


def test_a_model_that_asks_for_series_reports_nothing_during_warm_up(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Diagnostics,ReportDuringWarmup,DisplayExtraWarnings;\n"

    text = prepared(engine, one_zone + own, outputs={"meters": ["Electricity:Facility"]}).render({})

    assert values_of(text, "Output:Diagnostics") == [("DisplayExtraWarnings",)]


def test_a_model_without_series_keeps_its_diagnostics(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Diagnostics,ReportDuringWarmup;\n"

    assert values_of(prepared(engine, one_zone + own).render({}), "Output:Diagnostics") == [("ReportDuringWarmup",)]


def test_meters_are_requested_at_the_frequency(engine: Engine, one_zone: str) -> None:
    outputs = {"meters": ["Electricity:Facility", "DistrictCooling:Facility"], "frequency": "Daily"}

    text = prepared(engine, one_zone, outputs=outputs).render({})

    assert values_of(text, "Output:Meter") == [("Electricity:Facility", "Daily"), ("DistrictCooling:Facility", "Daily")]


def test_variables_are_requested_for_all_keys(engine: Engine, one_zone: str) -> None:
    outputs = {"variables": ["Zone Mean Air Temperature"], "frequency": "Timestep"}

    text = prepared(engine, one_zone, outputs=outputs).render({})

    assert values_of(text, "Output:Variable") == [("*", "Zone Mean Air Temperature", "Timestep")]


def test_nothing_is_requested_that_the_study_does_not_ask_for(engine: Engine, one_zone: str) -> None:
    outline = outline_of(prepared(engine, one_zone).render({}))

    assert not {"output:meter", "output:variable"} & set(outline.objects)


def test_requests_of_the_model_stay_beside_those_of_the_study(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Meter,Electricity:Building,Monthly;\n"

    text = prepared(engine, one_zone + own, outputs={"meters": ["Electricity:Facility"]}).render({})

    assert values_of(text, "Output:Meter") == [("Electricity:Building", "Monthly"), ("Electricity:Facility", "Hourly")]


def files_written(text: str) -> set[str]:
    """The switches of OutputControl:Files that are on."""
    rule = dictionary.load().find_class("OutputControl:Files")
    assert rule is not None
    (values,) = values_of(text, "OutputControl:Files")
    assert set(values) <= {"Yes", "No"}
    return {field.name for field, value in zip(rule.fields, values, strict=True) if value == "Yes"}


READ_BACK_BY_THE_ENGINE = {"Output DelightIn", "Output DelightELdmp", "Output DelightDFdmp"}
NEEDED = {"Output EIO", "Output SQLite", "Output END"} | READ_BACK_BY_THE_ENGINE


@pytest.mark.parametrize(
    ("keep", "more"),
    [
        ([], set()),
        (["err", "sql", "eio"], set()),
        (["htm"], {"Output Tabular"}),
        (["csv"], {"Output CSV"}),
        (["eso"], {"Output ESO"}),
        (["mtr"], {"Output MTR"}),
        (["audit"], {"Output AUDIT"}),
        (["rdd", "mdd"], {"Output RDD", "Output MDD"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_only_files_that_are_read_or_kept_are_written(
    engine: Engine, one_zone: str, keep: list[str], more: set[str]
) -> None:
    text = prepared(engine, one_zone, outputs={"keep": keep}).render({})

    assert files_written(text) == NEEDED | more


def test_files_that_the_model_has_switched_off_are_written_all_the_same(engine: Engine, one_zone: str) -> None:
    off = f"\nOutputControl:Files,{','.join(['No'] * 33)};\n"

    assert files_written(prepared(engine, one_zone + off).render({})) == NEEDED


def test_files_that_the_model_has_switched_on_are_not_written(engine: Engine, one_zone: str) -> None:
    on = f"\nOutputControl:Files,{','.join(['Yes'] * 33)};\n"

    assert files_written(prepared(engine, one_zone + on).render({})) == NEEDED


DELIGHT = """
Daylighting:Controls,Daylight,Room,DELight,,Continuous,0.3,0.2,1,1,Desk,0,20,0.5,Desk,1,500;
Daylighting:ReferencePoint,Desk,Room,4,2,0.8;
"""


def test_daylighting_by_delight_runs(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    """DElight gets its input through a file that OutputControl:Files can switch off."""
    (tmp_path / "in.idf").write_text(prepared(engine, one_day + DELIGHT).render({}), encoding="utf-8")

    ended = run(command(engine, tmp_path / "in.idf", chicago, tmp_path / "out"), tmp_path, timeout_s=60)

    assert judge(ended, tmp_path / "out").message == ""


def test_empty_fields_behind_the_last_are_left_out(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    """The engine passes over them; eppy cannot read them."""
    changed = one_day.replace("Timestep,4;", "Timestep,4,,;").replace("AllSummary;", "AllSummary,,;")
    model = prepared(engine, changed, INSULATION)

    text = model.render({"insulation": 0.3})

    assert values_of(text, "Timestep") == [("4",)]
    assert object_of(text, "Material", "Wall Insulation")[2] == "0.3"
    assert {key: len(group) for key, group in outline_of(text).objects.items() if key not in REWRITTEN} == {
        key: len(group) for key, group in outline_of(one_day).objects.items() if key not in REWRITTEN
    }
    (tmp_path / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, tmp_path / "in.idf", chicago, tmp_path / "out"), tmp_path, timeout_s=60)
    assert judge(ended, tmp_path / "out").message == ""


def test_a_kept_htm_is_written_as_html(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone, outputs={"keep": ["htm"]}).render({})

    assert values_of(text, "OutputControl:Table:Style") == [("HTML",)]


def test_the_units_of_the_models_own_tables_are_kept(engine: Engine, one_zone: str) -> None:
    own = "\nOutputControl:Table:Style,Comma,InchPound,No;\n"

    text = prepared(engine, one_zone + own, outputs={"keep": ["htm"]}).render({})

    assert values_of(text, "OutputControl:Table:Style") == [("HTML", "InchPound", "No")]


@pytest.fixture(scope="module")
def everything_kept(engine: Engine, one_day: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run whose study keeps every kind of file."""
    folder = tmp_path_factory.mktemp("kept")
    kinds = ["err", "sql", "htm", "eio", "eso", "mtr", "csv", "audit", "rdd", "mdd"]
    outputs = {"keep": kinds, "meters": ["Electricity:Facility"]}
    (folder / "in.idf").write_text(prepared(engine, one_day, outputs=outputs).render({}), encoding="utf-8")
    run(command(engine, folder / "in.idf", chicago, folder / "out"), folder, timeout_s=60)
    return folder / "out"


@pytest.mark.parametrize(
    "name",
    [
        "eplusout.err",
        "eplusout.sql",
        "eplustbl.htm",
        "eplusout.eio",
        "eplusout.eso",
        "eplusout.mtr",
        "eplusout.csv",
        "eplusout.audit",
        "eplusout.rdd",
        "eplusout.mdd",
    ],
)
def test_the_engine_writes_what_is_kept(everything_kept: Path, name: str) -> None:
    assert (everything_kept / name).stat().st_size > 0


# -- run periods and templates -----------------------------------------------------------------------------------

SECOND_PERIOD = "\nRunPeriod,Summer,7,1,,7,2,,,No,No;\n"


def test_a_whole_year_drops_further_run_periods(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone + SECOND_PERIOD, options={"run_period": "annual"}).render({})

    assert [values[0] for values in values_of(text, "RunPeriod")] == ["Whole Year"]


def test_a_whole_year_of_a_run_period_over_two_years_ends_in_the_first(engine: Engine, one_zone: str) -> None:
    two_years = re.sub(r"(?ms)^RunPeriod,.*?;", "RunPeriod,Two,7,1,2017,6,30,2018,,No,No;", one_zone)

    text = prepared(engine, two_years, options={"run_period": "annual"}).render({})

    (values,) = values_of(text, "RunPeriod")
    assert (float(values[3]), float(values[6])) == (2017, 2017)


@pytest.mark.parametrize("run_period", ["as_in_model", "design_days"])
def test_run_periods_stay_where_no_whole_year_is_asked_for(engine: Engine, one_zone: str, run_period: str) -> None:
    text = prepared(engine, one_zone + SECOND_PERIOD, options={"run_period": run_period}).render({})

    assert [values[0] for values in values_of(text, "RunPeriod")] == ["Whole Year", "Summer"]


@pytest.mark.parametrize("class_name", ["HVACTemplate:Thermostat", "hvactemplate:thermostat"])
def test_templates_need_expansion(engine: Engine, one_zone: str, class_name: str) -> None:
    assert prepared(engine, f"{one_zone}\n{class_name},T,,20,,26;\n").needs_expansion


def test_a_model_without_templates_needs_no_expansion(engine: Engine, one_zone: str) -> None:
    assert not prepared(engine, one_zone).needs_expansion


# -- epJSON ------------------------------------------------------------------------------------------------------

Epjson = dict[str, dict[str, dict[str, Any]]]


def small_epjson() -> Epjson:
    return {
        "Version": {"Version 1": {"version_identifier": "25.2"}},
        "timestep": {"Timestep 1": {"number_of_timesteps_per_hour": 4}},
        "Material": {
            "Brick": {"roughness": "Rough", "thickness": 0.12, "conductivity": 0.9},
            "墙体保温": {"roughness": "Rough", "thickness": 0.05, "conductivity": 0.035},
        },
        "Construction": {"Wall": {"outside_layer": "Brick", "layer_2": "墙体保温"}},
        "Schedule:Compact": {"Hours": {"data": [{"field": "Through: 12/31"}, {"field": "For: AllDays"}]}},
        "RunPeriod": {"Winter": {"begin_month": 1}, "Summer": {"begin_month": 7}},
        "Output:SQLite": {"Output:SQLite 1": {"option_type": "Simple"}},
        "Output:Table:SummaryReports": {"Reports": {"reports": [{"report_name": "ClimaticDataSummary"}]}},
        "OutputControl:Files": {"Files": {"output_end": "No", "output_sqlite": "No"}},
    }


def prepared_epjson(engine: Engine, model: Epjson, *parameters: dict[str, Any], **changes: Any) -> PreparedModel:
    content = json.dumps(model, ensure_ascii=False).encode()
    return prepare(content, "room.epJSON", study(*parameters, **changes), engine.idd)


def classes_of(text: str) -> Epjson:
    classes: Epjson = json.loads(text)
    return classes


def test_epjson_is_written_under_its_own_ending(engine: Engine) -> None:
    assert prepared_epjson(engine, small_epjson()).file_name == "in.epJSON"


def test_an_epjson_baseline_keeps_every_value(engine: Engine) -> None:
    before = small_epjson()

    after = classes_of(prepared_epjson(engine, before).render({}))

    assert {n: g for n, g in after.items() if n.casefold() not in REWRITTEN} == {
        n: g for n, g in before.items() if n.casefold() not in REWRITTEN
    }


def test_an_epjson_edit_shows_and_is_undone(engine: Engine) -> None:
    thick = {"name": "t", "class": "Material", "object": "墙体*", "field": "Thickness", "values": [0.2]}
    model = prepared_epjson(engine, small_epjson(), thick)
    baseline = model.render({})

    edited = classes_of(model.render({"t": 0.2}))

    assert (edited["Material"]["墙体保温"]["thickness"], model.render({})) == (0.2, baseline)


def test_an_epjson_factor_multiplies_every_object(engine: Engine) -> None:
    thick = {"name": "t", "class": "Material", "field": "Thickness", "multiply": [2]}

    edited = classes_of(prepared_epjson(engine, small_epjson(), thick).render({"t": 2.0}))

    assert [each["thickness"] for each in edited["Material"].values()] == [0.24, 0.1]


def test_an_epjson_value_is_undone_after_an_error_in_between(engine: Engine) -> None:
    thick = {"name": "t", "class": "Material", "field": "Thickness", "values": [0.2]}
    missing = {"name": "d", "class": "Material", "field": "Density", "multiply": [2]}
    model = prepared_epjson(engine, small_epjson(), thick, missing)
    baseline = model.render({})

    with pytest.raises(CannotEdit):
        model.render({"t": 0.2, "d": 2.0})

    assert model.render({}) == baseline


def test_an_epjson_extensible_field_is_found_by_its_number(engine: Engine) -> None:
    day = {"name": "d", "class": "Schedule:Compact", "field": "Field 2", "values": ["For: Weekdays"]}

    edited = classes_of(prepared_epjson(engine, small_epjson(), day).render({"d": "For: Weekdays"}))

    assert edited["Schedule:Compact"]["Hours"]["data"] == [{"field": "Through: 12/31"}, {"field": "For: Weekdays"}]


def test_an_epjson_field_behind_the_last_one_is_undone_too(engine: Engine) -> None:
    day = {"name": "d", "class": "Schedule:Compact", "field": "Field 3", "values": ["Until: 24:00"]}
    model = prepared_epjson(engine, small_epjson(), day)
    baseline = model.render({})

    model.render({"d": "Until: 24:00"})

    assert model.render({}) == baseline


def test_an_epjson_integer_stays_an_integer(engine: Engine) -> None:
    steps = {"name": "s", "class": "Timestep", "field": "Number of Timesteps per Hour", "values": [6]}

    assert '"number_of_timesteps_per_hour": 6\n' in prepared_epjson(engine, small_epjson(), steps).render({"s": 6.0})


def test_an_epjson_integer_field_takes_its_word(engine: Engine) -> None:
    rule = "AirTerminal:SingleDuct:ConstantVolume:CooledBeam"
    beams = {"name": "b", "class": rule, "field": "Number of Beams", "values": ["Autosize"]}

    text = prepared_epjson(engine, {rule: {"Terminal": {"number_of_beams": 3}}}, beams).render({"b": "Autosize"})

    assert classes_of(text)[rule]["Terminal"]["number_of_beams"] == "Autosize"


def test_an_epjson_gets_what_every_run_needs(engine: Engine) -> None:
    classes = classes_of(prepared_epjson(engine, small_epjson(), outputs={"keep": ["htm"]}).render({}))

    (sqlite,) = classes["Output:SQLite"].values()
    (reports,) = classes["Output:Table:SummaryReports"].values()
    (files,) = classes["OutputControl:Files"].values()
    assert sqlite == {
        "option_type": "SimpleAndTabular",
        "unit_conversion_for_tabular_data": "JtoKWH",
        "format_numeric_values_for_tabular_data": "No",
    }
    assert [each["report_name"] for each in reports["reports"]] == ["ClimaticDataSummary", *REPORTS]
    assert {name for name, value in files.items() if value == "Yes"} == {
        "output_eio",
        "output_sqlite",
        "output_end",
        "output_tabular",
        "output_delightin",
        "output_delighteldmp",
        "output_delightdfdmp",
    }


def test_an_epjson_gets_every_meter_and_variable(engine: Engine) -> None:
    outputs = {"meters": ["Electricity:Facility", "Water:Facility"], "variables": ["Zone Mean Air Temperature"]}

    classes = classes_of(prepared_epjson(engine, small_epjson(), outputs=outputs).render({}))

    assert [each["key_name"] for each in classes["Output:Meter"].values()] == ["Electricity:Facility", "Water:Facility"]
    assert list(classes["Output:Variable"].values()) == [
        {"key_value": "*", "variable_name": "Zone Mean Air Temperature", "reporting_frequency": "Hourly"}
    ]


def test_an_epjson_request_replaces_none_of_the_model(engine: Engine) -> None:
    own = {"Output:Meter 2": {"key_name": "Electricity:Building", "reporting_frequency": "Monthly"}}
    outputs = {"meters": ["Electricity:Facility", "Water:Facility"]}

    classes = classes_of(prepared_epjson(engine, small_epjson() | {"Output:Meter": own}, outputs=outputs).render({}))

    assert [each["key_name"] for each in classes["Output:Meter"].values()] == [
        "Electricity:Building",
        "Electricity:Facility",
        "Water:Facility",
    ]


def test_an_epjson_whole_year_drops_further_run_periods(engine: Engine) -> None:
    text = prepared_epjson(engine, small_epjson(), options={"run_period": "annual"}).render({})

    assert list(classes_of(text)["RunPeriod"]) == ["Winter"]


def test_an_epjson_gives_what_its_idf_gives(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    (tmp_path / "room.idf").write_text(one_day, encoding="utf-8")
    convert = [str(engine.executable), "--convert-only", "--output-directory", str(tmp_path), "room.idf"]
    run(convert, tmp_path, timeout_s=60)
    content = {source: (tmp_path / source).read_bytes() for source in ("room.idf", "room.epJSON")}

    def heating(source: str) -> float | None:
        folder = tmp_path / source.replace(".", "-")
        folder.mkdir()
        model = prepare(content[source], source, study(INSULATION), engine.idd)
        path = folder / model.file_name
        path.write_text(model.render({"insulation": 0.3}), encoding="utf-8")
        ended = run(command(engine, path, chicago, folder / "out"), folder, timeout_s=60)
        diagnosis = judge(ended, folder / "out")
        return read_results(folder / "out" / "eplusout.sql", diagnosis.environments).metrics["heating_kwh"]

    assert heating("room.epJSON") == pytest.approx(heating("room.idf"), rel=1e-6)


def test_a_render_of_the_first_day_ends_each_run_period_where_it_begins(engine: Engine, one_zone: str) -> None:
    second = "\nRunPeriod,Summer,7,1,2017,9,30,2018;\n"
    model = prepared(engine, one_zone + second)
    cut = [values[1:7] for values in values_of(model.render({}, first_day=True), "RunPeriod")]
    assert cut[0] == ("1", "1", "", "1", "1", "")
    assert [float(value) for value in cut[1]] == [7, 1, 2017, 7, 1, 2017]


def test_a_render_of_the_first_day_leaves_the_next_render_alone(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)
    before = model.render({"insulation": 0.3})
    model.render({"insulation": 0.3}, first_day=True)
    assert model.render({"insulation": 0.3}) == before


def test_a_first_day_of_an_annual_study_is_simulated_whatever_simulation_control_says(
    engine: Engine, one_zone: str
) -> None:
    never = one_zone.replace("Yes;                     !- Run Simulation for Weather", "No;  !- Run", 1)
    assert never != one_zone
    model = prepared(engine, never, options={"run_period": "annual"})
    (control,) = values_of(model.render({}, first_day=True), "SimulationControl")
    assert control[3:5] == ("No", "Yes")


def test_a_render_of_the_first_day_of_an_epjson_model_is_cut_too(engine: Engine) -> None:
    period = {"begin_month": 3, "begin_day_of_month": 2, "end_month": 12, "end_day_of_month": 31, "end_year": 2018}
    model = prepared_epjson(engine, {"RunPeriod": {"Year": period}})
    cut = json.loads(model.render({}, first_day=True))["RunPeriod"]["Year"]
    assert cut == {"begin_month": 3, "begin_day_of_month": 2, "end_month": 3, "end_day_of_month": 2}
