"""Studies of schedules and setpoints, accepted or refused."""

import json
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.errors import StudyRejected
from epsm.study.limits import Limits
from tests.conftest import study_document
from tests.unit.checks.study.folders import Folder

PARAMETER = {"name": "x", "values": [1, 2]}
SHIFT = {"name": "x", "measure": "x"}


def accept(files: dict[str, bytes], *parameters: dict[str, Any], model: str = "many.idf", **more: Any) -> CheckedStudy:
    document = study_document(parameters=list(parameters), models=[model], **more)
    return check_study(json.dumps(document).encode(), Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], *parameters: dict[str, Any], **more: Any) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, *parameters, **more)
    return {
        problem.where.removeprefix("study.json: "): f"{problem.what} | {problem.allowed}"
        for problem in refusal.value.problems
    }


def measure(**edit: Any) -> dict[str, Any]:
    return {"measures": [{"name": "x", "variants": [{"name": "on", "setpoints": [edit]}]}]}
