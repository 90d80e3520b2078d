"""The HTTP API against its own description: whatever is asked, the answer is one that /openapi.json announces.

schemathesis makes the requests. Its pytest plugin (`from_fixture`) writes into attributes that pytest 9.2 has no more,
so Hypothesis is given its strategies here directly.
"""

import json
from base64 import urlsafe_b64encode
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig
from schemathesis.specs.openapi import checks

from epsm_local.aws.session import ACCOUNT
from epsm_local.aws.session import OWNER as LOCAL_OWNER
from epsm_local.stack import LocalStack
from tests.conftest import study_document
from tests.support import wait_for_end

MAX_LIMITS = 30
"""Requests for each operation that lie on or beyond the limits of its description."""
OWNER = f"iam:arn:aws:iam::{ACCOUNT}:user/{LOCAL_OWNER}"
EXAMPLES = 8
"""Random requests for each operation and each kind of data."""
OPERATIONS = [
    "GET /api/simulation/{simulation_id}/status/",
    "GET /api/simulation/task/{task_id}/status/",
    "GET /api/simulation/{simulation_id}/results/",
    "GET /api/simulation/{simulation_id}/parallel-results/",
    "GET /api/simulation/{simulation_id}/download/",
    "GET /api/simulation/{simulation_id}/estimate/",
    "POST /api/simulation/task/{task_id}/cancel/",
    "POST /api/simulation/{simulation_id}/rerun/",
    "DELETE /api/simulation/{simulation_id}/",
    "PATCH /api/simulation/{simulation_id}/",
    "POST /api/simulation/run/",
    "POST /api/simulation/uploads/",
    "POST /api/simulation/estimate/",
    "GET /api/simulation/results/",
    "GET /api/simulation/system-resources/",
    "GET /health/",
    "GET /version/",
]
WITHOUT_INPUT = ("GET /api/simulation/system-resources/", "GET /health/", "GET /version/")
"""They take nothing that could be wrong."""
NOTHING_BUT_A_NAME = tuple(each for each in OPERATIONS if each.endswith(("/status/", "/cancel/")))
"""They take the name of a study only, and in some tests that is right."""
OF_ONE_STUDY = [each for each in OPERATIONS if "{" in each]
STARTING_OR_ENDING = {
    "DELETE /api/simulation/{simulation_id}/": "the others would have nothing left to ask for",
    "POST /api/simulation/{simulation_id}/rerun/": "each such request would run engines",
}
"""What is not asked of a study that is there, and why; of studies that are not there it is asked."""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
"""Left out of schemathesis's own: `negative_data_rejection` and `positive_data_acceptance`, because an unknown query
parameter is passed over and a study has rules that no JSON schema can say (422); `unsupported_method` and
`allow_header_conformance`, because Powertools answers a method that a path does not have with 404;
`missing_required_header`, because no operation has one; those on authentication, because the local gateway checks no
signature and lets whoever does not sign in as the local owner (epsm_local/aws/http_api/callers.py).
"""


@pytest.fixture(scope="module")
def described(stack: LocalStack) -> Any:
    return schemathesis.openapi.from_url(f"{stack.api_url}/openapi.json")


@pytest.fixture(scope="module")
def ended(stack: LocalStack, one_day: str, chicago: Path) -> str:
    """A study of the local owner's that has ended."""
    files = [
        ("idf_files", ("room.idf", one_day.encode())),
        ("weather_file", ("chicago.epw", chicago.read_bytes())),
    ]
    data = {"study": json.dumps(study_document(name="Asked for anything"))}
    answer = requests.post(f"{stack.api_url}/api/simulation/run/", files=files, data=data, timeout=60)
    assert answer.status_code == 202, answer.text
    simulation = str(answer.json()["simulation_id"])
    wait_for_end(stack, simulation)
    return simulation


def operation_of(described: Any, name: str) -> Any:
    method, _, path = name.partition(" ")
    return described[path][method]


def ask(case: Any, **path_parameters: str) -> None:
    """Ask, and check the answer."""
    if path_parameters:
        case.path_parameters = path_parameters
    case.call_and_validate(checks=CHECKS, timeout=30)


def ask_at_random(operation: Any, mode: GenerationMode, **path_parameters: str) -> None:
    def asked(case: Any) -> None:
        ask(case, **path_parameters)

    bounded = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    bounded(seed(1)(given(case=operation.as_strategy(generation_mode=mode))(asked)))()


def path_parameter(operation: str) -> str:
    return operation.partition("{")[2].partition("}")[0]


def test_nothing_that_is_described_is_left_out(described: Any) -> None:
    paths = described.raw_schema["paths"]
    methods = {"get", "put", "post", "patch", "delete"}
    assert {f"{method.upper()} {path}" for path in paths for method in paths[path].keys() & methods} == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_fits_the_description_is_answered_as_it_says(described: Any, name: str) -> None:
    ask_at_random(operation_of(described, name), GenerationMode.POSITIVE)


@pytest.mark.parametrize("name", [each for each in OPERATIONS if each not in WITHOUT_INPUT])
def test_what_does_not_fit_is_answered_as_the_description_says(described: Any, name: str) -> None:
    ask_at_random(operation_of(described, name), GenerationMode.NEGATIVE)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_limit_is_answered_as_the_description_says(described: Any, name: str) -> None:
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    cases = described.iter_coverage_cases(
        operation_of(described, name), generation_modes=modes, generation_config=GenerationConfig()
    )
    for case in islice(cases, MAX_LIMITS):
        if case.method == name.partition(" ")[0]:  # else the answer is that of another operation, or of none
            ask(case)


@pytest.mark.parametrize("name", [each for each in OF_ONE_STUDY if each not in STARTING_OR_ENDING])
def test_a_study_that_is_there_is_reported_as_the_description_says(described: Any, ended: str, name: str) -> None:
    ask_at_random(operation_of(described, name), GenerationMode.POSITIVE, **{path_parameter(name): ended})


@pytest.mark.parametrize(
    "name", [each for each in OF_ONE_STUDY if each not in (*STARTING_OR_ENDING, *NOTHING_BUT_A_NAME)]
)
def test_of_a_study_that_is_there_nothing_unfit_can_be_asked(described: Any, ended: str, name: str) -> None:
    ask_at_random(operation_of(described, name), GenerationMode.NEGATIVE, **{path_parameter(name): ended})


BODIES = {
    "not UTF-8": b'{"files": "\xff"}',
    "UTF-16": '{"files": []}'.encode("utf-16"),
    "no JSON": b"{",
    "nested too deeply": b"[" * 100_000,
    "half a surrogate": b'{"files": [{"name": "\\ud800", "sha256": "", "bytes": 1}]}',
    "a number of thousands of digits": b'{"files": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("path", ["/api/simulation/uploads/", "/api/simulation/estimate/", "/api/simulation/run/"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_cannot_be_read_is_the_callers_fault(stack: LocalStack, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{stack.api_url}{path}", data=body, headers=headers, timeout=30)
    assert answer.status_code == 422, answer.text


CONTENT_TYPES = ["text/plain", "application/xml", "multipart/form-data"]


@pytest.mark.parametrize("path", ["/api/simulation/uploads/", "/api/simulation/estimate/"])
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_a_body_of_another_kind_than_json_is_refused(stack: LocalStack, path: str, content_type: str) -> None:
    answer = requests.post(f"{stack.api_url}{path}", data=b"x", headers={"Content-Type": content_type}, timeout=30)
    assert answer.status_code == 415, answer.text


KEY = {"pk": "SIM#x", "sk": "SIM", "created_at": "2026-01-01T00:00:00.000Z", "owner": OWNER}
PAGES = {
    "of letters": b"page",
    "of nothing": b"",
    "a list": b"[1]",
    "of half a surrogate": json.dumps({**KEY, "pk": "\ud800"}).encode(),
    "nested too deeply": b"[" * 1400,
    "with an empty key": json.dumps({**KEY, "pk": ""}).encode(),
    "with too long a key": json.dumps({**KEY, "sk": "S" * 1100}).encode(),
    "without the owner": json.dumps({name: KEY[name] for name in ("pk", "sk", "created_at")}).encode(),
    "of somebody else's list": json.dumps({**KEY, "owner": "iam:arn:aws:iam::123456789012:user/somebody"}).encode(),
    "of everybody's list": json.dumps({**KEY, "owner": "", "record_type": "SIM"}).encode(),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_a_page_that_was_made_up_is_refused(stack: LocalStack, page: bytes) -> None:
    params = {"page": urlsafe_b64encode(page).decode()}
    answer = requests.get(f"{stack.api_url}/api/simulation/results/", params=params, timeout=30)
    assert answer.status_code == 422, answer.text


def test_a_start_far_behind_the_last_row_gives_no_rows(stack: LocalStack, ended: str) -> None:
    params = {"start": 10**30}
    answer = requests.get(f"{stack.api_url}/api/simulation/{ended}/results/", params=params, timeout=30)
    assert (answer.status_code, answer.json()["rows"]) == (200, [])
