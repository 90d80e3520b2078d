"""The end of a run, and which runs are repeated."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

import epsm.energyplus.engine
from epsm.energyplus.engine import Engine
from epsm.pipeline import booking, stop_watch
from epsm.pipeline.task_errors import RanTooLong, SimulationFailed, StudyCancelled
from epsm.pipeline.variant_steps import SECONDS_TO_STORE
from epsm.store.records import Records
from epsm.study.records import CANCELLED_STAGE, VariantStatus
from epsm.study.schema import MAX_FUNCTION_RUN_S
from epsm.study.variants import Variant
from tests.unit.pipeline.run_variant.cases import ROOM, Case, refusal

SUN = "\nExterior:Lights,Sun,Always On,1e20,ScheduleNameOnly,Sun;\n"
"""Lights of 1e20 W, which heat nothing: the engine finds no fault with them."""


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

    with pytest.raises(RanTooLong, match="variant 0: not finished after 1 s, when its time ended"):
        case.run("hang", seconds=SECONDS_TO_STORE + 1)

    assert case.record.status is VariantStatus.RUNNING
    assert case.stored == set()


def test_a_run_that_a_function_has_no_time_for_fails_where_no_container_follows(room: Case) -> None:
    with pytest.raises(SimulationFailed, match="timed out"):
        room.run("hang", seconds=SECONDS_TO_STORE + 1)


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
        room.run("crash", attempt=1)
    assert set(room.records.ended_variants("a", [room.record.index], attempt=1)) == {room.record.index}
    assert not room.records.ended_variants("a", [room.record.index], attempt=2)
    assert room.records.failures("a") == 0, "the map counts it"

    room.run("ok", attempt=1)

    assert room.record.status is VariantStatus.SUCCEEDED
    assert room.document["verdict"] == "ok"


def test_a_variant_that_runs_in_a_later_attempt_is_not_run(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.records, "stop_requested", lambda simulation, attempt: False)  # asked too early
    room.records.start_variant("a", ROOM.index, 0, attempt=2)

    with pytest.raises(StudyCancelled):
        room.run(attempt=1)

    assert (room.engine.runs, room.record.status) == (0, VariantStatus.RUNNING)


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


def test_a_run_of_an_earlier_attempt_ends_and_records_nothing(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)

    def rerun(_: object) -> None:
        room.records.cancel_study("a", "by anna")
        room.records.reopen_study("a", 2, succeeded=0)

    with pytest.raises(StudyCancelled):
        room.run("hang", on_progress=rerun, attempt=1)

    assert room.record.status is VariantStatus.RUNNING, "the later attempt may have recorded this"


def test_a_table_that_does_not_answer_ends_no_run(case: Case, one_day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case.accept(one_day.encode(), options={"timeout_s": 1})
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)
    asked = []

    def asked_once(simulation: str, attempt: int | None) -> bool:
        asked.append(simulation)
        if len(asked) > 1:
            raise refusal(500)
        return False

    monkeypatch.setattr(case.records, "stop_requested", asked_once)

    with pytest.raises(SimulationFailed, match="timed out"):
        case.run("hang")
    assert len(asked) > 1


def test_quantities_of_measures_and_emissions_by_the_hour_are_recorded(
    case: Case, engine: Engine, one_day: str, chicago: Path
) -> None:
    roof = {"slot": "roof_ceiling_exterior", "u_w_m2k": 0.2, "films": "excluded", "gwp": {"kgco2e_per_m3": 100}}
    case.accept(
        one_day.encode(),
        chicago.read_bytes(),
        tables={"grid.csv": b"kg\n" + b"0.4\n" * 8760},
        measures=[{"name": "shell", "variants": [{"name": "new", "constructions": [roof]}]}],
        parameters=[{"name": "shell", "measure": "shell"}],
        impact={"hourly_electricity": {"file": "grid.csv"}},
    )

    variant = Variant(0, "room.idf", "chicago.epw", {"shell": "new"})
    case.runner(engine).run("a", variant, seconds_left=lambda: math.inf)

    # 48 m2, of 0.15 m of concrete of 1.7 W/mK and 0.05 m of insulation of 0.035 W/mK before
    added_m3 = 48 * (0.035 * (1 / 0.2 - 0.15 / 1.7) - 0.05)
    (found,) = case.record.summary["quantities"]["shell"]
    assert found["area_m2"] == pytest.approx(48, rel=1e-9)
    assert found["layers"] == [pytest.approx([added_m3, 30 * added_m3], rel=1e-9)]
    # On a Sunday, 88 W all day
    assert case.record.summary["electricity_gwp_kgco2e"] == pytest.approx(0.088 * 24 * 0.4, rel=1e-9)
    assert case.document["quantities"].keys() == {"shell"}


def test_counters_that_refuse_a_cost_keep_no_cancelled_run_going(
    case: Case, one_day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.accept(one_day.encode(), options={"max_cost_usd": 9.0})
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)
    monkeypatch.setattr(booking, "SECONDS_BETWEEN_BOOKINGS", 0.0)
    case.engine.mode("hang")

    def refuse(*_: object) -> bool:
        case.records.cancel_study("a", "by anna")
        raise refusal(400)

    monkeypatch.setattr(case.records, "spend", refuse)

    with pytest.raises(StudyCancelled):
        case.runner(usd_per_second=1e-9).run("a", ROOM, seconds_left=lambda: 40.0)
