"""Meters and output variables reduced to one number, without keeping the series."""

from typing import Literal, Self

from pydantic import Field, model_validator

from epsm.study.values import Number, Strict, Text

Reduction = Literal["sum", "mean", "max", "min", "hours_above", "hours_below"]


class ReducedSeries(Strict):
    """One number made from the series of a meter or of an output variable, over all run periods of the weather file."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60, description="Column name in the results table."
    )
    meter: Text | None = Field(default=None, description="Meter, e.g. Electricity:Facility.")
    variable: Text | None = Field(
        default=None, description="Instead of 'meter': output variable, e.g. Zone Operative Temperature."
    )
    key: Text = Field(
        default="*", description="Of a variable: zone or object, in any case; * stands for any run of characters."
    )
    frequency: Literal["Timestep", "Hourly", "Daily", "Monthly", "RunPeriod"] = Field(
        default="Hourly", description="Interval of the values that are reduced."
    )
    reduce: Reduction = Field(
        description="sum: of what adds up, energy in kWh. mean, max, min: energy as mean power of an interval in kW, "
        "all else in EnergyPlus's unit. hours_above, hours_below: of the intervals above or below 'threshold'."
    )
    threshold: Number | None = Field(
        default=None, description="For hours_above and hours_below, in the unit of mean, max and min."
    )
    across: Literal["sum", "mean", "max", "min"] | None = Field(
        default=None, description="How the numbers of several keys become one; needed where 'key' fits several."
    )
    schedule: Text | None = Field(
        default=None, description="Of a variable: a schedule of the model; only while it is not 0, e.g. occupied hours."
    )
    unit: str | None = Field(default=None, max_length=40, description="If given, must be the unit of the number.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.meter is None) == (self.variable is None):
            raise ValueError("has both 'meter' and 'variable'" if self.meter else "has neither 'meter' nor 'variable'")
        if self.meter is not None and (self.key != "*" or self.across is not None or self.schedule is not None):
            raise ValueError("has 'key', 'across' or 'schedule', which only a 'variable' has")
        if self.counts_hours != (self.threshold is not None):
            fault = "needs a 'threshold'" if self.counts_hours else "has a 'threshold', which it does not use"
            raise ValueError(f"reduce '{self.reduce}' {fault}")
        if self.counts_hours and self.frequency not in ("Timestep", "Hourly"):
            raise ValueError(f"reduce '{self.reduce}' counts hours, and frequency '{self.frequency}' has none")
        return self

    @property
    def counts_hours(self) -> bool:
        return self.reduce in ("hours_above", "hours_below")

    @property
    def series(self) -> str:
        """Name of the meter or variable."""
        return self.meter or self.variable or ""
