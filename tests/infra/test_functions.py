"""Functions, their roles, logs and packages as they are deployed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.tools.packaging import MAX_UNZIPPED_MB, ROOT, dependencies_folder, library_folder
from tests.infra.conftest import Template

FUNCTIONS = ("Submit", "RunVariant", "Aggregate", "Cleanup", "Api", "Canary")
ZIPPED = ("Submit", "Cleanup", "Canary")
WITHOUT_RESOURCES = {"logs", "xray"}


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    document = template.only("AWS::IAM::Policy", f"{function}Role")["PolicyDocument"]
    return list(document["Statement"])


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(template: Template, function: str) -> set[str]:
    return {action for each in statements(template, function) for action in as_list(each["Action"])}


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    roles = [json.dumps(each["Properties"]["Role"]) for each in template.of_type("AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles) == len(FUNCTIONS)


def test_no_role_takes_a_managed_policy(template: Template) -> None:
    assert not [
        each for each in template.of_type("AWS::IAM::Role").values() if "ManagedPolicyArns" in each["Properties"]
    ]


@pytest.mark.parametrize("kind", ["AWS::IAM::Policy"])
def test_no_policy_allows_every_action_of_a_service(template: Template, kind: str) -> None:
    actions = [
        action
        for each in template.of_type(kind).values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    ]
    assert not [action for action in actions if "*" in action]


def test_only_services_without_resources_are_allowed_on_every_resource(template: Template) -> None:
    services = {
        action.split(":")[0]
        for each in template.of_type("AWS::IAM::Policy").values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        if statement["Resource"] == "*"
        for action in as_list(statement["Action"])
        if action != "lambda:GetAccountSettings"
    }
    assert services <= WITHOUT_RESOURCES


@pytest.mark.parametrize(
    ("function", "forbidden"),
    [
        ("Submit", {"s3:DeleteObject", "dynamodb:DeleteItem", "lambda:InvokeFunction"}),
        ("RunVariant", {"states:StartExecution", "dynamodb:DeleteItem", "s3:DeleteObject", "s3:ListBucket"}),
        ("Aggregate", {"states:StartExecution", "dynamodb:PutItem", "s3:DeleteObject"}),
    ],
)
def test_a_function_may_not_do_what_it_need_not(template: Template, function: str, forbidden: set[str]) -> None:
    assert not allowed(template, function) & forbidden


@pytest.mark.parametrize("function", ["RunVariant", "Aggregate"])
def test_a_function_that_runs_variants_writes_no_inputs(template: Template, function: str) -> None:
    inputs = next(name for name in template.of_type("AWS::S3::Bucket") if "Inputs" in name)
    writing = [each for each in statements(template, function) if "s3:PutObject" in as_list(each["Action"])]
    assert writing
    assert inputs not in json.dumps(writing)


def test_run_variant_writes_only_what_belongs_to_variants_and_trials(template: Template) -> None:
    (writing,) = [each for each in statements(template, "RunVariant") if "s3:PutObject" in as_list(each["Action"])]
    written = [json.dumps(each).split('"/')[-1].removesuffix('"]]}') for each in writing["Resource"]]
    assert sorted(written) == [f"runs/*/{folder}/*" for folder in ("packs", "preflight", "series", "variants")]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_log_group_that_forgets(template: Template, function: str) -> None:
    assert template.only("AWS::Logs::LogGroup", f"{function}Logs")["RetentionInDays"] == 30
    assert "LogGroup" in template.only("AWS::Lambda::Function", function)["LoggingConfig"]


def test_logs_are_kept_as_long_as_chosen(other_template: Template) -> None:
    days = {each["Properties"]["RetentionInDays"] for each in other_template.of_type("AWS::Logs::LogGroup").values()}
    assert days == {7}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_traced(template: Template, function: str) -> None:
    assert template.only("AWS::Lambda::Function", function)["TracingConfig"] == {"Mode": "Active"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_says_how_long_it_may_take(template: Template, function: str) -> None:
    assert 0 < template.only("AWS::Lambda::Function", function)["Timeout"] <= 900


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_knows_the_stores(template: Template, function: str) -> None:
    variables = template.only("AWS::Lambda::Function", function)["Environment"]["Variables"]
    assert {"INPUTS_BUCKET", "RESULTS_BUCKET", "TABLE_NAME", "POWERTOOLS_SERVICE_NAME"} <= variables.keys()


@pytest.mark.parametrize("function", ["RunVariant", "Aggregate"])
def test_heavy_functions_come_in_the_container_image(template: Template, function: str) -> None:
    properties = template.only("AWS::Lambda::Function", function)
    assert properties["PackageType"] == "Image"
    name = {"RunVariant": "run_variant", "Aggregate": "aggregate"}[function]
    assert properties["ImageConfig"]["Command"] == [f"functions.{name}.handler.handler"]


def test_a_variant_has_one_whole_cpu(template: Template) -> None:
    # AWS gives 1 vCPU at 1,769 MB; EnergyPlus uses one core.
    assert template.only("AWS::Lambda::Function", "RunVariant")["MemorySize"] == 1769


def test_memory_and_concurrency_of_variants_can_be_chosen(other_template: Template) -> None:
    properties = other_template.only("AWS::Lambda::Function", "RunVariant")
    assert (properties["MemorySize"], properties["ReservedConcurrentExecutions"]) == (3008, 500)


def test_the_cap_on_variants_can_be_chosen(other_template: Template) -> None:
    assert other_template.only("AWS::Lambda::Function", "Submit")["Environment"]["Variables"]["MAX_VARIANTS"] == "1234"


def test_the_image_that_runs_is_written_into_manifests(template: Template) -> None:
    image = json.dumps(template.only("AWS::Lambda::Function", "RunVariant")["Code"]["ImageUri"])
    assert template.only("AWS::Lambda::Function", "Submit")["Environment"]["Variables"]["IMAGE_ID"] in image


@pytest.mark.parametrize("function", ZIPPED)
def test_a_zipped_function_has_both_layers(template: Template, function: str) -> None:
    assert len(template.only("AWS::Lambda::Function", function)["Layers"]) == 2


def test_a_zipped_function_fits_into_lambda(template: Template) -> None:
    largest = max(size_mb(ROOT / "functions" / name.lower()) for name in ZIPPED)
    unzipped = largest + size_mb(dependencies_folder()) + size_mb(library_folder())
    assert unzipped < MAX_UNZIPPED_MB


def test_the_image_context_holds_nothing_but_what_the_dockerfile_copies(template: Template) -> None:
    assets = json.loads(next(template.cloud_assembly.glob("*.assets.json")).read_text(encoding="utf-8"))
    (image,) = assets["dockerImages"].values()
    context = template.cloud_assembly / image["source"]["directory"]
    files = {path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file()}
    files = {name for name in files if "__pycache__" not in name}
    known = (
        "functions/__init__.py",
        "functions/run_variant/",
        "functions/aggregate/",
        "layers/energyplus/python/epsm/",
        "layers/energyplus/engines/",
    )
    assert {name for name in files if not name.startswith(known)} == set()
    assert {"functions/run_variant/Dockerfile", "layers/energyplus/python/epsm/energyplus/engine.py"} <= files


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def test_the_base_of_the_image_is_fixed_by_its_digest(template: Template) -> None:
    (path,) = template.cloud_assembly.glob("*.assets.json")
    images = json.loads(path.read_text(encoding="utf-8"))["dockerImages"].values()
    bases = {each["source"]["dockerBuildArgs"]["BASE_IMAGE"] for each in images}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.13[\w.-]*@sha256:[0-9a-f]{64}", bases.pop())


@pytest.mark.parametrize(
    ("function", "expected"), [("Api", ("3", "250.5")), ("Submit", ("3", "250.5")), ("RunVariant", (None, "250.5"))]
)
def test_the_limits_of_owners_are_known_where_they_count(
    other_template: Template, function: str, expected: tuple[str | None, str]
) -> None:
    variables = other_template.only("AWS::Lambda::Function", function)["Environment"]["Variables"]
    assert (variables.get("OWNER_MAX_RUNNING_STUDIES"), variables["OWNER_MAX_USD_PER_MONTH"]) == expected
