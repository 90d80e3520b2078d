"""Identities, faults of a request, and the service itself."""

import pytest
from botocore.exceptions import ClientError

from epsm import __version__
from tests.unit.api.routes.requests import ANNA, BEN, ROOT, ask
from tests.unit.deployed import Deployed
from tests.unit.fakes import fake

# --- who asks


def test_a_request_without_an_identity_is_refused(stack: Deployed) -> None:
    assert ask(stack, "GET", "/api/simulation/results/", caller="")[0] == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "{}/status/"),
        ("GET", "task/{}/status/"),
        ("POST", "task/{}/cancel/"),
        ("GET", "{}/results/"),
        ("GET", "{}/parallel-results/"),
        ("GET", "{}/download/"),
        ("GET", "{}/estimate/"),
        ("POST", "{}/rerun/"),
        ("PATCH", "{}/"),
        ("DELETE", "{}/"),
    ],
)
def test_a_study_is_not_there_for_others_and_there_for_administrators(stack: Deployed, method: str, path: str) -> None:
    stack.records.create_or_get_study("annas-1", "Anna's", {}, ANNA)
    body = {"rerun": {"which": "failed"}, "PATCH": {"priority": "low"}}.get("rerun" if "rerun" in path else method)
    place = f"/api/simulation/{path.format('annas-1')}"
    status, answer = ask(stack, method, place, body, caller=BEN)
    assert (status, answer["detail"]) == (404, "There is no simulation 'annas-1'")
    own = ask(stack, method, place, body, caller=ROOT)
    assert own[0] != 404 or "There is no simulation" not in own[1]["detail"]


# --- faults of a request


def test_faults_of_a_request_are_the_callers(stack: Deployed) -> None:
    run, uploads = "/api/simulation/run/", "/api/simulation/uploads/"
    assert ask(stack, "GET", "/nothing/") == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "Path not found; see /openapi.json",
            "error": "Path not found; see /openapi.json",
        },
    )
    assert ask(stack, "POST", run, b"x", content_type="text/plain")[0] == 415
    assert ask(stack, "POST", uploads, b"x", content_type="text/plain")[0] == 415
    assert ask(stack, "POST", uploads, b"a=b", content_type="application/x-www-form-urlencoded")[0] == 415
    status, answer = ask(stack, "POST", uploads, b'{"files": "\xff"}')
    assert (status, "not valid UTF-8 JSON" in answer["detail"]) == (422, True)
    status, answer = ask(stack, "POST", uploads, {"files": [{}]})
    assert (status, {each["where"] for each in answer["errors"]}) == (
        422,
        {f"body.files.0.{name}" for name in ("name", "sha256", "bytes")},
    )
    status, answer = ask(stack, "POST", run, {"files": {}})
    assert (status, [each["where"] for each in answer["errors"]]) == (422, ["body.study"])
    status, answer = ask(stack, "POST", uploads, b"[" * 100_000)
    assert (status, "nested too deeply" in answer["detail"]) == (422, True)


class Refusing:
    """Records that DynamoDB refuses to read."""

    def __init__(self, code: str) -> None:
        self._code = code

    def study(self, simulation: str) -> None:
        raise ClientError({"Error": {"Code": self._code}}, "GetItem")


def test_throttling_is_distinguished_from_a_fault_of_the_service(stack: Deployed) -> None:
    path = "/api/simulation/annas-1/status/"
    stack.records = fake(Refusing("ThrottlingException"))
    status, answer = ask(stack, "GET", path)
    assert (status, answer["detail"]) == (503, "The service is busy; try again in a few seconds")
    stack.records = fake(Refusing("AccessDeniedException"))
    status, answer = ask(stack, "GET", path)
    assert (status, answer["detail"]) == (500, "Internal error; see request r-1 in the log")


# --- the service


def test_the_service_tells_what_runs_and_may_run(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    stack.begin(simulation)
    stack.machine.counts = {"running": 2}
    path = "/api/simulation/system-resources/"
    answer = ask(stack, "GET", path)[1]
    assert (answer["running_studies"], answer["running_variants"], answer["account_concurrency"]) == (1, 2, 1000)
    assert ask(stack, "GET", path, caller=BEN)[1]["running_studies"] == 0
    assert ask(stack, "GET", path, caller=ROOT)[1]["running_studies"] == 1


def test_health_names_the_part_that_does_not_answer(stack: Deployed) -> None:
    assert ask(stack, "GET", "/health/") == (
        200,
        {
            "status": "ok",
            "checks": dict.fromkeys(("table", "inputs bucket", "results bucket", "state machine"), "ok"),
        },
    )
    stack.s3.delete_bucket(Bucket="results")
    status, answer = ask(stack, "GET", "/health/")
    assert (status, answer["status"], answer["checks"]["results bucket"]) == (503, "down", "ClientError")


def test_versions_are_those_of_the_release_and_its_engine(stack: Deployed) -> None:
    answer = ask(stack, "GET", "/version/")
    assert answer == (200, {"version": __version__, "engine_version": "25.2.0", "stage": "test"})


def test_the_description_names_every_form_field(stack: Deployed) -> None:
    document = ask(stack, "GET", "/openapi.json")[1]
    form = document["paths"]["/api/simulation/run/"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(form["schema"]["properties"]) >= {"idf_files", "weather_file", "files", "study", "name"}
