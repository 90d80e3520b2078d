"""Studies built in Python: the places of their files, their content, and how they are refused, saved and loaded."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import epsm
from infra.tools.packaging import ROOT

DATA = ROOT / "tests" / "data"
WEATHER = ROOT / "examples" / "office-retrofit" / "chicago.epw"
TABLE = """
  Schedule:File, Occupancy, , {}, 1, 0, 8760, Comma, No, 60;
"""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A model in a folder of its own."""
    (tmp_path / "models").mkdir()
    return Path(shutil.copy(DATA / "one_zone.idf", tmp_path / "models" / "room.idf"))


def north(study: epsm.Study, values: object = (10, 20)) -> epsm.Study:
    return study.vary("north", "Building", "*", "North Axis", values=values)  # type: ignore[arg-type]


def test_a_check_says_what_will_run(room: Path) -> None:
    found = north(epsm.Study([room], [WEATHER])).check()
    assert (found.variants, found.energyplus, found.parameters) == (3, "25.2", ("north",))
    (changed,) = found.matches["models/room.idf"].values()
    assert len(changed) == 1
    weather = "office-retrofit/chicago"
    assert found.files == ("models/room.idf", f"{weather}.epw", f"{weather}.stat")
    assert "3 variants" in str(found)


def test_vary_leaves_the_study_as_it_was(room: Path) -> None:
    study = epsm.Study([room], [WEATHER])
    assert (north(study).variants, study.variants) == (3, 1)


def test_a_measure_is_a_parameter_with_its_variants_as_levels(room: Path) -> None:
    walls = {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included"}
    variants = {"warm": {"constructions": [walls]}, "dark": {"loads": [{"kind": "lighting", "multiply": 0}]}}
    study = epsm.Study([room], [WEATHER])

    found = study.measure("retrofit", variants).check()
    assert (found.variants, found.parameters) == (3, ("retrofit",))
    assert "construction of wall_exterior of 4 objects" in str(found)
    assert study.measure("retrofit", variants, values=["dark"]).variants == 2
    with pytest.raises(epsm.StudyRejected, match=r"measures\[0\]"):
        study.measure("retrofit", {"none": {}})


def test_a_measure_states_emissions_and_cost(room: Path) -> None:
    walls = {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included"}
    study = epsm.Study([room], [WEATHER], impact={"currency": "EUR"})
    variants = {"warm": {"constructions": [walls]}}

    priced = study.measure("retrofit", variants, gwp={"warm": {"kgco2e": 900}}, cost={"warm": {"one_off": 4000}})

    (stated,) = priced.document["measures"][0]["variants"]
    assert (stated["gwp"], stated["cost"]) == ({"kgco2e": 900}, {"one_off": 4000})
    assert priced.check().variants == 2
    with pytest.raises(epsm.StudyRejected, match=r"retrofit: gwp: 'wram' is not a variant \(allowed: 'warm'\)"):
        study.measure("retrofit", variants, gwp={"wram": {"kgco2e": 900}})


def test_numbers_of_numpy_are_numbers(room: Path) -> None:
    study = north(epsm.Study([room], [WEATHER]), np.linspace(0, 90, 4))
    assert study.document["parameters"][0]["values"] == [0, 30, 60, 90]


def test_a_wrong_parameter_is_refused_where_it_is_written(room: Path) -> None:
    with pytest.raises(epsm.StudyRejected, match=r"parameters\[0\]") as refused:
        epsm.Study([room], [WEATHER]).vary("north", "Building", "*", "North Axis", vlaues=[1])
    assert any("vlaues" in problem.where for problem in refused.value.problems)


def test_a_study_that_cannot_run_is_refused_with_every_problem(room: Path) -> None:
    study = epsm.Study([room], ["nowhere.epw"]).vary("x", "Building", "*", "North Pole", values=[1])
    with pytest.raises(epsm.StudyRejected) as refused:
        study.check()
    assert len(refused.value.problems) == 2
    assert isinstance(refused.value, epsm.EpsmError)


def test_one_path_instead_of_a_list_is_refused(room: Path) -> None:
    with pytest.raises(TypeError, match="list"):
        epsm.Study(str(room), [WEATHER])


def test_files_of_one_name_in_several_folders_are_kept_apart(tmp_path: Path) -> None:
    models = [tmp_path / version / "models" / "room.idf" for version in ("v1", "v2")]
    for model in models:
        model.parent.mkdir(parents=True)
        shutil.copy(DATA / "one_zone.idf", model)
    study = epsm.Study(models, [WEATHER])
    assert study.document["models"] == ["v1/models/room.idf", "v2/models/room.idf"]
    assert study.check().variants == 2


def with_table(model: Path, name: str) -> None:
    model.write_text(model.read_text(encoding="utf-8") + TABLE.format(name), encoding="utf-8")


def test_a_file_that_a_model_reads_is_found_beside_it_and_saved(room: Path, tmp_path: Path) -> None:
    with_table(room, "tables/occupancy.csv")
    (room.parent / "tables").mkdir()
    (room.parent / "tables" / "occupancy.csv").write_text("1\n" * 8760, encoding="utf-8")
    study = north(epsm.Study([room], [WEATHER], name="With a table"))
    assert "models/tables/occupancy.csv" in study.check().files
    loaded = epsm.load(study.save(tmp_path / "saved"))
    assert loaded.check().files == study.check().files
    assert loaded.document == study.document


def test_a_link_out_of_the_folder_is_not_followed(room: Path, tmp_path: Path) -> None:
    with_table(room, "secret.csv")
    (tmp_path / "secret.csv").write_text("1\n" * 8760, encoding="utf-8")
    (room.parent / "secret.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(epsm.StudyRejected, match=r"secret\.csv"):
        epsm.Study([room], [WEATHER]).check()


def test_paths_are_relative_to_the_folder_that_is_given(room: Path) -> None:
    shutil.copy(WEATHER, room.parent.parent)
    for model in (room, Path("models/room.idf")):
        study = epsm.Study([model], ["chicago.epw"], folder=room.parent.parent)
        assert study.check().files == ("models/room.idf", "chicago.epw")


def test_the_example_is_loaded_from_its_folder() -> None:
    folder = ROOT / "examples" / "office-retrofit"
    assert epsm.check(folder).variants == epsm.load(folder).variants
    written = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    assert epsm.load(folder).document["parameters"] == written["parameters"]


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(epsm.StudyRejected, match="holds no study"):
        epsm.load(tmp_path)


def test_options_and_outputs_are_models_or_mappings(room: Path) -> None:
    made = epsm.Study(
        [room],
        [WEATHER],
        options=epsm.Options(run_period="annual"),
        outputs={"meters": ["Electricity:Facility"], "frequency": "Monthly"},
    )
    assert made.document["options"] == {"run_period": "annual"}
    assert made.document["outputs"]["meters"] == ["Electricity:Facility"]


def test_samples_are_drawn_from_distributions(room: Path) -> None:
    study = epsm.Study([room], [WEATHER]).vary(
        "north", "Building", "*", "North Axis", distribution={"kind": "uniform", "low": 0, "high": 90}
    )
    study = study.sample("latin_hypercube", samples=8, seed=7)
    assert study.check().variants == 9
    assert study.with_options(max_concurrency=5).document["options"] == {"max_concurrency": 5}
    assert study.with_outputs(keep=["err"]).document["outputs"] == {"keep": ["err"]}


def test_a_study_shows_its_name_and_how_much_it_varies(room: Path) -> None:
    study = epsm.Study([room], [WEATHER])
    assert repr(study) == "Study('room', 1 model, 0 parameters)"
    assert (
        repr(north(epsm.Study([room, DATA / "one_zone.idf"], [WEATHER], name="Office")))
        == "Study('Office', 2 models, 1 parameter)"
    )


def test_a_study_that_cannot_be_saved_names_the_file(room: Path, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "models").write_text("", encoding="utf-8")
    with pytest.raises(epsm.CannotWrite, match=r"saved/models.* cannot be written: "):
        north(epsm.Study([room], [WEATHER])).save(tmp_path / "saved")
