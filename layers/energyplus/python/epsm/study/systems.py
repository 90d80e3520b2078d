"""Ready edits of systems: efficiencies by kind of equipment, and ideal loads.

Only fields with an unambiguous meaning in any system are included. Curves, sizes
and controls stay as they are.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epsm.study.loads import LoadTarget
from epsm.study.targets import Patterns
from epsm.study.values import Number, Strict

EfficiencyKind = Literal[
    "boiler_efficiency",
    "furnace_efficiency",
    "chiller_cop",
    "dx_cooling_cop",
    "dx_heating_cop",
    "fan_efficiency",
    "pump_efficiency",
    "water_heater_efficiency",
    "heat_recovery_sensible",
    "heat_recovery_latent",
]
_UNITARY = ("HVACTemplate:System:Unitary", "HVACTemplate:System:UnitaryHeatPump:AirToAir")
_CENTRAL = (
    *("HVACTemplate:System:VAV", "HVACTemplate:System:PackagedVAV", "HVACTemplate:System:ConstantVolume"),
    "HVACTemplate:System:UnitarySystem",
)
_ZONE_UNITS = tuple(f"HVACTemplate:Zone:{unit}" for unit in ("FanCoil", "PTAC", "PTHP", "WaterToAirHeatPump", "VRF"))
_SUPPLY, _RETURN = "Supply Fan Total Efficiency", "Return Fan Total Efficiency"
_FIELDS: dict[EfficiencyKind, dict[str, tuple[str, ...]]] = {
    "boiler_efficiency": {
        "Boiler:HotWater": ("Nominal Thermal Efficiency",),
        "Boiler:Steam": ("Theoretical Efficiency",),
        "HVACTemplate:Plant:Boiler": ("Efficiency",),
    },
    "furnace_efficiency": {
        "Coil:Heating:Fuel": ("Burner Efficiency",),
        "HVACTemplate:Zone:PTAC": ("Gas Heating Coil Efficiency",),
        "HVACTemplate:System:DedicatedOutdoorAir": ("Gas Heating Coil Efficiency",),
        **dict.fromkeys(("HVACTemplate:System:Unitary", *_CENTRAL), ("Gas Heating Coil Efficiency",)),
    },
    "chiller_cop": {
        "Chiller:Electric": ("Nominal COP",),
        "Chiller:Electric:EIR": ("Reference COP",),
        "Chiller:Electric:ReformulatedEIR": ("Reference COP",),
        "Chiller:ConstantCOP": ("Nominal COP",),
        "HVACTemplate:Plant:Chiller": ("Nominal COP",),
    },
    "dx_cooling_cop": {
        "Coil:Cooling:DX:SingleSpeed": ("Gross Rated Cooling COP",),
        "AirConditioner:VariableRefrigerantFlow": ("Gross Rated Cooling COP",),
        "HVACTemplate:Zone:PTAC": ("Cooling Coil Gross Rated Cooling COP",),
        "HVACTemplate:Zone:PTHP": ("Cooling Coil Gross Rated COP",),
        **dict.fromkeys((*_UNITARY, "HVACTemplate:System:PackagedVAV"), ("Cooling Coil Gross Rated COP",)),
        "HVACTemplate:System:UnitarySystem": ("DX Cooling Coil Gross Rated COP",),
        "HVACTemplate:System:DedicatedOutdoorAir": ("DX Cooling Coil Gross Rated COP",),
        "HVACTemplate:System:VRF": ("Gross Rated Cooling COP",),
    },
    "dx_heating_cop": {
        "Coil:Heating:DX:SingleSpeed": ("Gross Rated Heating COP",),
        "AirConditioner:VariableRefrigerantFlow": ("Gross Rated Heating COP",),
        "HVACTemplate:Zone:PTHP": ("Heat Pump Heating Coil Gross Rated COP",),
        "HVACTemplate:System:UnitaryHeatPump:AirToAir": ("Heat Pump Heating Coil Rated COP",),
        "HVACTemplate:System:UnitarySystem": ("Heat Pump Heating Coil Gross Rated COP",),
        "HVACTemplate:System:VRF": ("Gross Rated Heating COP",),
    },
    "fan_efficiency": {
        **dict.fromkeys(
            ("Fan:SystemModel", "Fan:ConstantVolume", "Fan:VariableVolume", "Fan:OnOff", "Fan:ZoneExhaust"),
            ("Fan Total Efficiency",),
        ),
        **dict.fromkeys((*_ZONE_UNITS, "HVACTemplate:System:DedicatedOutdoorAir"), (_SUPPLY,)),
        **dict.fromkeys((*_UNITARY, *_CENTRAL), (_SUPPLY, _RETURN)),
        "HVACTemplate:Zone:VAV:FanPowered": ("Fan Total Efficiency",),
    },
    "pump_efficiency": dict.fromkeys(
        ("Pump:VariableSpeed", "Pump:ConstantSpeed", "HeaderedPumps:VariableSpeed", "HeaderedPumps:ConstantSpeed"),
        ("Motor Efficiency",),
    ),
    "water_heater_efficiency": dict.fromkeys(
        ("WaterHeater:Mixed", "WaterHeater:Stratified"), ("Heater Thermal Efficiency",)
    ),
    "heat_recovery_sensible": {
        "HeatExchanger:AirToAir:SensibleAndLatent": (
            "Sensible Effectiveness at 100% Heating Air Flow",
            "Sensible Effectiveness at 100% Cooling Air Flow",
        ),
    },
    "heat_recovery_latent": {
        "HeatExchanger:AirToAir:SensibleAndLatent": (
            "Latent Effectiveness at 100% Heating Air Flow",
            "Latent Effectiveness at 100% Cooling Air Flow",
        ),
    },
}
"""Kind -> class -> fields. A version of EnergyPlus, or a model, need not have each."""
_STAGES: dict[EfficiencyKind, dict[str, tuple[str, ...]]] = {
    "furnace_efficiency": {
        "Coil:Heating:Gas:MultiStage": tuple(f"Stage {stage} Gas Burner Efficiency" for stage in range(1, 5)),
    },
    "dx_cooling_cop": {
        "Coil:Cooling:DX:CurveFit:Speed": ("Gross Cooling COP",),
        "Coil:Cooling:DX:TwoSpeed": ("High Speed Gross Rated Cooling COP", "Low Speed Gross Rated Cooling COP"),
        "Coil:Cooling:DX:MultiSpeed": tuple(f"Speed {speed} Gross Rated Cooling COP" for speed in range(1, 5)),
        "Coil:Cooling:DX:VariableSpeed": tuple(
            f"Speed {speed} Reference Unit Gross Rated Cooling COP" for speed in range(1, 11)
        ),
    },
    "dx_heating_cop": {
        "Coil:Heating:DX:MultiSpeed": tuple(f"Speed {speed} Gross Rated Heating COP" for speed in range(1, 5)),
        "Coil:Heating:DX:VariableSpeed": tuple(
            f"Speed {speed} Reference Unit Gross Rated Heating COP" for speed in range(1, 11)
        ),
    },
}
"""The same where each speed or stage has a number of its own: they can be multiplied; one value for all has no
meaning."""


class SystemTarget(LoadTarget):
    """One field of a system; a blank one has its default, and is left where there is none."""

    @property
    def defaults_count(self) -> bool:
        return True


class EfficiencyEdit(Strict):
    """Efficiencies of a kind, in all objects or some: a value, or a factor for the model's own."""

    kind: EfficiencyKind
    object_name: Patterns = Field(default="*", alias="object", description="Names, or patterns, of the objects.")
    except_: Patterns = Field(default=(), alias="except", description="Names, or patterns, of those to leave.")
    value: Annotated[Number, Field(ge=0, le=20)] | None = Field(default=None, description="New efficiency or COP.")
    multiply: Annotated[Number, Field(gt=0, le=100)] | None = Field(
        default=None, description="Factor for the efficiency or COP that the model has."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.value is None and self.multiply is None:
            raise ValueError("has neither 'value' nor 'multiply'; give one")
        if self.value is not None and self.multiply is not None:
            raise ValueError("has both 'value' and 'multiply'; give one")
        return self

    @property
    def way(self) -> str:
        """The key that has the number."""
        return "multiply" if self.value is None else "value"

    @property
    def staged(self) -> tuple[str, ...]:
        """Classes with a number for each speed or stage, which one value does not fit."""
        return tuple(_STAGES.get(self.kind, ())) if self.value is not None else ()

    @property
    def targets(self) -> Iterator[SystemTarget]:
        """The fields."""
        fields = {**_FIELDS[self.kind], **({} if self.multiply is None else _STAGES.get(self.kind, {}))}
        number = self.value if self.multiply is None else self.multiply
        for class_name, names in fields.items():
            for name in names:
                yield _target(self, class_name, name, number, "set" if self.multiply is None else "multiply")


class IdealLoadsEdit(Strict):
    """Heat recovery and economizer of ideal loads air systems, of templates too."""

    object_name: Patterns = Field(default="*", alias="object", description="Names, or patterns, of the objects.")
    except_: Patterns = Field(default=(), alias="except", description="Names, or patterns, of those to leave.")
    sensible_heat_recovery: Annotated[Number, Field(ge=0, le=1)] | None = Field(
        default=None, description="Effectiveness of sensible heat recovery; 0 for none."
    )
    latent_heat_recovery: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=0.0, description="Effectiveness of latent heat recovery, beside a sensible one."
    )
    economizer: Literal["NoEconomizer", "DifferentialDryBulb", "DifferentialEnthalpy"] | None = None

    @model_validator(mode="after")
    def _require_changes(self) -> Self:
        if self.sensible_heat_recovery is None and self.economizer is None:
            raise ValueError("changes nothing; give 'sensible_heat_recovery' or 'economizer'")
        if self.latent_heat_recovery and not self.sensible_heat_recovery:
            raise ValueError("has 'latent_heat_recovery' without 'sensible_heat_recovery'")
        return self

    @property
    def way(self) -> str:
        """The key that messages about its values name."""
        return "economizer" if self.sensible_heat_recovery is None else "sensible_heat_recovery"

    @property
    def targets(self) -> Iterator[SystemTarget]:
        """The fields."""
        fields: dict[str, float | str] = {}
        if self.sensible_heat_recovery is not None:
            recovery = "Enthalpy" if self.latent_heat_recovery else "Sensible"
            fields["Heat Recovery Type"] = recovery if self.sensible_heat_recovery else "None"
            fields["Sensible Heat Recovery Effectiveness"] = self.sensible_heat_recovery
            fields["Latent Heat Recovery Effectiveness"] = self.latent_heat_recovery
        if self.economizer is not None:
            fields["Outdoor Air Economizer Type"] = self.economizer
        for class_name in IDEAL_LOADS:
            for name, value in fields.items():
                yield _target(self, class_name, name, value, "set")


IDEAL_LOADS = ("ZoneHVAC:IdealLoadsAirSystem", "HVACTemplate:Zone:IdealLoadsAirSystem")


def _target(
    edit: EfficiencyEdit | IdealLoadsEdit, class_name: str, field: str, value: float | str | None, way: str
) -> SystemTarget:
    chosen = {"class": class_name, "object": edit.object_name, "except": edit.except_, "field": field}
    return SystemTarget.model_validate({**chosen, "apply": way, "blank": "skip", "value": value})
