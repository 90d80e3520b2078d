"""Taking a study in: everything that it names is read and checked, and it is refused with every fault or accepted."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from epsm.checks import study_files
from epsm.checks.rules import Rules
from epsm.checks.study import MAX_STUDY_BYTES, CheckedStudy, check_study
from epsm.errors import StudyRejected
from epsm.estimate import RunTime
from epsm.problems import Problem
from epsm.study.schema import Limits
from tests.conftest import study_document

WITH_FILE = "\nSchedule:File,Use,,{},1,0;\n"
A_YEAR = b"1\n" * 8_760
DAY_OF_WEATHER = "\n".join(
    [
        "LOCATION,Town,,,,,49.50,11.08,1.0,312.0",
        "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,",
        "COMMENTS 2,",
        "DATA PERIODS,1,1,Data,Sunday,1/1,1/1",
        *(f"2001,1,1,{hour},60,?9?9,9,9,9,101325" + 25 * ",9" for hour in range(1, 25)),
    ]
)


class Folder:
    """Files in memory. `late` ones appear with the second look, `gone` ones vanish before they are read."""

    place = "the folder"

    def __init__(
        self, files: Mapping[str, bytes], *, late: Mapping[str, bytes] | None = None, gone: Iterable[str] = ()
    ) -> None:
        self._files = dict(files)
        self._late = dict(late or {})
        self._gone = set(gone)
        self.looked_for: list[set[str]] = []
        self.read_names: list[str] = []

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        if self.looked_for:
            self._files |= self._late
        self.looked_for.append(set(needed))
        return {name: len(content) for name, content in self._files.items()}

    def read(self, name: str) -> bytes | None:
        self.read_names.append(name)
        return None if name in self._gone else self._files[name]


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    """What `study_document()` names; its weather is that of one day, which is quick to read."""
    return {"room.idf": one_zone.encode(), "chicago.epw": DAY_OF_WEATHER.encode()}


def accept(folder: Folder | Mapping[str, bytes], max_variants: int = 1_000, **changes: Any) -> CheckedStudy:
    folder = folder if isinstance(folder, Folder) else Folder(folder)
    return check_study(
        json.dumps(study_document(**changes), ensure_ascii=False).encode(), folder, Rules(Limits(max_variants))
    )


def refuse(folder: Folder | Mapping[str, bytes], max_variants: int = 1_000, **changes: Any) -> list[Problem]:
    with pytest.raises(StudyRejected) as refusal:
        accept(folder, max_variants, **changes)
    return list(refusal.value.problems)


def test_a_sound_study_is_accepted_with_what_it_reads(files: dict[str, bytes]) -> None:
    accepted = accept(files)
    assert accepted.study.models == ("room.idf",)
    assert accepted.inputs == ("room.idf", "chicago.epw")
    assert accepted.external_files == {"room.idf": ()}


def test_a_study_with_a_real_year_is_accepted(files: dict[str, bytes], chicago: Path) -> None:
    assert accept(files | {"chicago.epw": chicago.read_bytes()}).study.weather == ("chicago.epw",)


def test_only_what_the_study_names_is_read(files: dict[str, bytes]) -> None:
    folder = Folder(files | {"notes.txt": b"", "other.idf": b"", "study.json": b"{}"})
    accept(folder)
    assert folder.read_names == ["room.idf", "chicago.epw"]


def test_the_statistics_beside_the_weather_belong_to_the_inputs(files: dict[str, bytes]) -> None:
    assert accept(files | {"chicago.stat": b"", "golden.stat": b""}).inputs == (
        "room.idf",
        "chicago.epw",
        "chicago.stat",
    )


def test_files_in_folders_are_found(files: dict[str, bytes]) -> None:
    moved = {"models/Büro 1.idf": files["room.idf"], "weather/a+b.epw": files["chicago.epw"]}
    assert accept(moved, models=["models/Büro 1.idf"], weather=["weather/a+b.epw"]).inputs == tuple(moved)


def test_several_models_and_weather_files_are_read_in_their_order(files: dict[str, bytes]) -> None:
    more = files | {"a.idf": files["room.idf"], "z.epw": files["chicago.epw"]}
    accepted = accept(more, models=["room.idf", "a.idf"], weather=["z.epw", "chicago.epw"])
    assert accepted.inputs == ("room.idf", "a.idf", "z.epw", "chicago.epw")


# Files that models read


def test_files_that_a_model_reads_belong_to_the_inputs(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("data/use.csv").encode()
    accepted = accept(files | {"room.idf": model, "data/use.csv": A_YEAR})
    assert accepted.inputs == ("room.idf", "chicago.epw", "data/use.csv")
    assert accepted.external_files == {"room.idf": ("data/use.csv",)}


def test_a_file_that_two_models_read_is_read_once(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("use.csv").encode()
    folder = Folder(files | {"a.idf": model, "b.idf": model, "use.csv": A_YEAR})
    accepted = accept(folder, models=["a.idf", "b.idf"])
    assert folder.read_names.count("use.csv") == 1
    assert accepted.external_files == {"a.idf": ("use.csv",), "b.idf": ("use.csv",)}


def test_a_missing_file_that_a_model_reads_is_refused_at_the_model(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("usage.csv").encode()
    (problem,) = refuse(files | {"room.idf": model, "usages.csv": b"1"})
    assert problem == Problem("room.idf", "'usage.csv' is not in the folder", "'usages.csv'")


def test_a_file_outside_the_study_is_never_asked_for(files: dict[str, bytes]) -> None:
    folder = Folder(files | {"room.idf": files["room.idf"] + WITH_FILE.format("../other/use.csv").encode()})
    (problem,) = refuse(folder)
    assert "is outside the study" in problem.what
    assert not any("other" in name for names in folder.looked_for for name in names)


def test_a_file_that_a_model_names_in_the_form_of_macos_is_found(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("Bu\u0308ro.csv").encode()
    assert "B\u00fcro.csv" in accept(files | {"room.idf": model, "B\u00fcro.csv": A_YEAR}).inputs


# Waiting is for the files' owner


def test_what_the_study_names_is_asked_for_at_once(files: dict[str, bytes]) -> None:
    folder = Folder(files)
    accept(folder)
    assert folder.looked_for == [{"room.idf", "chicago.epw"}]


def test_what_the_models_name_is_asked_for_when_it_is_not_there(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("use.csv").encode()
    folder = Folder(files | {"room.idf": model}, late={"use.csv": A_YEAR})
    assert "use.csv" in accept(folder).inputs
    assert folder.looked_for == [{"room.idf", "chicago.epw"}, {"use.csv"}]


def test_a_missing_file_is_looked_for_once_and_not_waited_for() -> None:
    folder = Folder({})
    refuse(folder)
    assert len(folder.looked_for) == 1


# Refusals


def test_missing_files_are_all_named_with_the_place_that_names_them() -> None:
    problems = refuse({"rooms.idf": b""}, models=["room.idf", "hall.idf"], weather=["chicago.epw"])
    assert [(each.where, each.what) for each in problems] == [
        ("study.json: models[0]", "'room.idf' is not in the folder"),
        ("study.json: models[1]", "'hall.idf' is not in the folder"),
        ("study.json: weather[0]", "'chicago.epw' is not in the folder"),
    ]


def test_the_nearest_file_is_suggested_for_a_missing_one(files: dict[str, bytes]) -> None:
    (problem,) = refuse(files, weather=["Chicago.epw"])
    assert problem.allowed == "'chicago.epw'"


def test_faults_of_the_study_its_models_and_its_weather_are_named_together(files: dict[str, bytes]) -> None:
    broken = {
        "room.idf": files["room.idf"].replace(b"25.2", b"9.2", 1),
        "chicago.epw": files["chicago.epw"][:-100],
    }
    parameter = study_document()["parameters"][0] | {"field": "Thikness"}
    problems = refuse(broken, models=["room.idf", "hall.idf"], parameters=[parameter])
    assert {each.where.split(":")[0] for each in problems} == {"study.json", "room.idf", "chicago.epw"}
    assert {"study.json: parameters[0].field", "study.json: models[1]", "room.idf"} <= {each.where for each in problems}


def test_a_study_json_of_a_wrong_shape_does_not_hide_what_is_wrong_with_the_rest(files: dict[str, bytes]) -> None:
    sound = study_document()["parameters"][0]
    parameters = [sound | {"values": "0.1"}, sound | {"name": "other", "field": "Thikness"}]
    options = {"max_concurrency": 0, "color": "red"}
    problems = refuse(files, models=["room.txt", "hall.idf"], parameters=parameters, options=options, outputs=[])
    assert {each.where for each in problems} == {
        "study.json: models[0]",
        "study.json: models[1]",
        "study.json: parameters[0].values",
        "study.json: parameters[1].field",
        "study.json: options.max_concurrency",
        "study.json: options.color",
        "study.json: outputs",
    }


def test_a_fault_is_not_followed_by_those_that_it_causes(files: dict[str, bytes]) -> None:
    model = {"room.idf": files["room.idf"].replace(b"RunPeriod,", b"!", 1)}
    for changes in ({"options": {"run_period": "anual"}}, {"models": ["room.txt"]}, {"options": 3}):
        assert len(refuse(files | model, **changes)) == 1, changes


def test_a_fault_in_one_of_two_models_refuses_the_study(files: dict[str, bytes]) -> None:
    (problem,) = refuse(files | {"hall.idf": b""}, models=["room.idf", "hall.idf"])
    assert problem == Problem("hall.idf", "contains no EnergyPlus object")


def test_an_object_that_only_one_of_two_models_has_refuses_the_study(files: dict[str, bytes]) -> None:
    hall = files["room.idf"].replace(b"Wall Insulation", b"Cork")
    (problem,) = refuse(files | {"hall.idf": hall}, models=["room.idf", "hall.idf"])
    assert problem.where == "study.json: parameters[0].object"
    assert "hall.idf has no Material object called 'Wall Insulation'" in problem.what


def test_a_study_json_with_faults_is_refused_before_anything_is_read(files: dict[str, bytes]) -> None:
    folder = Folder(files)
    assert [each.where for each in refuse(folder, models=[])] == ["study.json: models"]
    assert (folder.looked_for, folder.read_names) == ([], [])


@pytest.mark.parametrize("max_variants", [3, 100])
def test_a_study_within_the_cap_is_accepted(max_variants: int, files: dict[str, bytes]) -> None:
    assert accept(files, max_variants).study.variant_count == 3


def test_a_study_over_the_cap_is_refused_with_the_cap(files: dict[str, bytes]) -> None:
    assert refuse(files, 2) == [Problem("study.json", "asks for 3 variants", "at most 2")]


def test_a_study_far_over_the_cap_is_refused_without_making_its_variants(files: dict[str, bytes]) -> None:
    levels = [1 + number / 1_000 for number in range(1_000)]
    names = ["Thickness", "Conductivity", "Density", "Specific Heat"]
    parameters = [
        {"name": f"p{number}", "class": "Material", "object": "Brick", "field": field, "multiply": levels}
        for number, field in enumerate(names)
    ]
    (problem,) = refuse(files, 100_000, parameters=parameters)
    assert (problem.what, problem.allowed) == ("asks for 1,000,000,000,001 variants", "at most 100,000")


def test_the_cap_is_named_together_with_other_faults(files: dict[str, bytes]) -> None:
    problems = refuse(files, 2, models=["hall.idf"])
    assert {each.where for each in problems} == {"study.json", "study.json: models[0]"}


def test_a_run_may_take_no_longer_than_the_stack_lets_it(files: dict[str, bytes]) -> None:
    document = json.dumps(study_document(options={"timeout_s": 3600})).encode()
    with pytest.raises(StudyRejected) as refusal:
        check_study(document, Folder(files), Rules(Limits(longest_run_s=840)))
    allowed = "at most 840 on this stack, which was deployed without Fargate"
    assert refusal.value.problems == (Problem("study.json: options.timeout_s", "3600 is too large", allowed),)


@pytest.mark.parametrize(("timeout_s", "longest_run_s"), [(840, 840), (3600, 86_400)])
def test_a_run_that_the_stack_has_time_for_is_accepted(
    timeout_s: int, longest_run_s: int, files: dict[str, bytes]
) -> None:
    document = json.dumps(study_document(options={"timeout_s": timeout_s})).encode()
    assert (
        check_study(document, Folder(files), Rules(Limits(longest_run_s=longest_run_s))).study.options.timeout_s
        == timeout_s
    )


def test_a_study_may_be_kept_no_longer_than_what_it_is_made_of(files: dict[str, bytes]) -> None:
    document = json.dumps(study_document(options={"retention_days": 356})).encode()
    with pytest.raises(StudyRejected) as refusal:
        check_study(document, Folder(files), Rules(Limits(longest_retention_days=355)))
    assert [each.where for each in refusal.value.problems] == ["study.json: options.retention_days"]


def test_a_check_without_a_stack_allows_a_day(files: dict[str, bytes]) -> None:
    assert accept(files, options={"timeout_s": 86_400}).study.options.timeout_s == 86_400


def test_a_study_json_that_is_too_large_is_refused_unread() -> None:
    document = b" " * (MAX_STUDY_BYTES + 1)
    with pytest.raises(StudyRejected) as refusal:
        check_study(document, Folder({}), Rules(Limits()))
    assert refusal.value.problems == (Problem("study.json", "has 5,000,001 bytes", "at most 5,000,000"),)


def test_a_file_that_is_too_large_is_refused_unread(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_files, "MAX_FILE_BYTES", 1_000_000)
    folder = Folder(files | {"chicago.epw": bytes(2_000_000)})
    assert refuse(folder) == [Problem("chicago.epw", "has 2,000,000 bytes", "at most 1,000,000")]
    assert folder.read_names == ["room.idf"]


def test_a_file_that_is_deleted_meanwhile_is_refused(files: dict[str, bytes]) -> None:
    (problem,) = refuse(Folder(files, gone=["room.idf"]))
    assert problem == Problem("study.json: models[0]", "'room.idf' was deleted while the study was being read")


def test_a_parameter_that_is_refused_anyway_is_refused_once(files: dict[str, bytes]) -> None:
    parameter = study_document()["parameters"][0] | {"values": [-1, 0.1]}
    assert [each.where for each in refuse(files, parameters=[parameter])] == ["study.json: parameters[0].values[0]"]


def test_a_few_missing_hours_of_weather_are_remarked_not_refused(files: dict[str, bytes]) -> None:
    lines = DAY_OF_WEATHER.splitlines()
    week = [line.replace("2001,1,1,", f"2001,1,{day},") for day in range(1, 8) for line in lines[8:]]
    week[30] = week[30].replace("?9?9,9,", "?9?9,99.9,")
    text = "\n".join([*lines[:7], "DATA PERIODS,1,1,Data,Sunday,1/1,1/7", *week])
    accepted = accept(files | {"chicago.epw": text.encode()})
    (remark,) = accepted.remarks
    assert accepted.input_remarks == {"chicago.epw": (remark,)}
    assert remark.startswith("chicago.epw: dry bulb (column 7) is missing in 1 of 168 records")
    assert accept(files).remarks == ()


@pytest.mark.parametrize(
    ("name", "memory_mb", "size", "largest"),
    [
        ("office.idf", 512, 500_001, "500,000"),
        ("office.idf", 1024, 25_000_000, "24,900,000"),
        ("office.epJSON", 1024, 16_300_000, "16,200,000"),
    ],
)
def test_a_model_that_the_functions_cannot_edit_is_refused(name: str, memory_mb: int, size: int, largest: str) -> None:
    files = Folder({name: b"x" * size, "chicago.epw": b""})
    with pytest.raises(StudyRejected) as caught:
        check_study(
            json.dumps(study_document(models=[name])).encode(), files, Rules(Limits(variant_memory_mb=memory_mb))
        )
    (problem,) = [each for each in caught.value.problems if each.where == name]
    assert f"{size:,} bytes" in problem.what
    assert f"{memory_mb:,} MB" in problem.what
    assert largest in problem.allowed


def test_a_model_that_fits_is_read() -> None:
    files = Folder({"office.idf": b"x" * 50_000_000, "chicago.epw": b""})
    with pytest.raises(StudyRejected) as caught:
        check_study(json.dumps(study_document(models=["office.idf"])).encode(), files, Rules(Limits()))
    assert "bytes" not in " ".join(each.what for each in caught.value.problems)


def test_what_energyplus_passes_over_in_a_model_is_remarked(files: dict[str, bytes]) -> None:
    files["room.idf"] = files["room.idf"].replace(b"1;                       !- Multiplier", b"1.5;")
    (remark,) = accept(files).input_remarks["room.idf"]
    assert "Multiplier is 1.5" in remark


def test_a_model_of_another_place_is_remarked_at_the_weather_file(files: dict[str, bytes]) -> None:
    files["room.idf"] += b"\nSite:Location,Berlin,52.5,13.4,1,49;\n"
    (remark,) = accept(files).input_remarks["chicago.epw"]
    assert remark.startswith("chicago.epw is not from the Site:Location of room.idf (")

    latitude = {"name": "latitude", "class": "Site:Location", "object": "*", "field": "Latitude", "values": [50, 51]}
    assert accept(files, parameters=[latitude]).remarks == ()


# --- What a stack asks beside the files


def rules(**changes: Any) -> Rules:
    return Rules(Limits(), **changes)


def checked(files: Mapping[str, bytes], rules: Rules, **options: Any) -> CheckedStudy:
    return check_study(json.dumps(study_document(options=options)).encode(), Folder(files), rules)


def test_the_study_that_it_is_to_follow_must_be_there_where_that_is_known(files: dict[str, bytes]) -> None:
    with pytest.raises(StudyRejected, match="there is no simulation 'office-1'"):
        checked(files, rules(find_study=lambda simulation: None), after="office-1")

    assert checked(files, rules(), after="office-1").study.options.after == "office-1"


def test_a_budget_is_checked_by_earlier_runs_of_what_was_read(files: dict[str, bytes]) -> None:
    asked: list[str] = []

    def run_time(sha256: str) -> float:
        asked.append(sha256)
        return 3600.0

    with pytest.raises(StudyRejected, match=r"max_cost_usd: 0\.01 is too little"):
        checked(files, rules(run_time=run_time), max_cost_usd=0.01)

    assert asked == [hashlib.sha256(files["room.idf"]).hexdigest()]
    assert checked(files, rules(run_time=run_time), max_cost_usd=100).study.options.max_cost_usd == 100


def test_a_budget_is_not_checked_by_a_guess(files: dict[str, bytes]) -> None:
    for known in (None, lambda sha256: None):
        assert checked(files, rules(run_time=known), max_cost_usd=0.000001).expected_run_times


def test_a_run_is_expected_to_take_as_long_as_the_last_else_as_assumed(files: dict[str, bytes]) -> None:
    assumed = checked(files, rules())
    measured = checked(files, rules(run_time=lambda sha256: 12.5))

    assert assumed.expected_run_times == assumed.run_times == measured.run_times
    assert measured.expected_run_times == {"room.idf": RunTime(12.5, "measured")}
