"""Building the constructions of a plan: layers in full, layers of the model, other insulation, glazing."""

from collections.abc import Sequence

from epsm.energyplus.amounts import PerArea, SurfaceAmounts, added, layer_amounts
from epsm.energyplus.construction_plan import ConstructionPlan, Expected
from epsm.energyplus.faults import Fault
from epsm.energyplus.films import films_of
from epsm.energyplus.materials import Materials
from epsm.energyplus.new_objects import Fields, NewObject, fields_of
from epsm.energyplus.surfaces import ModelSurface
from epsm.study.constructions import ConstructionEdit, NamedLayer
from epsm.study.targets import fits
from epsm.text import fold_name, listed

_MAX_NAMED = 10


class Builder:
    """Fills a plan, surface by surface; surfaces that get the same share it."""

    def __init__(self, plan: ConstructionPlan, edit: ConstructionEdit, label: str, materials: Materials) -> None:
        self._plan, self._edit, self._label, self._materials = plan, edit, label, materials
        self._made: dict[object, tuple[str, ...] | None] = {}
        self._constructions: dict[tuple[str, ...], str] = {}
        self._per_area: dict[tuple[str, ...], tuple[PerArea, ...]] = {}
        self.amounts: list[SurfaceAmounts] = []

    def add(self, surface: ModelSurface, partner: ModelSurface | None) -> None:
        layers = self._layers_for(surface, partner)
        if layers is None:
            return
        self._assign(surface, layers)
        if partner is not None:
            self._assign(partner, tuple(reversed(layers)))
        per_area = self._per_area.get(layers, ())
        alone = surface.boundary == "interior" and partner is None
        self.amounts.append(SurfaceAmounts(surface.name, per_area, alone))
        self.amounts += [SurfaceAmounts(partner.name, per_area)] if partner is not None else []
        self._expect(surface, partner)

    def _assign(self, surface: ModelSurface, layers: tuple[str, ...]) -> None:
        name = self._constructions.get(layers)
        if name is None:
            name = self._materials.free_name(f"{self._label} {len(self._constructions) + 1}")
            self._constructions[layers] = name
            fields = {
                "Outside Layer" if place == 1 else f"Layer {place}": layer for place, layer in enumerate(layers, 1)
            }
            self._plan.objects.append(NewObject("Construction", {"Name": name, **fields}))
        self._plan.settings[surface.class_name, surface.name] = name

    def _layers_for(self, surface: ModelSurface, partner: ModelSurface | None) -> tuple[str, ...] | None:
        """The names of the layers that a surface gets, from outside to inside; None if that is a fault."""
        edit = self._edit
        if edit.u_w_m2k is not None:
            films = films_of(surface, partner) if edit.films == "included" else 0.0
            other = fold_name(partner.construction) if partner else ""
            key = (fold_name(surface.construction), other, films)
            if key not in self._made:
                self._made[key] = self._with_target_u(surface, partner, edit.u_w_m2k, films)
            return self._made[key]
        if None not in self._made:
            self._made[None] = self._requested_layers()
        return self._made[None]

    def _requested_layers(self) -> tuple[str, ...] | None:
        edit = self._edit
        if edit.glazing is not None:
            glazing = edit.glazing
            fields: dict[str, str | float] = {
                "U-Factor": glazing.u_w_m2k,
                "Solar Heat Gain Coefficient": glazing.shgc,
            }
            if glazing.visible_transmittance is not None:
                fields["Visible Transmittance"] = glazing.visible_transmittance
            return (self._new("WindowMaterial:SimpleGlazingSystem", "glazing", fields),)
        if edit.construction is not None:
            found = self._materials.layers_of(edit.construction)
            if isinstance(found, Fault):
                self._plan.faults.append(Fault("construction", found.what, found.allowed))
                return None
            glazed, glazed_slot = self._materials.glazed(found), edit.element in ("window", "skylight")
            if glazed != glazed_slot:
                message = (
                    f"'{edit.construction}' is {'glazed' if glazed else 'opaque'}, which slot '{edit.slot}' is not"
                )
                self._plan.faults.append(Fault("construction", message, f"a construction for slot '{edit.slot}'"))
                return None
            return found
        return self._new_layers()

    def _new_layers(self) -> tuple[str, ...] | None:
        names: list[str] = []
        for place, layer in enumerate(self._edit.layers or ()):
            if isinstance(layer, NamedLayer):
                found = self._materials.find(layer.material)
                if isinstance(found, Fault):
                    self._plan.faults.append(Fault(f"layers[{place}].material", found.what, found.allowed))
                    continue
                if self._materials.glazed((found,)) != (self._edit.element in ("window", "skylight")):
                    message = f"'{layer.material}' cannot be a layer in slot '{self._edit.slot}'"
                    self._plan.faults.append(Fault(f"layers[{place}].material", message, "a material of the same kind"))
                    continue
                names.append(found)
            else:
                class_name, fields = fields_of(layer)
                names.append(self._new(class_name, getattr(layer, "name", "gap"), fields))
        if len(names) < len(self._edit.layers or ()):
            return None
        amounts, faults = layer_amounts(self._edit, self._materials)
        self._plan.faults += faults
        self._per_area[tuple(names)] = amounts
        return tuple(names)

    def _new(self, class_name: str, name: str, fields: Fields) -> str:
        free = self._materials.free_name(f"{self._label} {name}")
        self._plan.objects.append(NewObject(class_name, {"Name": free, **fields}))
        return free

    def _with_target_u(
        self, surface: ModelSurface, partner: ModelSurface | None, target: float, films: float
    ) -> tuple[str, ...] | None:
        """The layers of the surface's construction with another insulation."""
        materials, faults = self._materials, self._plan.faults
        layers = materials.layers_of(surface.construction)
        if isinstance(layers, Fault):
            faults.append(Fault("", f"{layers.what}, the construction of '{surface.name}'", layers.allowed))
            return None
        if partner is not None:
            back = materials.layers_of(partner.construction)
            if isinstance(back, Fault) or [*map(fold_name, back)] != [*map(fold_name, reversed(layers))]:
                message = f"'{surface.construction}' of '{surface.name}' is not the reverse of '{partner.construction}'"
                faults.append(
                    Fault("", f"{message} of '{partner.name}', its other side", "mirrored pairs, or 'layers'")
                )
                return None
        resistances = [materials.resistance_m2k_w(layer) for layer in layers]
        for fault in (resistance for resistance in resistances if isinstance(resistance, Fault)):
            faults.append(Fault("u_w_m2k", f"{fault.what}, a layer of '{surface.construction}'", fault.allowed))
            return None
        numbers = [resistance for resistance in resistances if isinstance(resistance, float)]
        place = self._insulation(surface.construction, layers, numbers)
        if place is None:
            return None
        self._plan.used |= materials.keys_of(surface.construction, layers)
        rest = sum(numbers) - numbers[place]
        resistance = 1 / target - films - rest
        changed = materials.with_resistance(layers[place], resistance)
        if isinstance(changed, Fault):
            with_films = f" and films of {films:.4g} m2K/W" if films else ""
            least = rest + films
            message = (
                f"{target:g} W/m2K cannot be reached with '{surface.construction}': without '{layers[place]}' it has "
            )
            message += f"{rest:.4g} m2K/W{with_films}; {changed.what}"
            limit = f"below {1 / least:.4g} W/m2K" if least > 0 and resistance <= 0 else "another target"
            faults.append(Fault("u_w_m2k", message, f"{limit}, or another 'insulation_layer'"))
            return None
        class_name, fields = changed
        per_area = added(self._edit, materials, layers[place], fields)
        if isinstance(per_area, Fault):
            faults.append(per_area)
            return None
        name = self._new(class_name, layers[place], fields)
        built = (*layers[:place], name, *layers[place + 1 :])
        self._per_area[built] = (per_area,)
        return built

    def _insulation(self, construction: str, layers: Sequence[str], resistances: Sequence[float]) -> int | None:
        pattern = self._edit.insulation_layer
        if pattern is not None:
            matching = [place for place, name in enumerate(layers) if fits(name, pattern)]
            if len(matching) != 1:
                count = "several layers" if matching else "no layer"
                message = f"'{construction}' has {count} called '{pattern}'"
                self._plan.faults.append(Fault("insulation_layer", message, listed(layers, most=_MAX_NAMED)))
                return None
            return matching[0]
        changeable = [place for place, name in enumerate(layers) if self._materials.changeable(name)]
        if not changeable:
            message = f"'{construction}' has no layer with a thickness or resistance to change"
            self._plan.faults.append(Fault("u_w_m2k", message, "'layers'"))
            return None
        return max(changeable, key=lambda place: resistances[place])

    def _expect(self, surface: ModelSurface, partner: ModelSurface | None) -> None:
        edit = self._edit
        for side in (surface, partner):
            if side is None:
                continue
            if edit.glazing is not None:
                glazing = edit.glazing
                self._plan.expected.append(
                    Expected(side.name, glazing.u_w_m2k, None, glazing.shgc, glazing.visible_transmittance)
                )
            elif edit.u_w_m2k is not None:
                with_films = edit.films == "included"
                self._plan.expected.append(
                    Expected(side.name, edit.u_w_m2k if with_films else None, None if with_films else edit.u_w_m2k)
                )
