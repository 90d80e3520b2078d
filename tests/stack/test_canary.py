"""The deployed canary on the local stack: a healthy run leaves nothing behind, a faulty one reports its fault."""

from collections.abc import Iterator
from typing import Any

import pytest

from epsm.store import keys
from epsm.study.records import StudyRecord, StudyStatus
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.moto_fixtures import Aws
from tests.stack import faults
from tests.support import object_names, records_of

CANARY = f"{STACK_NAME}-canary"


@pytest.fixture(autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


def kept(stack: LocalStack) -> list[StudyRecord]:
    """Records of canaries that were not removed, the newest first."""
    return [each for each in records_of(stack).studies() if keys.is_canary(each.source.get("key", ""))]


def inputs(stack: LocalStack, prefix: str) -> list[dict[str, Any]]:
    """All versions of the canary's uploads, deletions among them."""
    listed = stack.client("s3").list_object_versions(Bucket=stack.outputs.inputs_bucket, Prefix=prefix)
    return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]


def test_a_canary_comes_through_and_leaves_nothing(stack: LocalStack, aws: Aws) -> None:
    before = len(inputs(stack, keys.CANARY)), len(kept(stack))
    answer = aws.invoke(CANARY, {})
    assert answer.error is None, answer.value
    assert answer.value["seconds"] > 0
    simulation = answer.value["simulation_id"]
    assert records_of(stack).study(simulation) is None
    assert list(records_of(stack).variants(simulation)) == []
    assert object_names(stack, simulation) == set()
    assert (len(inputs(stack, keys.CANARY)), len(kept(stack))) == before


def test_a_canary_in_a_broken_stack_says_what_broke_and_is_kept(stack: LocalStack, aws: Aws) -> None:
    with faults.answer("s3", "PutObject", 403, "AccessDenied", "/runs/", "/variants/0/"):
        answer = aws.invoke(CANARY, {})
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", "CanaryFailed")
    record = kept(stack)[0]
    assert record.status is StudyStatus.FAILED
    for part in (record.simulation_id, "is failed", record.execution_arn, record.error, "AccessDenied"):
        assert part in answer.value["errorMessage"]
    assert "manifest.json" in object_names(stack, record.simulation_id)
    assert len(inputs(stack, keys.study_prefix(record.source["key"]))) == 3
