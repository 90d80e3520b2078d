"""Reading a study.json: from text to a Study, or to every fault of the document."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import (
    BaseModel,
    ValidationError,
)

from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.strict_json import RepeatedKey, without_repeated_keys
from epsm.study.analysis import Analysis
from epsm.study.cells import ReportCell
from epsm.study.consistency import sampling_problems
from epsm.study.constructions import LAYERS, ConstructionEdit, Glazing
from epsm.study.distributions import KINDS
from epsm.study.impact import FuelFactors, Fuels, HourlyElectricity, Impact
from epsm.study.loads import LoadEdit
from epsm.study.measure_impact import LayerGwp, SurfaceCost, VariantCost, VariantGwp
from epsm.study.measures import Measure, MeasureVariant
from epsm.study.parameter_kinds import KINDS_OF_PARAMETERS
from epsm.study.parameters import Parameter, Range
from epsm.study.reduced import ReducedSeries
from epsm.study.sampling import METHODS
from epsm.study.sampling.correlations import Correlation
from epsm.study.schedule_targets import ScheduleTarget, ScheduleTargetEdit
from epsm.study.schema import MANIFEST_NAME, Options, Outputs, Study
from epsm.study.setpoints import SetpointEdit, SetpointTarget
from epsm.study.systems import EfficiencyEdit, IdealLoadsEdit
from epsm.study.target_kinds import A_FIELD, A_SCHEDULE, SETPOINTS
from epsm.study.targets import Target, TargetEdit
from epsm.text import listed, nearest


def parse_study(document: bytes | str) -> Study:
    """Read and validate a study.json.

    Args:
        document: The file's content.

    Raises:
        StudyRejected: With every fault of the document.
    """
    try:
        study = Study.model_validate(load_document(document))
    except ValidationError as error:
        raise StudyRejected(problems_of(error)) from None
    if problems := sampling_problems(study):
        raise StudyRejected(problems)
    return study


def load_document(document: bytes | str) -> Any:
    """The JSON of a study.json, whatever it holds.

    Raises:
        StudyRejected: If it is none.
    """
    try:
        text = document.decode("utf-8-sig") if isinstance(document, bytes) else document
        return json.loads(text, object_pairs_hook=without_repeated_keys)
    except UnicodeDecodeError as error:
        raise StudyRejected([Problem(MANIFEST_NAME, f"is not UTF-8 text (byte {error.start})", "UTF-8")]) from None
    except json.JSONDecodeError as error:
        where = f"{MANIFEST_NAME}: line {error.lineno}, column {error.colno}"
        raise StudyRejected([Problem(where, f"is not JSON: {error.msg}", "a JSON object")]) from None
    except RepeatedKey as error:
        raise StudyRejected([Problem(MANIFEST_NAME, f"the key '{error}' occurs twice in one object")]) from None
    except RecursionError:
        raise StudyRejected([Problem(MANIFEST_NAME, "is nested too deeply")]) from None
    except ValueError as error:  # a number of thousands of digits
        raise StudyRejected([Problem(MANIFEST_NAME, f"cannot be read: {error}")]) from None


def problems_of(error: ValidationError) -> list[Problem]:
    """Pydantic's errors in terms of the document: one problem per place, with the allowed values."""
    problems: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        # A union reports a fault per member, and names it after the place.
        steps = detail["loc"][:-1] if detail["loc"][-1:] and _is_member_of_value(detail["loc"]) else detail["loc"]
        path = ""
        for step in _without_tags(steps):
            path += f"[{step}]" if isinstance(step, int) else (f".{step}" if path else str(step))
        if detail["type"] == "too_short" and any(known.startswith(f"{path}[") for known in problems):
            continue  # the list is only short because its entries, reported already, were dropped
        if detail["type"] == "tuple_type" and path in problems:
            continue  # a text that is none of the allowed ones need not be a list either
        if detail["type"].startswith("union_tag"):
            path += f".{detail['ctx']['discriminator']}".replace("'", "")
        fault, allowed = _in_words(detail["type"], detail["msg"], detail["input"], detail.get("ctx", {}))
        if detail["type"] == "extra_forbidden":
            allowed = nearest(str(steps[-1]), _sibling_keys(steps))
        if path in problems and problems[path].what == fault:
            allowed = " or ".join(part for part in (problems[path].allowed, allowed) if part)
        problems[path] = Problem(f"{MANIFEST_NAME}: {path}" if path else MANIFEST_NAME, fault, allowed)
    return list(problems.values())


_UNIONS: Mapping[str, Mapping[str, type[BaseModel]]] = {"sampling": METHODS, "distribution": KINDS}
"""Unions of objects: pydantic includes the chosen member in the location."""
_PARTS: Mapping[str, type[BaseModel]] = {
    "parameters": Parameter,
    **{tag: kind for tag, (kind, _) in KINDS_OF_PARAMETERS.items()},
    "targets": Target,
    A_SCHEDULE: ScheduleTarget,
    SETPOINTS: SetpointTarget,
    "measures": Measure,
    "variants": MeasureVariant,
    "gwp": VariantGwp,
    "cost": VariantCost,
    "range": Range,
    "correlations": Correlation,
    "analysis": Analysis,
    "impact": Impact,
    "fuels": Fuels,
    "hourly_electricity": HourlyElectricity,
    **dict.fromkeys(Fuels.model_fields, FuelFactors),
    "outputs": Outputs,
    "cells": ReportCell,
    "reduced": ReducedSeries,
    "options": Options,
}
_IN_MEASURES: Mapping[str, type[BaseModel]] = {
    "targets": TargetEdit,
    "constructions": ConstructionEdit,
    "glazing": Glazing,
    "loads": LoadEdit,
    "setpoints": SetpointEdit,
    A_SCHEDULE: ScheduleTargetEdit,
    "efficiencies": EfficiencyEdit,
    "ideal_loads": IdealLoadsEdit,
    **LAYERS,
}

_IN_CONSTRUCTIONS: Mapping[str, type[BaseModel]] = {"gwp": LayerGwp, "cost": SurfaceCost}


def _without_tags(steps: Sequence[int | str]) -> Iterator[int | str]:
    before: int | str = ""
    earlier: int | str = ""
    for step in steps:
        tags = KINDS_OF_PARAMETERS if earlier == "parameters" else ()
        if earlier == "layers" and step in LAYERS:
            earlier, before = before, step
            continue
        tagged = step in (*_UNIONS.get(str(before), ()), *tags) or (
            earlier == "targets" and step in (A_FIELD, A_SCHEDULE, SETPOINTS)
        )
        if not tagged and not str(step).startswith("tuple["):
            yield step
        earlier, before = before, step


def _sibling_keys(steps: Sequence[int | str]) -> list[str]:
    """The keys that are known where an unknown one was found."""
    part: type[BaseModel] = Study
    before = ""
    for step in map(str, steps[:-1]):
        in_measure = _IN_MEASURES.get(step) if "measures" in steps else None
        in_measure = _IN_CONSTRUCTIONS.get(step, in_measure) if "constructions" in steps else in_measure
        part = _UNIONS.get(before, {}).get(step) or in_measure or _PARTS.get(step) or part
        before = step
    return [field.alias or name for name, field in part.model_fields.items()]


def _is_member_of_value(steps: tuple[int | str, ...]) -> bool:
    """Whether a place ends in the name of a member of `Value`: `("parameters", 0, "values", 2, "float")`, or of a
    sample: `("sampling", "list", "rows", 2, "wall", "float")`."""
    if len(steps) > 2 and steps[-2] == "value" and isinstance(steps[-1], str):
        return True
    in_values = len(steps) > 2 and steps[-3] == "values" and isinstance(steps[-2], int) and isinstance(steps[-1], str)
    in_target = len(steps) > 4 and (steps[-2] in ("object", "except", "schedule", "zones") or steps[-3] == "where")
    if in_target and isinstance(steps[-1], str):
        return True
    return in_values or (len(steps) > 3 and steps[-4] == "rows" and steps[-1] != "[key]")


def _in_words(kind: str, message: str, found: Any, context: dict[str, Any]) -> tuple[str, str]:
    """The finding and the allowed values, for one of pydantic's error types."""
    try:
        shown = json.dumps(found, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        shown = type(found).__name__
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    match kind:
        case "missing":
            return "is missing", ""
        case "extra_forbidden":
            return "is not a key that a study knows", ""
        case "union_tag_invalid":
            return f'"{context["tag"]}" is not known', context["expected_tags"]
        case "union_tag_not_found":
            return "is missing", listed(KINDS, most=20)
        case "literal_error":
            return f"{shown} is not known", str(context["expected"])
        case "value_error":
            return str(context["error"]), ""
        case "too_short":
            return "is empty", "at least one entry"
        case "too_long":
            return "is too long", f"at most {context['max_length']} entries"
        case "string_too_short":
            return "is empty", "some text"
        case "string_too_long":
            return f"{shown} is too long", f"at most {context['max_length']} characters"
        case "string_pattern_mismatch":
            return f"{shown} cannot be a column name", "letters, digits and '_', a letter first"
        case "greater_than_equal":
            return f"{shown} is too small", f">= {context['ge']:g}"
        case "greater_than":
            return f"{shown} is too small", f"> {context['gt']:g}"
        case "less_than":
            return f"{shown} is too large", f"< {context['lt']:g}"
        case "less_than_equal":
            return f"{shown} is too large", f"<= {context['le']:g}"
        case "float_type" | "float_parsing" | "finite_number" | "int_type" | "int_parsing" | "int_from_float":
            return f"{shown} is not a value", "a whole number" if kind.startswith("int") else "a number"
        case "bool_type":
            return f"{shown} is not a value", "true or false"
        case "string_type":
            return f"{shown} is not a value", "text"
        case "tuple_type":
            return f"{shown} is not a list", "a list in [ ]"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{shown} is not an object", "an object in { }"
        case _:
            return f"{shown} does not fit", message[:1].lower() + message[1:]
