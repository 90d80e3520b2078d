"""Cells of EnergyPlus's tabular reports as additional columns of the results table."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class ReportCell(BaseModel):
    """One cell of a tabular report, found by the names that EnergyPlus prints, in any case."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60, description="Column name in the results table."
    )
    report: _Name = Field(description="Report, e.g. EnvelopeSummary, or the name of an Output:Table:Monthly.")
    table: _Name | None = Field(default=None, description="Table of the report; needed where several have the cell.")
    row: _Name
    column: _Name
    for_name: _Name | None = Field(
        default=None,
        alias="for",
        description="What the report is for, e.g. a zone; needed where the report is there for several.",
    )
    unit: str | None = Field(
        default=None, max_length=40, description="If given, must be the unit that EnergyPlus prints."
    )
    kind: Literal["number", "text"] = "number"
