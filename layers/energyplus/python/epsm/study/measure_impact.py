"""Emissions and costs of a measure: greenhouse gases of its products, and prices."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from epsm.study.values import Number, Strict

_MAX = 1e9
_MODULE = r"(A[1-5]|B[1-7]|C[1-4]|D)"
Gwp = Annotated[Number, Field(ge=-_MAX, le=_MAX)]
"""kg CO2e; negative where a product stores carbon, as stated in its declaration."""
Price = Annotated[Number, Field(ge=0, le=_MAX)]
Amount = Literal["m2", "kg", "m3"]
ServiceLife = Annotated[Number, Field(gt=0, le=1000)]


def _text_only(value: Any) -> Any:
    """Refuse numbers, which Pydantic would read as seconds since 1970."""
    if not isinstance(value, str | date):
        raise ValueError(f"{value!r} is not a date; write it as YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_text_only)]


class _Stated(Strict):
    """A number from a declaration or a price list."""

    source: str | None = Field(default=None, max_length=200, description="Where it is from; not computed with.")
    valid_until: Day | None = Field(
        default=None, description="Last day of its validity, YYYY-MM-DD; a study that is submitted later has a remark."
    )


class _StatedGwp(_Stated):
    stages: str | None = Field(
        default=None,
        max_length=60,
        pattern=rf"^{_MODULE}(-{_MODULE})?(, ?{_MODULE}(-{_MODULE})?)*$",
        description="Modules of EN 15978 that it covers, e.g. A1-A3; not computed with.",
    )


class LayerGwp(_StatedGwp):
    """Emissions of a layer: by its area, mass or volume."""

    kgco2e_per_m2: Gwp | None = None
    kgco2e_per_kg: Gwp | None = None
    kgco2e_per_m3: Gwp | None = None

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        present = [
            name for name in ("kgco2e_per_m2", "kgco2e_per_kg", "kgco2e_per_m3") if getattr(self, name) is not None
        ]
        if len(present) != 1:
            shown = f"has {' and '.join(present)}" if present else "has no number"
            raise ValueError(f"{shown}; give one of 'kgco2e_per_m2', 'kgco2e_per_kg' or 'kgco2e_per_m3'")
        return self

    @property
    def amount(self) -> Amount:
        """The unit that it is stated per."""
        return "m2" if self.kgco2e_per_m2 is not None else "kg" if self.kgco2e_per_kg is not None else "m3"

    @property
    def kgco2e(self) -> float:
        """Emissions of one `amount`."""
        numbers = (self.kgco2e_per_m2, self.kgco2e_per_kg, self.kgco2e_per_m3)
        return next(number for number in numbers if number is not None)


class LayerCarbon(Strict):
    """A layer with emissions of its own."""

    gwp: LayerGwp | None = Field(default=None, description="Emissions of the layer.")

    def check_gwp(self, *allowed: Amount) -> None:
        """Raise a fault unless its emissions are stated for one of these amounts."""
        if self.gwp is not None and self.gwp.amount not in allowed:
            names = " or ".join(f"'kgco2e_per_{quantity}'" for quantity in allowed)
            raise ValueError(
                f"has 'gwp' with 'kgco2e_per_{self.gwp.amount}', which this layer does not have; give {names}"
            )


class VariantGwp(_StatedGwp):
    """Emissions of a whole variant, besides those of its constructions."""

    kgco2e: Gwp | None = Field(default=None, description="Of the building, once.")
    kgco2e_per_m2_floor: Gwp | None = Field(default=None, description="By total building area.")

    @model_validator(mode="after")
    def _has_a_number(self) -> Self:
        if self.kgco2e is None and self.kgco2e_per_m2_floor is None:
            raise ValueError("has no number; give 'kgco2e', 'kgco2e_per_m2_floor' or both")
        return self


class SurfaceCost(_Stated):
    """Price of another construction, in the study's currency."""

    per_m2: Price | None = Field(default=None, description="By net area of the surfaces.")
    one_off: Price | None = Field(default=None, description="Once, whatever the area.")

    @model_validator(mode="after")
    def _has_a_number(self) -> Self:
        if self.per_m2 is None and self.one_off is None:
            raise ValueError("has no number; give 'per_m2', 'one_off' or both")
        return self


class VariantCost(_Stated):
    """Price of a whole variant, besides that of its constructions, in the study's currency."""

    one_off: Price | None = Field(default=None, description="Once, for the building.")
    per_m2_floor: Price | None = Field(default=None, description="By total building area.")

    @model_validator(mode="after")
    def _has_a_number(self) -> Self:
        if self.one_off is None and self.per_m2_floor is None:
            raise ValueError("has no number; give 'one_off', 'per_m2_floor' or both")
        return self
