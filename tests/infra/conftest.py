"""The synthesised template, once with defaults and once with every choice made differently."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from epsm_local.product import CONTEXT
from infra.tools.check import definitions
from infra.tools.synthesised import synthesise

Resources = dict[str, dict[str, Any]]


class Template:
    """A CloudFormation template, looked at by type."""

    def __init__(self, cloud_assembly: Path) -> None:
        self.cloud_assembly = cloud_assembly
        path = next(cloud_assembly.glob("*.template.json"))
        self.document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    def of_type(self, kind: str) -> Resources:
        return {name: resource for name, resource in self.document["Resources"].items() if resource["Type"] == kind}

    def only(self, kind: str, part_of_name: str = "") -> dict[str, Any]:
        """Properties of the one resource of a type whose logical id contains `part_of_name`."""
        found = [resource for name, resource in self.of_type(kind).items() if part_of_name in name]
        assert len(found) == 1, f"{len(found)} resources of {kind} with {part_of_name}"
        return dict(found[0]["Properties"])

    @property
    def machine(self) -> dict[str, Any]:
        """The definition of the one state machine."""
        (text,) = definitions(self.document)
        return dict(json.loads(text))


@pytest.fixture(scope="session")
def template() -> Template:
    return Template(synthesise(CONTEXT))


@pytest.fixture(scope="session")
def fargate_template() -> Template:
    return Template(synthesise({**CONTEXT, "fargate": "true"}))


OTHER_CHOICES: Mapping[str, str] = {
    "stage": "other",
    "memory_mb": "3008",
    "reserved_concurrency": "500",
    "account_concurrency": "3000",
    "max_variants": "1234",
    "log_retention_days": "7",
    "noncurrent_days": "50",
    "notify_email": "modeller@example.com",
    "keep_data": "false",
    "owner_max_running_studies": "3",
    "owner_max_usd_per_month": "250.5",
}


@pytest.fixture(scope="session")
def other_template() -> Template:
    return Template(synthesise(OTHER_CHOICES))
