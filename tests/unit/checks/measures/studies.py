"""Studies with measures."""

import json
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.errors import StudyRejected
from epsm.study.limits import Limits
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.checks.study.folders import Folder

THICK = {"class": "Material", "object": "Wall Insulation", "field": "Thickness", "value": 0.2}
BY_WALLS, BY_LIGHTS = {"name": "walls", "measure": "walls"}, {"name": "lights", "measure": "lights"}


def document(measures: list[dict[str, Any]], *parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return study_document(measures=measures, parameters=list(parameters), **changes)


def accept(files: dict[str, bytes], measures: list[Any], *parameters: dict[str, Any], **changes: Any) -> CheckedStudy:
    content = json.dumps(document(measures, *parameters, **changes)).encode()
    return check_study(content, Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], measures: list[Any], *parameters: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, measures, *parameters, **changes)
    return {
        problem.where.removeprefix("study.json: "): f"{problem.what} | {problem.allowed}"
        for problem in refusal.value.problems
    }


def parsed(measures: list[dict[str, Any]], *parameters: dict[str, Any], **changes: Any) -> Study:
    return parse_study(json.dumps(document(measures, *parameters, **changes)))


def values(study: Study) -> list[dict[str, Any]]:
    return [variant.values for variant in expand(study)]
