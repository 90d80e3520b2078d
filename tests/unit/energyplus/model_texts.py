"""Small models as text, and what is read from them."""

import json
from typing import Any

from epsm.energyplus.model_reader import ModelOutline, read_outline

SMALL = """Version,25.2;

Material,
  Brick,      !- Name
  Rough,      !- Roughness
  0.12;       !- Thickness {m}

Timestep,4;
"""


def idf(text: str | bytes) -> ModelOutline:
    return read_outline(text if isinstance(text, bytes) else text.encode(), "room.idf")


def epjson(document: Any) -> ModelOutline:
    return read_outline(document if isinstance(document, bytes) else json.dumps(document).encode(), "room.epJSON")


def faults(outline: ModelOutline) -> list[tuple[str, str]]:
    """Place behind the file's name, and fault."""
    return [(problem.where.partition(": ")[2], problem.what) for problem in outline.problems]


# epJSON
ROOM: dict[str, Any] = {
    "Version": {"Version 1": {"version_identifier": "25.2"}},
    "Material": {"Brick": {"roughness": "Rough", "thickness": 0.12}},
    "BuildingSurface:Detailed": {
        "Floor": {"vertices": [{"vertex_x_coordinate": 1.5, "vertex_y_coordinate": 0}, {"vertex_x_coordinate": 8}]}
    },
    "Lights": {},
}
