"""Models and parameters to check, and the faults that are found in them."""

import contextlib
import re
from typing import Any

from epsm.checks.models import CheckedModel, check_model
from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import read_outline
from epsm.problems import Problem
from epsm.study.schema import Study
from tests.conftest import study_document


def vary(class_name: str, object_name: str, field: str, *values: float | str, **changes: Any) -> dict[str, Any]:
    """A parameter of study.json; without values it must get `multiply`."""
    names = {"name": "varied", "class": class_name, "object": object_name, "field": field}
    return names | ({"values": values} if values else {}) | changes


def study(*parameters: dict[str, Any], run_period: str = "as_in_model") -> Study:
    renamed = [parameter | {"name": f"{parameter['name']}_{index}"} for index, parameter in enumerate(parameters)]
    return Study.model_validate(study_document(parameters=renamed, options={"run_period": run_period}))


def faults(found: list[Problem] | CheckedModel) -> list[tuple[str, str, str]]:
    problems = found.problems if isinstance(found, CheckedModel) else found
    return [(problem.where.removeprefix("study.json: "), problem.what, problem.allowed) for problem in problems]


def check(model: str | bytes, *parameters: dict[str, Any], source: str = "room.idf", **options: str) -> CheckedModel:
    content = model if isinstance(model, bytes) else model.encode()
    return check_model(content, source, study(*parameters, **options))


def fault(model: str | bytes, *parameters: dict[str, Any], **options: str) -> Problem:
    """The one fault of a model."""
    (found,) = check(model, *parameters, **options).problems
    return found


def without(model: str, class_name: str) -> str:
    """The model without the objects of a class."""
    return re.sub(rf"(?ms)^{class_name},.*?;[^\n]*\n", "", model)


def as_epjson(model: str) -> dict[str, Any]:
    """An IDF as epJSON."""
    document: dict[str, Any] = {}
    for group in read_outline(model.encode(), "room.idf").objects.values():
        rule = dictionary.load().find_class(group[0].class_name)
        assert rule is not None
        objects = document.setdefault(rule.name, {})
        for model_object in group:
            fields: dict[str, Any] = {}
            values = [number_or_text(str(value)) for value in model_object.values]
            for field, value in zip(rule.fields, values, strict=False):
                if field.key != "name" and value != "":
                    fields[field.key] = value
            width = len(rule.repeats)
            rest = values[len(rule.fields) :]
            for start in range(0, len(rest), width or 1):
                items = zip(rule.repeats, rest[start : start + width], strict=False)
                fields.setdefault(rule.repeats[0].repeat_key or "", []).append(
                    {item.key: value for item, value in items}
                )
            objects[model_object.name if rule.named else f"{rule.name} {len(objects) + 1}"] = fields
    version = document.get("Version", {}).get("Version 1")
    if version is not None:
        version["version_identifier"] = str(version["version_identifier"])
    return document


def number_or_text(value: str) -> float | str:
    """As the engine's own conversion does: a number without a point is a whole one."""
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(value)
    return value
