"""Limits of a stack: variants, sizes, times, budgets; and remarks."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from epsm.checks import cells, study_files
from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.errors import StudyRejected
from epsm.estimate import RunTime
from epsm.problems import Problem
from epsm.study.hashed_document import MAX_STUDY_BYTES
from epsm.study.limits import Limits
from tests.conftest import study_document
from tests.unit.checks.study.folders import DAY_OF_WEATHER, Folder, accept, refuse


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


def test_tables_of_more_variants_than_can_be_read_in_time_are_refused(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "MAX_TABLES_VARIANTS", 2)
    assert refuse(files, 3, outputs={"tables": ["zones", "monthly"]}) == [
        Problem("study.json: outputs.tables", "asks for zones and monthly of 3 variants", "at most 2, or no tables")
    ]
    assert accept(files, 3).study.variant_count == 3


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


@pytest.mark.parametrize("compute", ["container", "spot"])
def test_containers_need_a_stack_with_fargate(compute: str, files: dict[str, bytes]) -> None:
    document = json.dumps(study_document(options={"compute": compute})).encode()
    with pytest.raises(StudyRejected) as refusal:
        check_study(document, Folder(files), Rules(Limits(containers=False)))
    found = f"'{compute}' runs variants in containers"
    allowed = "function on this stack, which was deployed without Fargate"
    assert refusal.value.problems == (Problem("study.json: options.compute", found, allowed),)
    assert check_study(document, Folder(files), Rules(Limits())).study.options.in_containers


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


def test_a_budget_is_checked_by_the_price_of_the_studys_own_compute(files: dict[str, bytes]) -> None:
    slow = rules(run_time=lambda sha256: 3600.0)
    with pytest.raises(StudyRejected, match=r"max_cost_usd: 0\.15 is too little"):
        checked(files, slow, max_cost_usd=0.15)
    assert checked(files, slow, max_cost_usd=0.15, compute="spot").study.options.compute == "spot"
