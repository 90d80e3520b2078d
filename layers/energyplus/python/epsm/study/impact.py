"""Emissions and cost of energy: factors by fuel."""

from typing import Self

from pydantic import Field, model_validator

from epsm.study.values import Number, Strict

_MAX_FACTOR = 1000.0


class FuelFactors(Strict):
    """What a kWh of one fuel emits and costs."""

    gwp_kgco2e_per_kwh: Number | None = Field(
        default=None, ge=0, le=_MAX_FACTOR, description="Greenhouse gases emitted for a kWh, kg CO2e."
    )
    cost_per_kwh: Number | None = Field(
        default=None, ge=0, le=_MAX_FACTOR, description="Price of a kWh, in any currency, the same for all fuels."
    )
    source: str | None = Field(
        default=None, max_length=200, description="Where the factors are from; not computed with."
    )

    @model_validator(mode="after")
    def _has_a_factor(self) -> Self:
        if self.gwp_kgco2e_per_kwh is None and self.cost_per_kwh is None:
            raise ValueError("has no factor; give 'gwp_kgco2e_per_kwh', 'cost_per_kwh' or both")
        return self


class Fuels(Strict):
    """Factors by fuel, named like the columns of the results table without `_kwh`."""

    electricity: FuelFactors | None = None
    natural_gas: FuelFactors | None = None
    gasoline: FuelFactors | None = None
    diesel: FuelFactors | None = None
    coal: FuelFactors | None = None
    fuel_oil_no_1: FuelFactors | None = None
    fuel_oil_no_2: FuelFactors | None = None
    propane: FuelFactors | None = None
    other_fuel_1: FuelFactors | None = None
    other_fuel_2: FuelFactors | None = None
    district_cooling: FuelFactors | None = None
    district_heating_water: FuelFactors | None = None
    district_heating_steam: FuelFactors | None = None

    @model_validator(mode="after")
    def _has_a_fuel(self) -> Self:
        if not self.given:
            raise ValueError("has no fuel; give 'electricity', 'natural_gas' or another")
        return self

    @property
    def given(self) -> dict[str, FuelFactors]:
        """The factors that there are, by fuel."""
        return {name: factors for name in type(self).model_fields if (factors := getattr(self, name)) is not None}


class Impact(Strict):
    """Factors that turn energy into greenhouse gas emissions and cost."""

    fuels: Fuels

    @property
    def has_gwp(self) -> bool:
        return any(each.gwp_kgco2e_per_kwh is not None for each in self.fuels.given.values())

    @property
    def has_cost(self) -> bool:
        return any(each.cost_per_kwh is not None for each in self.fuels.given.values())
