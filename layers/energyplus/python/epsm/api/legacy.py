"""Fields of legacy EPSM's form: construction sets and how they are combined, as measures and a sampling.

Legacy EPSM (v0.3) looked its scenario up by `scenario_id` in a database of its own, chose layers by their names and
combined the sets by `construction_mode`: `combinatorial` (every combination in which something changes) or
`per_construction` (each set alone).
"""

import json
from collections.abc import Mapping
from typing import Any

from epsm.api.forms import Form
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.strict_json import RepeatedKey, without_repeated_keys
from epsm.text import listed, nearest

_SLOTS = {"wall": "wall_exterior", "roof": "roof_ceiling_exterior", "floor": "floor_ground", "window": "window"}
"""Element type of legacy EPSM -> slot. Interior and adiabatic surfaces, doors and ceilings stay as they are."""
_METHODS = {
    **dict.fromkeys(("combinatorial", "product", "grid"), "grid"),
    **dict.fromkeys(("per_construction", "one_by_one", "one_at_a_time"), "one_at_a_time"),
}


def with_legacy_fields(document: bytes, form: Form) -> bytes:
    """A study.json with the construction sets and the mode of a form; the same bytes if the form has neither.

    Args:
        document: The study.json that the form has, or that was made for it.
        form: The form.

    Raises:
        StudyRejected: If these fields are wrong in themselves, or contradict study.json.
    """
    scenario, mode = form.text("scenario"), form.text("construction_mode")
    problems: list[Problem] = []
    if form.text("scenario_id"):
        fault = "names a scenario in the database of legacy EPSM, which cannot be read here"
        problems.append(Problem("form field 'scenario_id'", fault, "'scenario' with its construction sets, or 'study'"))
    if mode and mode not in _METHODS:
        near = nearest(mode, _METHODS) or listed(_METHODS)
        problems.append(Problem("form field 'construction_mode'", f"'{mode}' is not known", near))
    sets = _sets(scenario, problems) if scenario else {}
    if problems:
        raise StudyRejected(problems)
    if not (sets or mode):
        return document
    study = _as_object(document)
    if study is None:
        return document  # the check of the study says why
    if sets:
        study["measures"] = [*study.get("measures", ()), *(_measure(name, group) for name, group in sets.items())]
        parameters = ({"name": name, "measure": name} for name in sets)
        study["parameters"] = [*study.get("parameters", ()), *parameters]
    if mode and study.get("parameters"):
        own = study.setdefault("sampling", {"method": _METHODS[mode]}).get("method", "grid")
        if _METHODS.get(own, own) != _METHODS[mode]:
            fault = f"is '{mode}', and study.json has the sampling '{own}'"
            raise StudyRejected([Problem("form field 'construction_mode'", fault, "one of them")])
    return json.dumps(study, ensure_ascii=False).encode()


def _as_object(document: bytes) -> dict[str, Any] | None:
    """A study.json in which the parts that are changed here have the expected types."""
    try:
        study = json.loads(document.decode("utf-8-sig"), object_pairs_hook=without_repeated_keys)
    except (ValueError, RecursionError, RepeatedKey):
        return None
    lists = ("measures", "parameters")
    fits = isinstance(study, dict) and all(isinstance(study.get(name, []), list) for name in lists)
    return study if fits and isinstance(study.get("sampling", {}), dict) else None


def _sets(scenario: str, problems: list[Problem]) -> dict[str, list[Any]]:
    """Construction sets by element: `{"wall": [{"name": ..., "layers": [...]}, ...], ...}`."""
    where = "form field 'scenario'"
    try:
        sets = json.loads(scenario, object_pairs_hook=without_repeated_keys)
    except (ValueError, RecursionError, RepeatedKey) as error:
        problems.append(Problem(where, f"is not JSON: {error}", "construction sets by element"))
        return {}
    if not isinstance(sets, dict):
        problems.append(Problem(where, "is not a JSON object", listed(_SLOTS)))
        return {}
    for element, group in sets.items():
        if element not in _SLOTS:
            problems.append(Problem(f"{where}: {element}", "is not an element", listed(_SLOTS)))
        elif not isinstance(group, list) or not all(isinstance(entry, dict) and "name" in entry for entry in group):
            problems.append(Problem(f"{where}: {element}", "is not a list of construction sets", "objects with 'name'"))
    return {element: group for element, group in sets.items() if group}


def _measure(element: str, group: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The measure of an element: a variant for each set; a layer that is a name is a material of the model."""
    variants = []
    for construction_set in group:
        edit = {key: value for key, value in construction_set.items() if key != "name"}
        if isinstance(edit.get("layers"), list):
            edit["layers"] = [{"material": one} if isinstance(one, str) else one for one in edit["layers"]]
        variants.append({"name": construction_set["name"], "constructions": [{"slot": _SLOTS[element], **edit}]})
    return {"name": element, "variants": variants}
