"""Emissions and cost: factors of energy, and the terms on which measures are compared."""

from typing import Self

from pydantic import Field, model_validator

from epsm.study.values import Number, Strict, StudyPath

_MAX_FACTOR = 1000.0
NET_ELECTRICITY = "ElectricityNet:Facility"
"""Purchased less sold electricity; EnergyPlus has this meter in every model, with and without generators."""


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


class HourlyElectricity(Strict):
    """Emissions of each hour's electricity, from a CSV with a row for each hour of a year."""

    file: StudyPath = Field(description="CSV with a row of names and 8760 or, with 29 February, 8784 rows of numbers.")
    column: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Name of the column with kg CO2e per kWh; not needed where there is only one column.",
    )
    source: str | None = Field(default=None, max_length=200, description="Where it is from; not computed with.")


class Impact(Strict):
    """Factors that turn energy into greenhouse gas emissions and cost, and the terms for comparing measures."""

    fuels: Fuels | None = None
    hourly_electricity: HourlyElectricity | None = Field(
        default=None, description="Instead of a factor for electricity: one for each hour."
    )
    currency: str | None = Field(
        default=None,
        pattern=r"^[A-Z]{3}$",
        description="Of all prices in the study, ISO 4217, e.g. EUR; needed where measures have costs.",
    )
    study_period_years: Number | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Years over which replacements, and emissions of operation, are counted.",
    )
    pareto: tuple[str, ...] | None = Field(
        default=None,
        min_length=2,
        max_length=3,
        description="Columns of the results table to minimise; without it energy, cost and emissions, as far as the "
        "study has them.",
    )

    @model_validator(mode="after")
    def _require_content(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("is empty; give 'fuels', 'hourly_electricity', 'currency' or 'study_period_years'")
        if self.hourly_electricity is not None and self.has_electricity_factor:
            raise ValueError("has 'hourly_electricity' and a 'gwp_kgco2e_per_kwh' of electricity; give one of them")
        if self.pareto is not None and len(set(self.pareto)) < len(self.pareto):
            raise ValueError("has the same column twice in 'pareto'")
        return self

    @property
    def given(self) -> dict[str, FuelFactors]:
        """The factors that there are, by fuel."""
        return self.fuels.given if self.fuels is not None else {}

    @property
    def hourly_meters(self) -> tuple[str, ...]:
        """Meters whose hours every run needs."""
        return (NET_ELECTRICITY,) if self.hourly_electricity is not None else ()

    @property
    def has_electricity_factor(self) -> bool:
        electricity = self.given.get("electricity")
        return electricity is not None and electricity.gwp_kgco2e_per_kwh is not None

    @property
    def has_gwp(self) -> bool:
        by_fuel = any(factors.gwp_kgco2e_per_kwh is not None for factors in self.given.values())
        return by_fuel or self.hourly_electricity is not None

    @property
    def has_cost(self) -> bool:
        return any(factors.cost_per_kwh is not None for factors in self.given.values())
