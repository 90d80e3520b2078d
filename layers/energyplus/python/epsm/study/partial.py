"""The valid part of a study.json with faults, which is checked too, so that all faults are reported at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from epsm.problems import Problem
from epsm.study.consistency import sampling_problems
from epsm.study.parsing import load_document, problems_of
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.text import fold_name

_ENTRY = re.compile(rf"^{re.escape(MANIFEST_NAME)}: (\w+)\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class PartialStudy:
    """A study.json as far as it can be read.

    Attributes:
        study: The study without its faulty entries; None if too little is left to check.
        problems: The faults.
        numbers: For lists with removed entries, the positions in the document of the remaining ones.
    """

    study: Study | None
    problems: tuple[Problem, ...] = ()
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def in_document(self, problem: Problem) -> Problem:
        """A problem that was found in `study`, with its place in the document."""
        found = _ENTRY.match(problem.where)
        if found is None or found[1] not in self.numbers:
            return problem
        place = f"{MANIFEST_NAME}: {found[1]}[{self.numbers[found[1]][int(found[2])]}]"
        return replace(problem, where=place + problem.where[found.end() :])


def read_partial_study(document: bytes) -> PartialStudy:
    """Read a study.json.

    Raises:
        StudyRejected: If it is not JSON at all.
    """
    raw = load_document(document)
    try:
        study = Study.model_validate(raw)
        return PartialStudy(study, tuple(sampling_problems(study)))
    except ValidationError as error:
        problems = tuple(problems_of(error))
        readable = _readable_part(raw, error)
    if readable is None:
        return PartialStudy(None, problems)
    rest, numbers = readable
    try:
        draft = PartialStudy(Study.model_validate(rest), problems, numbers)
    except ValidationError:
        return PartialStudy(None, problems)
    if draft.study is None or ("sampling" in raw) != ("sampling" in rest):
        return draft
    complete = "measures" not in numbers and ("impact" in rest) == ("impact" in raw)
    more = sampling_problems(draft.study, with_impact=complete)
    return replace(draft, problems=(*problems, *map(draft.in_document, more)))


def _readable_part(raw: Any, error: ValidationError) -> tuple[dict[str, Any], dict[str, list[int]]] | None:
    """The document without faulty entries, and the positions of the remaining ones; None if nothing useful remains."""
    rest, faulty = dict(raw) if isinstance(raw, dict) else {}, dict[str, set[int]]()
    for detail in error.errors(include_url=False, include_input=False):
        match detail["loc"]:
            case ("parameters" | "models" | "weather" | "measures" as name, int(index), *_):
                faulty.setdefault(name, set()).add(index)
            case ("options", "run_period", *_):
                return None  # whether a model fits hangs on it
            case ("options", str(name), *_):
                rest["options"] = {key: value for key, value in rest["options"].items() if key != name}
            case ("name" | "outputs" | "sampling" | "analysis" | "impact" as name, *_):
                rest.pop(name, None)
            case (str(name),) if detail["type"] == "extra_forbidden":
                rest.pop(name)
            case _:
                return None
    _drop_together(raw, faulty)
    numbers = {
        name: [index for index in range(len(raw[name])) if index not in indices] for name, indices in faulty.items()
    }
    return rest | {name: [raw[name][index] for index in remaining] for name, remaining in numbers.items()}, numbers


def _drop_together(raw: Mapping[str, Any], faulty: dict[str, set[int]]) -> None:
    """A parameter is useless without its measure, and a measure without a parameter would be reported."""
    for name, key, other, other_key in (
        ("measures", "name", "parameters", "measure"),
        ("parameters", "measure", "measures", "name"),
    ):
        dropped = {_folded(raw[name][index], key) for index in faulty.get(name, ())} - {""}
        entries = raw.get(other)
        if dropped and isinstance(entries, list):
            found = {number for number, entry in enumerate(entries) if _folded(entry, other_key) in dropped}
            if found:
                faulty.setdefault(other, set()).update(found)


def _folded(entry: Any, key: str) -> str:
    return fold_name(str(entry.get(key, ""))) if isinstance(entry, dict) else ""
