"""Models prepared for a study, and what is in the text that they are rendered to."""

import json
from typing import Any

from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.study.schema import Study
from tests.conftest import study_document

REWRITTEN = {"output:sqlite", "output:table:summaryreports", "outputcontrol:files"}
INSULATION = {
    "name": "insulation",
    "class": "Material",
    "object": "Wall Insulation",
    "field": "Thickness",
    "values": [0.3],
}


def study(*parameters: dict[str, Any], **changes: Any) -> Study:
    return Study.model_validate(study_document(parameters=parameters, **changes))


def prepared(engine: Engine, model: str | bytes, *parameters: dict[str, Any], **changes: Any) -> PreparedModel:
    content = model if isinstance(model, bytes) else model.encode()
    return prepare(content, "room.idf", study(*parameters, **changes), engine.idd)


def outline_of(text: str) -> ModelOutline:
    outline = read_outline(text.encode(), "in.idf")
    assert not outline.problems
    return outline


def values_of(text: str, class_name: str) -> list[tuple[str, ...]]:
    """The IDF values of every object of a class, the name first."""
    return [
        model_object.values
        for model_object in outline_of(text).of_class(class_name)
        if isinstance(model_object.values, tuple)
    ]


def object_of(text: str, class_name: str, name: str) -> tuple[str, ...]:
    (found,) = [values for values in values_of(text, class_name) if values[0] == name]
    return found


# -- epJSON ------------------------------------------------------------------------------------------------------
Epjson = dict[str, dict[str, dict[str, Any]]]


def prepared_epjson(engine: Engine, model: Epjson, *parameters: dict[str, Any], **changes: Any) -> PreparedModel:
    content = json.dumps(model, ensure_ascii=False).encode()
    return prepare(content, "room.epJSON", study(*parameters, **changes), engine.idd)
