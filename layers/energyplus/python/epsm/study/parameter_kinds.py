"""The kinds of parameters, distinguished by the key that only one of them has."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from epsm.study.parameters import (
    CoupledParameter,
    Dimension,
    MeasureParameter,
    Parameter,
    ScheduleParameter,
    SetpointParameter,
)
from epsm.study.whole_files import FileParameter, WeatherParameter
from epsm.study.whole_objects import ReplaceParameter


def _kind(document: Any) -> str:
    if isinstance(document, dict):
        return next((tag for tag, (_, mark) in KINDS_OF_PARAMETERS.items() if mark in document), ONE_TARGET)
    return next((tag for tag, (kind, _) in KINDS_OF_PARAMETERS.items() if isinstance(document, kind)), ONE_TARGET)


ONE_TARGET = "one target"
KINDS_OF_PARAMETERS: dict[str, tuple[type[Dimension], str]] = {
    "a measure": (MeasureParameter, "measure"),
    "several targets": (CoupledParameter, "targets"),
    "a schedule": (ScheduleParameter, "schedule"),
    "setpoints": (SetpointParameter, "setpoints"),
    "a file": (FileParameter, "file"),
    "weather": (WeatherParameter, "weather"),
    "an object": (ReplaceParameter, "replaces"),
    ONE_TARGET: (Parameter, "class"),
}
"""Tag in the location of a fault -> kind of parameter, and the key that only this kind has."""
AnyParameter = Annotated[
    Annotated[Parameter, Tag(ONE_TARGET)]
    | Annotated[CoupledParameter, Tag("several targets")]
    | Annotated[MeasureParameter, Tag("a measure")]
    | Annotated[ScheduleParameter, Tag("a schedule")]
    | Annotated[SetpointParameter, Tag("setpoints")]
    | Annotated[FileParameter, Tag("a file")]
    | Annotated[WeatherParameter, Tag("weather")]
    | Annotated[ReplaceParameter, Tag("an object")],
    Discriminator(_kind),
]
