"""Running variants on a store in this process, with a fake engine: how each end of a run is recorded and stored."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import epsm.energyplus.engine
from epsm.energyplus.engine import Engine
from epsm.pipeline import run_variant, stop_watch
from epsm.pipeline.run_variant import Outcome, VariantRunner
from epsm.pipeline.task_errors import RanTooLong, SimulationFailed, StudyCancelled
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.manifest import ObjectRef
from epsm.study.records import CANCELLED_STAGE, VariantRecord, VariantStatus
from epsm.study.schema import MAX_FUNCTION_RUN_S, Study
from epsm.study.variants import Variant
from tests.conftest import study_document
from tests.unit.conftest import RESULTS
from tests.unit.manifests import manifest_of
from tests.unit.pipeline.fake_engine import FakeEngine

SUN = "\nExterior:Lights,Sun,Always On,1e20,ScheduleNameOnly,Sun;\n"
"""Lights of 1e20 W, which heat nothing: the engine finds no fault with them."""
ROOM = Variant(0, "room.idf", "chicago.epw")


@pytest.fixture(scope="module")
def fake_engine(tmp_path_factory: pytest.TempPathFactory, engine: Engine, one_day: str, chicago: Path) -> FakeEngine:
    return FakeEngine(tmp_path_factory.mktemp("engine"), engine, one_day, chicago)


@dataclass
class Case:
    """A study that has been accepted, and what runs its variants."""

    files: Files
    records: Records
    s3: Any
    folder: Path
    engine: FakeEngine

    def __post_init__(self) -> None:
        self.engine.mode("ok")
        self.spent: list[str] = []

    def accept(self, model: bytes, weather: bytes = b"", version: str = "25.2", **changes: Any) -> None:
        """Store the record and the manifest of a run."""
        self.records.create_or_get_study("a", "Office", {})
        document = {"parameters": [], **changes}
        options = document.get("options", {})
        self.records.accept_study("a", name="Office", variants=1, options=options, expires_at=4_000_000_000)
        manifest = manifest_of(
            Study.model_validate(study_document(**document)),
            simulation_id="a",
            inputs={"room.idf": self._uploaded("room.idf", model), "chicago.epw": self._uploaded("c.epw", weather)},
            engine_version=f"{version}.0",
        )
        self.files.put_text("runs/a/manifest.json", manifest.to_json(), "application/json")

    def _uploaded(self, name: str, content: bytes) -> ObjectRef:
        version = self.s3.put_object(Bucket="inputs", Key=name, Body=content)["VersionId"]
        digest = hashlib.sha256(content).hexdigest()
        return ObjectRef(bucket="inputs", key=name, version_id=version, sha256=digest, bytes=len(content))

    def runner(self, engine: Engine | None = None, **changes: Any) -> VariantRunner:
        installed = engine or self.engine.engine
        return VariantRunner(
            self.files, self.records, self.folder, installed, budget_spent=self.spent.append, **changes
        )

    def run(self, mode: str = "ok", variant: Variant = ROOM, seconds: float = math.inf, **changes: Any) -> Outcome:
        self.engine.mode(mode)
        return self.runner().run("a", variant, seconds_left=lambda: seconds, **changes)

    @property
    def record(self) -> VariantRecord:
        record = self.records.variant("a", 0)
        assert record is not None
        return record

    @property
    def document(self) -> Any:
        """result.json"""
        return json.load(self.files.open_result("runs/a/variants/0/result.json"))

    @property
    def stored(self) -> set[str]:
        """Names of the variant's files."""
        listed = self.s3.list_objects_v2(Bucket=RESULTS, Prefix="runs/a/variants/0/").get("Contents", [])
        return {each["Key"].rpartition("/")[2] for each in listed}


@pytest.fixture
def case(files: Files, records: Records, s3: Any, tmp_path: Path, fake_engine: FakeEngine) -> Case:
    return Case(files, records, s3, tmp_path / "runs", fake_engine)


@pytest.fixture
def room(case: Case, one_day: str) -> Case:
    """With a study of one variant."""
    case.accept(one_day.encode())
    return case


def refusal(status: int) -> ClientError:
    answer: Any = {"Error": {"Code": "Refused"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")


# --- How a run ends


def test_a_run_that_went_well_has_results_a_record_and_its_files(room: Case) -> None:
    outcome = room.run()

    record, document = room.record, room.document
    assert (record.status, record.verdict, record.error) == (VariantStatus.SUCCEEDED, "ok", "")
    assert room.stored == {"in.idf", "eplusout.err", "eplusout.sql.gz", "result.json"}
    assert document["engine_version"] == "25.2.0-fake"
    assert document["metrics"]["site_eui_kwh_m2"] == outcome.site_eui_kwh_m2
    assert record.summary["metrics"]["site_eui_kwh_m2"] == outcome.site_eui_kwh_m2
    assert outcome.as_dict().keys() == {"index", "verdict", "engine_seconds", "site_eui_kwh_m2"}
    assert outcome.engine_seconds == record.summary["engine_seconds"] > 0


def test_severe_errors_alone_fail_no_run(room: Case) -> None:
    assert room.run("severe").verdict == "ok with severe"

    assert (room.record.status, room.record.summary["severe_errors"]) == (VariantStatus.SUCCEEDED, 1)
    assert room.record.summary["note"] == "Loads were not met"


@pytest.mark.parametrize(
    ("mode", "verdict", "stage", "said"),
    [
        ("refused", "bad input", "input", "no such zone"),
        ("fatal", "failed", "engine", "Temperature out of bounds"),
        ("crash", "crashed", "engine", "The zone has no air left"),
        ("nothing", "crashed", "engine", "exit code 0"),
        ("disk full", "disk full", "engine", "The disk was full; the output is incomplete"),
        ("damaged", "failed", "engine", "file is not a database"),
        ("impossible", "failed", "engine", "The results are impossible"),
    ],
)
def test_a_run_that_failed_says_how_in_its_record_and_in_result_json_alike(
    room: Case, mode: str, verdict: str, stage: str, said: str
) -> None:
    with pytest.raises(SimulationFailed, match=f"variant 0: {verdict}: "):
        room.run(mode)

    record, document = room.record, room.document
    assert (record.status, record.verdict, record.stage) == (VariantStatus.FAILED, verdict, stage)
    assert said in record.error
    assert (document["verdict"], document["message"]) == (record.verdict, record.error)
    assert "metrics" not in document
    assert "metrics" not in record.summary


def test_of_a_full_disk_the_broken_database_is_not_stored(room: Case) -> None:
    with pytest.raises(SimulationFailed):
        room.run("disk full")

    assert room.stored == {"in.idf", "eplusout.err", "result.json"}


def test_a_run_beyond_the_studys_time_limit_is_ended(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), options={"timeout_s": 1})

    with pytest.raises(SimulationFailed, match="timed out: The run was ended after 1 s; it was at: Starting"):
        case.run("hang")

    assert case.record.verdict == "timed out"


def test_a_run_that_may_take_longer_than_a_function_is_handed_on(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), options={"timeout_s": int(MAX_FUNCTION_RUN_S) + 600})

    with pytest.raises(RanTooLong, match="variant 0: not finished after 1 s in a function"):
        case.run("hang", seconds=run_variant.SECONDS_TO_STORE + 1)

    assert case.record.status is VariantStatus.RUNNING
    assert case.stored == set()


def test_a_run_that_a_function_has_no_time_for_fails_where_no_container_follows(room: Case) -> None:
    with pytest.raises(SimulationFailed, match="timed out"):
        room.run("hang", seconds=run_variant.SECONDS_TO_STORE + 1)


def test_a_run_that_takes_too_much_memory_is_ended(room: Case) -> None:
    with pytest.raises(SimulationFailed, match="out of memory: The run was ended when it used"):
        room.run("huge", memory_limit_mb=300)

    assert room.record.summary["peak_memory_mb"] > 0


def test_a_run_whose_walls_do_not_have_the_u_that_a_measure_asks_for_says_so(case: Case, one_day: str) -> None:
    """The fake engine reports the model as it was: U 0.583 of 0.12 m brick, 0.05 m of insulation and films."""
    edit = {"slot": "wall_exterior", "u_w_m2k": 0.25, "films": "included"}
    measures = [{"name": "walls", "variants": [{"name": "warm", "constructions": [edit]}]}]
    case.accept(one_day.encode(), measures=measures, parameters=[{"name": "walls", "measure": "walls"}])

    case.run(variant=Variant(0, "room.idf", "chicago.epw", {"walls": "warm"}))

    remark = (
        "walls warm: EnergyPlus reports U with films 0.584 W/m2K for 4 surfaces ('South Wall', 'East Wall', 'North "
    )
    remark += "Wall' and 1 more); asked for: 0.25 W/m2K."
    assert case.record.summary["measure_remarks"] == case.document["measure_remarks"] == [remark]
    assert case.document["metrics"]["exterior_wall_u_w_m2k"] == pytest.approx(0.584, abs=5e-4)


def test_values_that_do_not_fit_the_model_are_bad_input_and_start_no_engine(case: Case, one_day: str) -> None:
    parameter = {"name": "r", "class": "Material", "object": "Wall Insulation", "field": "Thickness", "values": [0.1]}
    case.accept(one_day.encode(), parameters=[{**parameter, "class": "Material:NoMass", "field": "Thermal Resistance"}])

    with pytest.raises(SimulationFailed, match="bad input"):
        case.run(variant=Variant(0, "room.idf", "chicago.epw", {"r": 0.1}))

    assert (case.record.stage, case.engine.runs) == ("input", 0)


def test_an_engine_that_is_not_installed_fails_the_variant(
    case: Case, one_day: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epsm.energyplus.engine, "ENGINES", tmp_path)
    case.accept(one_day.encode(), version="23.2")

    with pytest.raises(SimulationFailed, match=r"failed: EnergyPlus 23\.2 is not installed"):
        case.run()
    assert case.document["engine_version"] == "23.2.0"
    trial = case.runner().try_pair("a", 0, seconds_left=lambda: math.inf)
    assert (trial.outcome, trial.why[:35]) == ("failed", "failed: EnergyPlus 23.2 is not inst")


def test_an_impossible_result_of_the_real_engine_is_failed(
    case: Case, engine: Engine, one_day: str, chicago: Path
) -> None:
    case.accept((one_day + SUN).encode(), chicago.read_bytes())

    with pytest.raises(SimulationFailed, match="beyond what is physically possible"):
        case.runner(engine).run("a", ROOM, seconds_left=lambda: math.inf)

    assert (case.record.status, case.record.verdict) == (VariantStatus.FAILED, "failed")
    assert (case.document["message"], "metrics" in case.document) == (case.record.error, False)


# --- Again, and not at all


def test_a_variant_that_has_succeeded_is_not_run_again(room: Case) -> None:
    first = room.run()

    again = room.run("crash")

    assert (again, room.engine.runs) == (first, 0)
    assert room.record.status is VariantStatus.SUCCEEDED


def test_a_variant_that_has_failed_is_run_again(room: Case) -> None:
    with pytest.raises(SimulationFailed):
        room.run("crash")

    room.run("ok")

    assert room.record.status is VariantStatus.SUCCEEDED
    assert room.document["verdict"] == "ok"


@pytest.mark.parametrize("act", ["run", "try"])
@pytest.mark.parametrize(
    "stop",
    [lambda records: records.cancel_study("a", "by anna"), lambda records: records.request_stop("a", "spent")],
    ids=["cancelled", "given up"],
)
def test_of_a_study_that_was_stopped_before_nothing_is_run(
    room: Case, stop: Callable[[Records], bool], act: str
) -> None:
    assert stop(room.records)

    with pytest.raises(StudyCancelled):
        room.run() if act == "run" else room.runner().try_pair("a", 0, seconds_left=lambda: math.inf)

    assert room.records.variant("a", 0) is None
    assert room.engine.runs == 0


def test_a_study_that_is_cancelled_ends_its_run_and_keeps_nothing_of_it(
    room: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)

    with pytest.raises(StudyCancelled):
        room.run("hang", on_progress=lambda _: room.records.cancel_study("a", "by anna"))

    assert (room.record.status, room.record.stage) == (VariantStatus.FAILED, CANCELLED_STAGE)
    assert room.stored == set()


def test_a_table_that_does_not_answer_ends_no_run(case: Case, one_day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case.accept(one_day.encode(), options={"timeout_s": 1})
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)
    asked = []

    def asked_once(simulation: str) -> bool:
        asked.append(simulation)
        if len(asked) > 1:
            raise refusal(500)
        return False

    monkeypatch.setattr(case.records, "stop_requested", asked_once)

    with pytest.raises(SimulationFailed, match="timed out"):
        case.run("hang")
    assert len(asked) > 1


# --- What is stored


def test_the_files_that_a_study_keeps_are_stored_as_far_as_there_are_any(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), outputs={"keep": ["eio", "htm"]})

    case.run()

    assert case.stored - {"eplustbl.htm"} == {"in.idf", "eplusout.eio", "result.json"}


def test_a_series_that_was_asked_for_is_stored_and_one_that_is_not_there_has_a_reason(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), outputs={"meters": ["Electricity:Facility", "Gas:Nowhere"], "keep": []})

    case.run()

    assert case.stored == {"in.idf", "series.parquet", "result.json"}
    assert case.document["missing"]["series Gas:Nowhere"] == "the model has no 'Gas:Nowhere'"
    assert "series Electricity:Facility" not in case.document["missing"]


def test_results_that_no_disk_has_room_for_are_a_full_disk_with_what_is_left(
    room: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(key: str, path: Path) -> None:
        raise refusal(507)

    monkeypatch.setattr(room.files, "put_file_compressed", no_room)

    with pytest.raises(SimulationFailed, match="disk full: The disk was full when the results were stored"):
        room.run()

    assert room.stored == {"in.idf", "eplusout.err", "result.json"}
    assert (room.record.verdict, room.document["verdict"]) == ("disk full", "disk full")


def test_without_room_for_any_file_the_record_alone_says_so(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("put_file", "put_file_compressed", "put_json"):
        monkeypatch.setattr(room.files, name, no_room)

    with pytest.raises(SimulationFailed, match="disk full"):
        room.run()

    assert (room.record.verdict, room.stored) == ("disk full", set())


def test_a_bucket_that_refuses_is_worth_a_retry_and_the_record_says_running(
    room: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise refusal(403)

    monkeypatch.setattr(room.files, "put_file", refused)

    with pytest.raises(ClientError, match="Refused"):
        room.run()

    assert room.record.status is VariantStatus.RUNNING


def test_inputs_without_room_on_the_disk_are_a_full_disk(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epsm.pipeline.workspace._MIN_FREE_MB", 1e9)

    trial = room.runner().try_pair("a", 0, seconds_left=lambda: math.inf)
    with pytest.raises(SimulationFailed, match="MB are free in"):
        room.run()

    assert (room.record.status, room.record.verdict) == (VariantStatus.FAILED, "disk full")
    assert room.document["verdict"] == "disk full"
    assert (trial.outcome, trial.why[:9]) == ("not tried", "disk full")


# --- Costs


def test_what_a_run_costs_is_booked_and_a_spent_budget_is_reported(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), options={"max_cost_usd": 0.01})
    case.engine.mode("ok")

    case.runner(usd_per_second=1.0).run("a", ROOM, seconds_left=lambda: math.inf)

    study = case.records.study("a")
    assert study is not None
    assert study.spent_usd > 0.01
    assert case.spent == ["a"]


@pytest.mark.parametrize(("count_costs", "counted"), [(False, False), (True, True)])
def test_without_a_budget_costs_count_where_owners_have_limits(room: Case, count_costs: bool, counted: bool) -> None:
    room.runner(usd_per_second=1.0, count_costs=count_costs).run("a", ROOM, seconds_left=lambda: math.inf)

    study = room.records.study("a")
    assert study is not None
    assert (study.spent_usd > 0, room.spent) == (counted, [])


# --- Trials


@pytest.mark.parametrize(("mode", "outcome"), [("ok", "passed"), ("refused", "failed")])
def test_a_trial_touches_no_record_and_keeps_the_files_of_a_failure(room: Case, mode: str, outcome: str) -> None:
    room.engine.mode(mode)

    trial = room.runner().try_pair("a", 0, seconds_left=lambda: math.inf)

    kept = room.s3.list_objects_v2(Bucket=RESULTS, Prefix="runs/a/preflight/0/").get("Contents", [])
    assert (trial.outcome, bool(kept)) == (outcome, outcome == "failed")
    assert room.records.variant("a", 0) is None


def test_a_study_that_is_cancelled_ends_its_trial(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)
    answers = iter([False])
    monkeypatch.setattr(room.records, "stop_requested", lambda simulation: next(answers, True))
    room.engine.mode("hang")

    with pytest.raises(StudyCancelled):
        room.runner().try_pair("a", 0, seconds_left=lambda: math.inf)
