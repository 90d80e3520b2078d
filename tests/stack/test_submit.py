"""Submitting on the deployed stack: what starts a study, what is refused, and events that come twice or late."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from epsm.client.folder import check_folder, upload
from epsm.pipeline.owner_limits import NO_LIMITS, OwnerLimits
from epsm.pipeline.submit import Submitter
from epsm.settings import Allowance
from epsm.store import keys
from epsm.store.accounts import Account, Claim
from epsm.study.manifest import RunManifest, Source
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.variants import expand
from epsm_local.provider import connection as local_connection
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker, study_document
from tests.support import (
    accounts_of,
    files_of,
    object_names,
    records_of,
    result_file,
    result_json,
    run_study,
    stack_of,
    upload_file,
    upload_study,
    wait_for_end,
)


def rejected(stack: LocalStack, folder: Path) -> list[dict[str, str]]:
    """The problems of a study that is expected to be refused, from the file that the modeller finds."""
    record = wait_for_end(stack, upload_study(stack, folder))
    assert record.status is StudyStatus.REJECTED
    return list(result_json(stack, record.simulation_id, "errors.json")["problems"])


def executions(stack: LocalStack, simulation: str) -> list[dict[str, Any]]:
    listed = stack.client("stepfunctions").list_executions(stateMachineArn=stack.outputs.state_machine_arn)
    return [each for each in listed["executions"] if each["name"] == simulation]


def submitter(stack: LocalStack, owner_limits: OwnerLimits = NO_LIMITS, **changes: Any) -> Submitter:
    """The submit function's own object, to call it as an event would."""
    return Submitter(stack_of(stack, missing_file_grace_s=0, **changes), limits=owner_limits)


def source_of(stack: LocalStack, key: str, document: dict[str, Any]) -> Source:
    """A study.json in a place where no rule sees it start: another name than the event's own suffix would match."""
    version = upload_file(stack, key, json.dumps(document).encode())
    return Source(bucket=stack.outputs.inputs_bucket, key=key, version_id=version)


@pytest.fixture
def quiet_source(stack: LocalStack, make_study: StudyMaker) -> Source:
    """A whole study whose manifest has a name that triggers nothing, so that a test calls submit by itself."""
    folder = make_study()
    for name in ("room.idf", "chicago.epw"):
        upload_file(stack, f"quiet/{folder.parent.name}/{name}", (folder / name).read_bytes())
    return source_of(stack, f"quiet/{folder.parent.name}/not-watched.json", study_document())


def test_a_study_runs_from_its_upload_to_its_results(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study(name="Two insulations"))
    assert (record.status, record.variants, record.succeeded) == (StudyStatus.COMPLETED, 3, 3)
    assert record.name == "Two insulations"
    assert {"manifest.json", "items.json", "results.csv", "results.parquet", "report.html"} <= object_names(
        stack, record.simulation_id
    )


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


def test_the_manifest_holds_all_that_is_needed_to_run_the_study_again(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    record = run_study(stack, make_study("manifest"))
    manifest = RunManifest.model_validate_json(result_file(stack, record.simulation_id, "manifest.json"))
    assert set(manifest.inputs) == {"room.idf", "chicago.epw"}
    assert all(len(ref.sha256) == 64 and ref.version_id not in ("", "null") for ref in manifest.inputs.values())
    assert manifest.engine_version == "25.2.0"
    assert manifest.image_id != "unknown"
    assert manifest.variants == 3


def test_a_sampled_study_without_a_seed_runs_with_one_that_its_manifest_has(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    wall: dict[str, Any] = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
    wall["range"] = {"from": 0.1, "to": 0.3}
    sampling = {"method": "latin_hypercube", "samples": 2}
    record = run_study(stack, make_study("sampled", parameters=[wall], sampling=sampling))
    assert (record.status, record.variants) == (StudyStatus.COMPLETED, 3)
    manifest = RunManifest.model_validate_json(result_file(stack, record.simulation_id, "manifest.json"))
    assert manifest.seed is not None
    assert manifest.study.with_seed("another") == manifest.study
    items = json.loads(result_file(stack, record.simulation_id, "items.json"))
    assert [item["values"] for item in items] == [each.values for each in expand(manifest.study)]
    assert "design.parquet" in object_names(stack, record.simulation_id)


def test_a_model_that_is_replaced_while_the_study_runs_does_not_change_it(
    stack: LocalStack, quiet_source: Source
) -> None:
    submission = submitter(stack).submit(quiet_source)
    upload_file(stack, quiet_source.key.replace("not-watched.json", "room.idf"), b"Version,9.2;")
    assert wait_for_end(stack, submission.simulation_id).status is StudyStatus.COMPLETED


def test_a_duplicate_event_starts_nothing_twice(stack: LocalStack, quiet_source: Source) -> None:
    first = submitter(stack).submit(quiet_source)
    second = submitter(stack).submit(quiet_source)
    assert (first.started, second.started) == (True, False)
    assert first.simulation_id == second.simulation_id
    assert len(executions(stack, first.simulation_id)) == 1


def test_a_study_beyond_its_owners_limit_is_rejected_until_there_is_room(
    stack: LocalStack, quiet_source: Source
) -> None:
    records, owner = records_of(stack), "iam:arn:aws:iam::123456789012:user/greedy"
    limits = OwnerLimits(accounts_of(stack), records, Allowance(running_studies=1))
    other = records.create_or_get_study("greedy-1", "Greedy", {}, owner)
    limits.claim(other, 0.0)
    refused = submitter(stack, limits, bucket_owner=owner).submit(quiet_source)
    assert refused.status is StudyStatus.REJECTED
    assert refused.problems[0].what == "exceeds your limit: 1 of your studies have not ended"
    records.cancel_study(other.simulation_id, "There was no need of it.")
    later = source_of(stack, quiet_source.key.replace("not-watched", "not-watched-2"), study_document())
    accepted = submitter(stack, limits, bucket_owner=owner).submit(later)
    assert wait_for_end(stack, accepted.simulation_id).status is StudyStatus.COMPLETED


def test_an_account_is_written_only_as_it_was_read(stack: LocalStack) -> None:
    accounts = accounts_of(stack)
    spent = Account(month="2026-11", spent_usd=0.1, claims={"a": Claim(1, "2026-11-27T00:00:00.000Z", 1.5, 0.0)})
    assert accounts.write("somebody", spent)
    assert not accounts.write("somebody", spent)
    read = accounts.read("somebody")
    assert read == dataclasses.replace(spent, version=1)
    assert accounts.write("somebody", read)
    assert not accounts.write("somebody", read)


def test_an_event_after_the_end_changes_nothing(stack: LocalStack, quiet_source: Source) -> None:
    submission = submitter(stack).submit(quiet_source)
    before = wait_for_end(stack, submission.simulation_id)
    submitter(stack).submit(quiet_source)
    assert records_of(stack).study(submission.simulation_id) == before


def test_a_new_upload_of_the_same_study_is_a_new_simulation(stack: LocalStack, make_study: StudyMaker) -> None:
    folder = make_study("again")
    assert upload_study(stack, folder) != upload_study(stack, folder)


def test_a_submit_that_died_after_its_record_is_carried_on(stack: LocalStack, quiet_source: Source) -> None:
    simulation = keys.simulation_id(quiet_source.bucket, quiet_source.key, quiet_source.version_id)
    records_of(stack).create_or_get_study(simulation, "quiet", quiet_source.model_dump())
    assert submitter(stack).submit(quiet_source).started
    assert wait_for_end(stack, simulation).status is StudyStatus.COMPLETED


def test_a_study_without_a_name_is_called_after_its_folder(stack: LocalStack, make_study: StudyMaker) -> None:
    assert run_study(stack, make_study("Nameless")).name == "Nameless"


def test_the_record_is_there_before_the_study_has_been_checked(stack: LocalStack, quiet_source: Source) -> None:
    seen: list[StudyRecord | None] = []

    class Watching(type(files_of(stack))):  # type: ignore[misc]
        def list_study(self, bucket: str, prefix: str) -> Any:
            seen.append(records_of(stack).study(simulation))
            return super().list_study(bucket, prefix)

    simulation = keys.simulation_id(quiet_source.bucket, quiet_source.key, quiet_source.version_id)
    watched = submitter(stack)
    watched._files = Watching(stack.client("s3"), stack.outputs.results_bucket)
    watched.submit(quiet_source)
    assert seen[0] is not None
    assert seen[0].status is StudyStatus.PENDING


# --- refused at the door, each as the modeller finds it: record, errors.json, nothing started


def test_a_refused_study_starts_no_execution(stack: LocalStack, make_study: StudyMaker) -> None:
    record = wait_for_end(stack, upload_study(stack, make_study("refused", models=["nothing.idf"])))
    assert executions(stack, record.simulation_id) == []
    assert record.problems


def test_a_manifest_that_is_not_json_is_refused(stack: LocalStack, make_study: StudyMaker) -> None:
    (problem,) = rejected(stack, make_study("not-json", files={"study.json": "{'models': }"}))
    assert problem["where"] == "study.json: line 1, column 2"
    assert "is not JSON" in problem["what"]


def test_every_fault_of_a_study_is_listed_at_once(
    stack: LocalStack, make_study: StudyMaker, one_zone: str, chicago: Path
) -> None:
    epw = chicago.read_bytes()
    folder = make_study(
        "many",
        files={
            "room.idf": one_zone.replace("Version,25.2;", "Version,22.1;"),
            "broken.idf": one_zone + "\nZone,\n  Left Open",
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
        "broken.idf: line 250",
        "study.json: models[2]",
        "short.epw",
        "page.epw",
    } or set(found) - {"broken.idf: line 250"} == set(found), sorted(found)
    assert "'Watts per Floor Area'" in found["study.json: parameters[0].field"]["allowed"]
    assert "IDFVersionUpdater" in found["room.idf"]["what"]


def test_a_path_that_leaves_the_study_is_refused(stack: LocalStack, make_study: StudyMaker) -> None:
    (problem,) = rejected(stack, make_study("leaving", models=["../secrets/room.idf"]))
    assert "leaves the study's folder" in problem["what"]


def test_a_model_that_is_missing_is_refused_with_the_nearest_name(stack: LocalStack, make_study: StudyMaker) -> None:
    (problem,) = rejected(stack, make_study("typing-error", models=["roon.idf"]))
    assert "'room.idf'" in problem["allowed"]


def test_a_file_that_a_model_reads_is_missed(stack: LocalStack, make_study: StudyMaker, one_day: str) -> None:
    schedule = "\nSchedule:File,Occupancy,Any Number,data/occupancy.csv,1,0,8760,Comma,No;\n"
    (problem,) = rejected(stack, make_study("external", files={"room.idf": one_day + schedule}))
    assert (problem["where"], "data/occupancy.csv" in problem["what"]) == ("room.idf", True)


def test_more_variants_than_the_cap_are_refused(stack: LocalStack, quiet_source: Source) -> None:
    submission = submitter(stack, max_variants=2).submit(quiet_source)
    assert [str(problem) for problem in submission.problems] == ["study.json: asks for 3 variants (allowed: at most 2)"]


def test_a_model_without_a_run_period_would_give_no_energy_and_is_refused(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    without = one_day.replace("  Yes;                     !- Run Simulation for Weather", "  No;  !- Run for Weather")
    (problem,) = rejected(stack, make_study("no-period", files={"room.idf": without}))
    assert "would have no energy use" in problem["what"]


def test_an_unfinished_upload_is_refused_after_a_while(stack: LocalStack, make_study: StudyMaker) -> None:
    (problem,) = rejected(stack, make_study("unfinished", files={"chicago.epw": None}))
    assert problem["where"] == "study.json: weather[0]"


def test_an_upload_with_another_name_starts_nothing(stack: LocalStack, make_study: StudyMaker) -> None:
    before = {record.simulation_id for record in records_of(stack).studies(limit=200)}
    folder = make_study()
    upload_file(stack, "other/mystudy.json", (folder / "study.json").read_bytes())
    # The next study's record shows that the event before it has been looked at, too.
    after = run_study(stack, make_study("marker")).simulation_id
    assert {record.simulation_id for record in records_of(stack).studies(limit=200)} - before == {after}


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
        sent = pool.map(lambda owner: (owner, upload(folders[owner], accepted[owner], target, print)), folders)
        simulations = {owner: keys.simulation_id(**source.model_dump()) for owner, source in sent}
    for owner, simulation in simulations.items():
        assert wait_for_end(stack, simulation).status is StudyStatus.COMPLETED
        assert files_of(stack).read_manifest(simulation).inputs["room.idf"].sha256 == accepted[owner].hashes["room.idf"]
