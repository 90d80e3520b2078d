"""Documents of studies, and the faults that are found in them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from tests.conftest import study_document

THICKNESS = {"class": "Material", "object": "Wall Insulation", "field": "Thickness"}


def parse(document: Mapping[str, Any]) -> Study:
    return parse_study(json.dumps(document, ensure_ascii=False).encode())


def faults_of(document: bytes | str) -> dict[str, Problem]:
    """The problems that a document is refused for, by their place behind `study.json: `."""
    with pytest.raises(StudyRejected) as refusal:
        parse_study(document)
    problems = {
        problem.where.removeprefix("study.json").removeprefix(": "): problem for problem in refusal.value.problems
    }
    assert len(problems) == len(refusal.value.problems), "one problem a place"
    return problems


def faults(**changes: Any) -> dict[str, Problem]:
    return faults_of(json.dumps(study_document(**changes)))


def parameter(**changes: Any) -> dict[str, Any]:
    """A parameter; None removes a key."""
    complete: dict[str, Any] = {"name": "insulation", **THICKNESS, "values": [0.1, 0.2]} | changes
    return {key: value for key, value in complete.items() if value is not None}
