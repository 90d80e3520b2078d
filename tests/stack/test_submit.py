"""Submitting on the deployed stack: studies that start or are refused; other cases are in tests/unit/pipeline."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from epsm.client.folder import check_folder
from epsm.client.upload import upload
from epsm.store import keys
from epsm.study.manifest import RunManifest
from epsm.study.records import StudyStatus
from epsm_local.provider import connection as local_connection
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker
from tests.support import (
    files_of,
    object_names,
    records_of,
    result_file,
    result_json,
    run_study,
    upload_file,
    upload_study,
    wait_for_end,
)


def rejected(stack: LocalStack, folder: Path) -> list[dict[str, str]]:
    """The problems of a study that is expected to be refused, from the file that the modeller finds."""
    record = wait_for_end(stack, upload_study(stack, folder))
    assert (record.status, bool(record.problems)) == (StudyStatus.REJECTED, True)
    listed = stack.client("stepfunctions").list_executions(stateMachineArn=stack.outputs.state_machine_arn)
    assert record.simulation_id not in [each["name"] for each in listed["executions"]]
    return list(result_json(stack, record.simulation_id, "errors.json")["problems"])


def test_a_sampled_study_runs_from_its_upload_to_its_results_and_another_name_starts_nothing(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    wall: dict[str, Any] = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
    wall["range"] = {"from": 0.1, "to": 0.3}
    sampling = {"method": "latin_hypercube", "samples": 2}
    folder = make_study(name="Two insulations", parameters=[wall], sampling=sampling)
    before = {record.simulation_id for record in records_of(stack).studies(limit=200)}
    # The record of the study after it shows that its event, which comes before, has been looked at.
    upload_file(stack, "other/mystudy.json", (folder / "study.json").read_bytes())
    record = run_study(stack, folder)
    assert {record.simulation_id for record in records_of(stack).studies(limit=200)} - before == {record.simulation_id}
    assert (record.status, record.variants, record.succeeded) == (StudyStatus.COMPLETED, 3, 3)
    assert record.name == "Two insulations"
    assert object_names(stack, record.simulation_id) >= {
        "manifest.json",
        "items.json",
        "results.csv",
        "results.parquet",
        "report.html",
        "design.parquet",
    }
    manifest = RunManifest.model_validate_json(result_file(stack, record.simulation_id, "manifest.json"))
    assert manifest.image_id != "unknown"
    assert manifest.study.with_seed("another") == manifest.study


def test_a_study_in_a_folder_with_a_space_an_umlaut_and_signs_runs(stack: LocalStack, make_study: StudyMaker) -> None:
    names = {"model": "Büro 1+2 50%.idf", "weather": "wetter & mehr.epw"}
    plain = make_study("plain")
    folder = make_study(
        "Haus Süd+ 100%",
        files={
            "room.idf": None,
            "chicago.epw": None,
            names["model"]: plain / "room.idf",
            names["weather"]: plain / "chicago.epw",
        },
        models=[names["model"]],
        weather=[names["weather"]],
    )
    record = run_study(stack, folder)
    assert (record.status, record.simulation_id[:9]) == (StudyStatus.COMPLETED, "haus-sud-")


def test_files_that_arrive_after_study_json_are_waited_for(stack: LocalStack, make_study: StudyMaker) -> None:
    folder = make_study("late")
    version = upload_file(stack, "late/study.json", (folder / "study.json").read_bytes())
    for name in ("room.idf", "chicago.epw"):
        upload_file(stack, f"late/{name}", (folder / name).read_bytes())
    simulation = keys.simulation_id(stack.outputs.inputs_bucket, "late/study.json", version)
    assert wait_for_end(stack, simulation).status is StudyStatus.COMPLETED


# --- refused at the door, each as the modeller finds it: record, errors.json, nothing started


def test_every_fault_of_a_study_is_listed_at_once(
    stack: LocalStack, make_study: StudyMaker, one_zone: str, chicago: Path
) -> None:
    epw = chicago.read_bytes()
    broken = one_zone + "\nZone,\n  Left Open"
    folder = make_study(
        "many",
        files={
            "room.idf": one_zone.replace("Version,25.2;", "Version,22.1;"),
            "broken.idf": broken,
            "short.epw": epw[: epw.rfind(b"\n", 0, len(epw) // 2) + 1],
            "page.epw": b"<html>not found</html>",
        },
        models=["room.idf", "broken.idf", "gone.idf"],
        weather=["short.epw", "page.epw"],
        parameters=[
            {"name": "a", "class": "Lights", "field": "Watts per Zone Floor Area", "values": [1]},
            {"name": "b", "class": "Material", "object": "Wal Insulation", "field": "Thickness", "values": [-1, "x"]},
            {"name": "c", "class": "Matrial", "field": "Thickness", "values": [1]},
        ],
    )
    found = {problem["where"]: problem for problem in rejected(stack, folder)}
    assert set(found) == {
        "study.json: parameters[0].field",
        "study.json: parameters[1].values[0]",
        "study.json: parameters[1].values[1]",
        "study.json: parameters[2].class",
        "room.idf",
        f"broken.idf: line {len(broken.splitlines()) - 1}",
        "study.json: models[2]",
        "short.epw",
        "page.epw",
    }
    assert "'Watts per Floor Area'" in found["study.json: parameters[0].field"]["allowed"]
    assert "IDFVersionUpdater" in found["room.idf"]["what"]


def test_an_unfinished_upload_is_refused_after_a_while(stack: LocalStack, make_study: StudyMaker) -> None:
    (problem,) = rejected(stack, make_study("unfinished", files={"chicago.epw": None}))
    assert problem["where"] == "study.json: weather[0]"


def test_two_folders_of_one_name_sent_at_once_run_their_own_models(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    target = local_connection(stack.endpoint)
    simulations = {}
    folders = {}
    for owner in ("A", "B"):
        made = make_study(f"project{owner}", files={"room.idf": f"! of {owner}\n{one_day}"}, parameters=[])
        folders[owner] = made.rename(made.with_name(f"parent{owner}"))
        (folders[owner].with_name(f"in{owner}")).mkdir()
        folders[owner] = folders[owner].rename(made.with_name(f"in{owner}") / "shared-name")
    accepted = {owner: check_folder(folder, 100) for owner, folder in folders.items()}
    with ThreadPoolExecutor(2) as pool:
        sent = pool.map(lambda owner: (owner, upload(folders[owner], accepted[owner].hashes, target, print)), folders)
        simulations = {owner: keys.simulation_id(**source.model_dump()) for owner, source in sent}
    for owner, simulation in simulations.items():
        assert wait_for_end(stack, simulation).status is StudyStatus.COMPLETED
        assert files_of(stack).read_manifest(simulation).inputs["room.idf"].sha256 == accepted[owner].hashes["room.idf"]
