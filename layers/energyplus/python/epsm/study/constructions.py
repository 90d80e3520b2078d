"""Edits of constructions: surfaces, selected by slots, and their new layers."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Discriminator, Field, Tag, model_validator

from epsm.study.measure_impact import LayerCarbon, LayerGwp, ServiceLife, SurfaceCost
from epsm.study.targets import Pattern, Patterns
from epsm.study.values import Number, Strict, Text

Element = Literal["wall", "floor", "roof_ceiling", "window", "skylight", "door"]
Slot = Literal[
    "wall_exterior",
    "wall_ground",
    "wall_interior",
    "wall_adiabatic",
    "floor_exterior",
    "floor_ground",
    "floor_interior",
    "floor_adiabatic",
    "roof_ceiling_exterior",
    "roof_ceiling_ground",
    "roof_ceiling_interior",
    "roof_ceiling_adiabatic",
    "window",
    "skylight",
    "door",
]
"""Surfaces by their element and their other side; window, skylight and door are exterior."""
Orientation = Literal["N", "E", "S", "W"]
Roughness = Literal["VeryRough", "Rough", "MediumRough", "MediumSmooth", "Smooth", "VerySmooth"]
_GLAZED: tuple[Slot, ...] = ("window", "skylight")
_UPRIGHT: tuple[Slot, ...] = ("wall_exterior", "wall_ground", "wall_interior", "wall_adiabatic", "window", "door")
_MAX_LAYERS = 10  # of EnergyPlus's Construction
_Fraction = Annotated[Number, Field(ge=0, le=1)]
_Share = Annotated[Number, Field(gt=0, lt=1)]
_Emissivity = Annotated[Number, Field(gt=0, lt=1)]


class NamedLayer(LayerCarbon):
    """A material that the model has."""

    material: Text


class _Face(LayerCarbon):
    name: Text
    roughness: Roughness
    thermal_absorptance: Annotated[Number, Field(gt=0, le=0.99999)] | None = None
    solar_absorptance: _Fraction | None = None
    visible_absorptance: _Fraction | None = None

    @property
    def absorptances(self) -> tuple[float | None, float | None, float | None]:
        return self.thermal_absorptance, self.solar_absorptance, self.visible_absorptance


class MassLayer(_Face):
    """A material with mass. Absorptances are needed of the first and the last layer, which have visible faces."""

    thickness_m: Annotated[Number, Field(gt=0, le=3)]
    conductivity_w_mk: Annotated[Number, Field(gt=0)]
    density_kg_m3: Annotated[Number, Field(gt=0)]
    specific_heat_j_kgk: Annotated[Number, Field(ge=100)]


class ResistanceLayer(_Face):
    """A material that is a resistance without mass."""

    r_m2kw: Annotated[Number, Field(ge=0.001)]

    @model_validator(mode="after")
    def _without_thickness(self) -> Self:
        self.check_gwp("m2")
        return self


class GlassLayer(LayerCarbon):
    """A pane, with its properties at normal incidence averaged over the spectrum."""

    name: Text
    thickness_m: Annotated[Number, Field(gt=0, le=0.1)]
    solar_transmittance: _Fraction
    solar_reflectance_front: _Fraction
    solar_reflectance_back: _Fraction
    visible_transmittance: _Fraction
    visible_reflectance_front: _Fraction
    visible_reflectance_back: _Fraction
    infrared_transmittance: _Fraction
    emissivity_front: _Emissivity
    emissivity_back: _Emissivity
    conductivity_w_mk: Annotated[Number, Field(gt=0)]

    @model_validator(mode="after")
    def _without_density(self) -> Self:
        self.check_gwp("m2", "m3")
        return self


class GasLayer(Strict):
    """A gap between panes."""

    gas: Literal["Air", "Argon", "Krypton", "Xenon"]
    thickness_m: Annotated[Number, Field(gt=0, le=0.1)]


def _layer_kind(document: Any) -> str:
    if not isinstance(document, dict):
        return next((tag for tag, kind in LAYERS.items() if isinstance(document, kind)), "mass")
    marks = {"material": "named", "r_m2kw": "resistance", "gas": "gas", "solar_transmittance": "glass"}
    return next((kind for mark, kind in marks.items() if mark in document), "mass")


LAYERS: dict[str, type[Strict]] = {
    "named": NamedLayer,
    "mass": MassLayer,
    "resistance": ResistanceLayer,
    "glass": GlassLayer,
    "gas": GasLayer,
}
Layer = Annotated[
    Annotated[NamedLayer, Tag("named")]
    | Annotated[MassLayer, Tag("mass")]
    | Annotated[ResistanceLayer, Tag("resistance")]
    | Annotated[GlassLayer, Tag("glass")]
    | Annotated[GasLayer, Tag("gas")],
    Discriminator(_layer_kind),
]


class Glazing(Strict):
    """Glazing by its coefficients: EnergyPlus's WindowMaterial:SimpleGlazingSystem."""

    u_w_m2k: Annotated[Number, Field(gt=0, le=7)] = Field(
        description="With the films of air of the rating conditions, W/m2K."
    )
    shgc: _Share = Field(description="Solar heat gain coefficient at normal incidence.")
    visible_transmittance: _Share | None = Field(
        default=None, description="Left out, EnergyPlus derives it from the other two."
    )


class ConstructionEdit(Strict):
    """Surfaces, and the construction that they get: in layers, by a target U, glazing by its coefficients, or another
    construction of the model."""

    slot: Slot
    orientation: tuple[Orientation, ...] = Field(default=(), max_length=4, description="Only surfaces that face there.")
    zones: Patterns = Field(default="*", description="Only surfaces of zones with such names.")
    constructions: Patterns = Field(default="*", description="Only surfaces that have such a construction.")
    surfaces: Patterns = Field(default="*", description="Only surfaces with such names.")
    except_: Patterns = Field(default=(), alias="except", description="Names of surfaces to leave as they are.")
    layers: tuple[Layer, ...] | None = Field(
        default=None, min_length=1, max_length=_MAX_LAYERS, description="From outside to inside."
    )
    construction: Text | None = Field(default=None, description="Name of another construction of the model.")
    u_w_m2k: Annotated[Number, Field(gt=0, le=20)] | None = Field(
        default=None, description="Target, reached by changing the insulation layer of a copy of the construction."
    )
    films: Literal["included", "excluded"] | None = Field(
        default=None, description="Whether the target U has the films of air on both sides, as EnergyPlus reports it."
    )
    insulation_layer: Pattern | None = Field(
        default=None, description="Material to change; without it the layer with the largest resistance."
    )
    glazing: Glazing | None = None
    gwp: LayerGwp | None = Field(
        default=None,
        description="Emissions by net area of the surfaces; with a target U also by mass or volume of the insulation "
        "that is added.",
    )
    cost: SurfaceCost | None = None
    service_life_years: ServiceLife | None = Field(
        default=None, description="Years after which it is replaced, within `impact.study_period_years`."
    )

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        kinds = ("layers", "construction", "u_w_m2k", "glazing")
        present = [name for name in kinds if getattr(self, name) is not None]
        if len(present) != 1:
            shown = f"has {' and '.join(present)}" if present else "has no new construction for the surfaces"
            raise ValueError(f"{shown}; give one of 'layers', 'construction', 'u_w_m2k' or 'glazing'")
        if self.orientation and self.slot not in _UPRIGHT:
            raise ValueError(f"has an orientation, which surfaces of slot '{self.slot}' do not have")
        if self.gwp is not None and self.gwp.amount != "m2" and self.u_w_m2k is None:
            raise ValueError(
                f"has 'gwp' with 'kgco2e_per_{self.gwp.amount}', which only 'u_w_m2k' takes; give 'kgco2e_per_m2', or "
                "'gwp' in each of 'layers'"
            )
        self._check_target_u()
        self._check_layers(self.layers or ())
        return self

    def _check_target_u(self) -> None:
        if self.u_w_m2k is not None and self.slot in _GLAZED:
            raise ValueError(f"has 'u_w_m2k' for slot '{self.slot}'; give 'glazing' with 'u_w_m2k' and 'shgc'")
        if self.glazing is not None and self.slot not in _GLAZED:
            raise ValueError(f"has 'glazing' for slot '{self.slot}', which is opaque")
        if (self.u_w_m2k is None) != (self.films is None):
            fault = "has 'u_w_m2k' without 'films'" if self.films is None else "has 'films' without 'u_w_m2k'"
            raise ValueError(f"{fault}; say whether the target has the films of air: 'included' or 'excluded'")
        if self.insulation_layer is not None and self.u_w_m2k is None:
            raise ValueError("has 'insulation_layer', which only 'u_w_m2k' uses")

    def _check_layers(self, layers: Sequence[Layer]) -> None:
        glazed = self.slot in _GLAZED
        for number, layer in enumerate(layers):
            if not isinstance(layer, NamedLayer) and isinstance(layer, GlassLayer | GasLayer) != glazed:
                kinds = "panes and gaps" if glazed else "materials with mass or a resistance"
                raise ValueError(f"has layer {number + 1} of another kind: slot '{self.slot}' takes {kinds}")
        kinds_of = [type(layer) for layer in layers]
        if kinds_of and GasLayer in (kinds_of[0], kinds_of[-1]):
            raise ValueError("has a gap as its first or last layer; gaps are between panes")
        for number, (kind, after) in enumerate(pairwise(kinds_of)):
            if kind is after and kind in (GasLayer, GlassLayer):
                raise ValueError(
                    f"has layers {number + 1} and {number + 2} of the same kind; panes and gaps take turns"
                )
        for number in sorted({0, len(layers) - 1}) if layers else ():
            face = layers[number]
            if isinstance(face, _Face) and None in face.absorptances:
                raise ValueError(
                    f"has no absorptances in layer {number + 1}, which has a visible face; give 'thermal_absorptance', "
                    "'solar_absorptance' and 'visible_absorptance'"
                )

    @property
    def states_gwp(self) -> bool:
        """Whether it, or one of its layers, states emissions."""
        return self.gwp is not None or any(layer.gwp is not None for layer in self.carbon_layers)

    @property
    def carbon_layers(self) -> tuple[LayerCarbon, ...]:
        """Its layers, without gaps: a gas has no emissions to state."""
        return tuple(layer for layer in self.layers or () if isinstance(layer, LayerCarbon))

    @property
    def element(self) -> Element:
        """What the surfaces are."""
        found: Element = next(element for element in get_args(Element) if self.slot.startswith(element))
        return found

    @property
    def boundary(self) -> str:
        """What is on their other side."""
        return self.slot.removeprefix(self.element).removeprefix("_") or "exterior"
