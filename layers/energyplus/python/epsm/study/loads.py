"""Ready edits of loads: internal gains and infiltration times a factor, however each object states them."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from epsm.study.targets import Patterns, TargetEdit
from epsm.study.values import Number, Strict

LoadKind = Literal["lighting", "electric_equipment", "gas_equipment", "infiltration"]
_GAINS = ("Watts per Floor Area", "Watts per Zone Floor Area", "Watts per Person")
_FIELDS: dict[LoadKind, dict[str, tuple[str, ...]]] = {
    "lighting": {"Lights": ("Lighting Level", *_GAINS)},
    "electric_equipment": {"ElectricEquipment": ("Design Level", *_GAINS)},
    "gas_equipment": {
        "GasEquipment": (*("Design Level", "Power per Floor Area", "Power per Zone Floor Area", "Power per Person"),)
    },
    "infiltration": {
        "ZoneInfiltration:DesignFlowRate": (
            *("Design Flow Rate", "Flow Rate per Floor Area"),
            *("Flow Rate per Exterior Surface Area", "Air Changes per Hour"),
        ),
        "ZoneInfiltration:EffectiveLeakageArea": ("Effective Air Leakage Area",),
        "ZoneInfiltration:FlowCoefficient": ("Flow Coefficient",),
    },
}
"""Kind -> class -> the fields that may hold its size; the object's method says which counts. EnergyPlus before 25.1 has
other names for some: those that a version does not have are left out."""


class LoadTarget(TargetEdit):
    """One field of a load; a model or a version of EnergyPlus need not have it."""

    @property
    def defaults_count(self) -> bool:
        """Whether a blank field has its default, rather than being left."""
        return False


class LoadEdit(Strict):
    """All loads of a kind, or some, times a factor."""

    kind: LoadKind
    object_name: Patterns = Field(default="*", alias="object", description="Names, or patterns, of the objects.")
    except_: Patterns = Field(default=(), alias="except", description="Names, or patterns, of those to leave.")
    multiply: Annotated[Number, Field(ge=0, le=100)] = Field(description="Factor for the size that the model has.")

    @property
    def way(self) -> str:
        """The key that has the number."""
        return "multiply"

    @property
    def targets(self) -> Iterator[LoadTarget]:
        """The fields; in those that are blank nothing is written."""
        for class_name, fields in _FIELDS[self.kind].items():
            for field in fields:
                yield LoadTarget.model_validate(
                    {
                        "class": class_name,
                        "object": self.object_name,
                        "except": self.except_,
                        "field": field,
                        "apply": "multiply",
                        "blank": "skip",
                        "value": self.multiply,
                    }
                )
