"""The kinds of targets: fields, schedules, setpoints; each has a key that the others do not have."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from epsm.study.schedule_targets import ScheduleTarget, ScheduleTargetEdit
from epsm.study.setpoints import SetpointTarget
from epsm.study.targets import Target, TargetEdit

A_FIELD, A_SCHEDULE, SETPOINTS = "a field", "a schedule", "thermostats"
_KINDS = {A_SCHEDULE: (ScheduleTarget, "schedule"), SETPOINTS: (SetpointTarget, "setpoints")}


def _kind(document: Any) -> str:
    if isinstance(document, dict):
        return next((tag for tag, (_, key) in _KINDS.items() if key in document), A_FIELD)
    return next((tag for tag, (kind, _) in _KINDS.items() if isinstance(document, kind)), A_FIELD)


AnyTarget = Annotated[
    Annotated[Target, Tag(A_FIELD)]
    | Annotated[ScheduleTarget, Tag(A_SCHEDULE)]
    | Annotated[SetpointTarget, Tag(SETPOINTS)],
    Discriminator(_kind),
]
AnyEdit = Annotated[
    Annotated[TargetEdit, Tag(A_FIELD)] | Annotated[ScheduleTargetEdit, Tag(A_SCHEDULE)],
    Discriminator(lambda document: A_FIELD if _kind(document) == A_FIELD else A_SCHEDULE),
]
"""Of a measure, which has setpoints in a list of their own."""
