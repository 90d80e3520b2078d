"""Models are tried on one day before the variants of a large study are started: on the deployed stack, real engine."""

from typing import Any

from epsm.study.records import StudyStatus
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker
from tests.support import object_names, records_of, results_table, run_study, wait_for_execution

WITHOUT_SURFACES = "\nZone,Without Surfaces;\n"
"""What only the engine finds."""


def thicknesses(count: int) -> list[dict[str, Any]]:
    return [
        {
            "name": "insulation_m",
            "class": "Material",
            "object": "Wall Insulation",
            "field": "Thickness",
            "values": [number / 100 for number in range(5, 5 + count)],
        }
    ]


def test_no_variant_of_a_large_study_starts_when_its_model_cannot_run(
    stack: LocalStack, make_study: StudyMaker, one_zone: str
) -> None:
    broken = one_zone + WITHOUT_SURFACES
    record = run_study(stack, make_study("tried", files={"room.idf": broken}, parameters=thicknesses(20)))
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.FAILED, 0, 0)
    assert record.error.startswith("Tried before the start: model room.idf with weather chicago.epw: bad input: ")
    assert "No surfaces in enclosure=WITHOUT SURFACES" in record.error
    assert record.error.endswith("No variant was started; options.preflight false runs them anyway.")
    assert list(records_of(stack).variants(record.simulation_id)) == []
    assert set(results_table(stack, record.simulation_id)["status"]) == {"not_run"}
    assert {"preflight/0/in.idf", "preflight/0/eplusout.err"} <= object_names(stack, record.simulation_id)
    assert wait_for_execution(stack, record.execution_arn)["status"] == "FAILED"


def test_the_model_of_several_that_cannot_run_is_named(stack: LocalStack, make_study: StudyMaker, one_day: str) -> None:
    record = run_study(
        stack,
        make_study(
            "tried-two",
            files={"hall.idf": one_day + WITHOUT_SURFACES},
            models=["room.idf", "hall.idf"],
            options={"preflight": True},
        ),
    )
    assert record.status is StudyStatus.FAILED
    assert "model hall.idf with weather chicago.epw" in record.error
    assert "room.idf" not in record.error


def test_a_study_whose_models_run_continues_after_they_were_tried(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("tried-well", options={"preflight": True}))
    assert (record.status, record.succeeded) == (StudyStatus.COMPLETED, 3)
    assert not any(name.startswith("preflight/") for name in object_names(stack, record.simulation_id))
    history = stack.client("stepfunctions").get_execution_history(executionArn=record.execution_arn)["events"]
    entered = [each["stateEnteredEventDetails"]["name"] for each in history if "stateEnteredEventDetails" in each]
    assert entered.index("Try a model") < entered.index("Run variants")
