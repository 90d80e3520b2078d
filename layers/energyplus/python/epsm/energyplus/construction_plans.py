"""What an edit of constructions does to a model: new materials and constructions, and the surfaces that get them.

The same plan is made from the model as uploaded on submission, to find its faults, and in the worker, to carry it out.
Constructions and materials of the model are never changed, only copied.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from epsm.energyplus.amounts import Amounts, PerArea, SurfaceAmounts, added, layer_amounts
from epsm.energyplus.faults import Fault
from epsm.energyplus.films import films_of
from epsm.energyplus.materials import Materials
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.new_objects import Fields, NewObject, fields_of
from epsm.energyplus.open_partitions import open_constructions
from epsm.energyplus.surfaces import ModelSurface, surfaces_of
from epsm.energyplus.uneditable import reasons_against
from epsm.study.assignments import ConstructionAssignment, construction_assignments
from epsm.study.constructions import ConstructionEdit, NamedLayer
from epsm.study.schema import Study
from epsm.study.targets import fits
from epsm.text import fold_name, listed

_MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class Expected:
    """The coefficients that the engine should report of a surface; None for those that the edit does not set."""

    surface: str
    u_w_m2k: float | None = None
    u_without_films_w_m2k: float | None = None
    shgc: float | None = None
    visible_transmittance: float | None = None


@dataclass(slots=True)
class ConstructionPlan:
    """One edit on one model.

    Attributes:
        surfaces: The surfaces that it means, without the other sides of interior ones.
        left: How many open partitions fit the slot and its filters, and are left as they are.
        objects: Materials and constructions to add.
        settings: Class and name of each surface -> the construction that it gets.
        expected: What the engine should report.
        used: Class and name, in lower case, of the objects of the model that the numbers were computed from -> name.
        amounts: Of each edit in the plan how much of each layer its surfaces get.
        faults: Why it cannot be made; then nothing else counts.
    """

    surfaces: list[ModelSurface] = field(default_factory=list)
    left: int = 0
    objects: list[NewObject] = field(default_factory=list)
    settings: dict[tuple[str, str], str] = field(default_factory=dict)
    expected: list[Expected] = field(default_factory=list)
    used: dict[tuple[str, str], str] = field(default_factory=dict)
    amounts: list[Amounts] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Planner:
    """Makes the plans of a model.

    Args:
        outline: The model.
    """

    def __init__(self, outline: ModelOutline) -> None:
        self._outline = outline
        air = {fold_name(each.name) for each in outline.of_class("Construction:AirBoundary")}
        self._surfaces = [each for each in surfaces_of(outline) if fold_name(each.construction) not in air]
        self._by_name = {fold_name(each.name): each for each in self._surfaces}
        self._materials = Materials(outline)
        self._open = open_constructions(outline, self._materials)

    def plan(self, edit: ConstructionEdit, label: str) -> ConstructionPlan:
        """The plan of an edit.

        Args:
            edit: The edit.
            label: Begins the names of new objects; each edit of a study needs its own.
        """
        meant = [each for each in self._surfaces if _means(edit, each)]
        taken = [each for each in meant if not self._is_open(edit, each)]
        plan = ConstructionPlan(taken, left=len(meant) - len(taken))
        plan.faults += self._against(plan.surfaces)
        plan.faults += self._against_the_new(edit, plan.surfaces)
        partners = self._partners(plan)
        if plan.faults or not plan.surfaces:
            plan.amounts.append(())
            return plan
        builder = _Builder(plan, edit, label, self._materials)
        done: set[str] = set()
        for each in plan.surfaces:
            if fold_name(each.name) in done:
                continue  # the other side of one before it
            partner = partners.get(fold_name(each.name))
            done |= {fold_name(side.name) for side in (each, partner) if side}
            builder.add(each, partner)
        plan.amounts.append(tuple(builder.amounts))
        return plan

    def _is_open(self, edit: ConstructionEdit, surface: ModelSurface) -> bool:
        """Whether a surface stands for an opening between zones, and the edit does not ask for it by name."""
        by_name = not (edit.constructions == edit.surfaces == "*")
        return surface.boundary == "interior" and not by_name and fold_name(surface.construction) in self._open

    def _against(self, surfaces: Sequence[ModelSurface]) -> list[Fault]:
        found: dict[str, list[str]] = {}
        for surface, reason in reasons_against(self._outline, surfaces):
            found.setdefault(reason, []).append(surface.name)
        return [
            Fault(
                "",
                f"means {_count(names)} that cannot be edited: {listed(names, most=_MAX_NAMED)}, {reason}",
                "'except'",
            )
            for reason, names in found.items()
        ]

    def _against_the_new(self, edit: ConstructionEdit, surfaces: Sequence[ModelSurface]) -> list[Fault]:
        """Why surfaces cannot get the construction that an edit names: its layers alone would be copied."""
        if edit.construction is None or not surfaces:
            return []
        as_if = replace(surfaces[0], name="", construction=edit.construction)
        reasons = [reason for _, reason in reasons_against(self._outline, [as_if]) if "whose construction" in reason]
        return [
            Fault(
                "construction", f"'{edit.construction}' cannot be copied to surfaces {reason}", "a plain Construction"
            )
            for reason in (each.replace("whose construction", "because it") for each in reasons)
        ]

    def _partners(self, plan: ConstructionPlan) -> dict[str, ModelSurface]:
        """The other sides of the surfaces, by name; each is edited with its own."""
        partners: dict[str, ModelSurface] = {}
        for each in plan.surfaces:
            if not each.partner:
                continue
            partner = self._by_name.get(fold_name(each.partner))
            if partner is None:
                what = f"means '{each.name}', and its other side, '{each.partner}', is not in the model"
                plan.faults.append(Fault("", what, "pairs of surfaces"))
            elif fold_name(partner.partner) != fold_name(each.name):
                what = f"means '{each.name}', and the other side of '{partner.name}' is '{partner.partner}'"
                plan.faults.append(Fault("", what, "pairs of surfaces"))
            else:
                partners[fold_name(each.name)] = partner
        others = [each for each in partners.values() if each not in plan.surfaces]
        plan.faults += self._against(others)
        return partners


def _means(edit: ConstructionEdit, surface: ModelSurface) -> bool:
    boundary = "ground" if surface.boundary == "foundation" else surface.boundary
    return (
        (surface.element, boundary) == (edit.element, edit.boundary)
        and (not edit.orientation or surface.orientation in edit.orientation)
        and fits(surface.zone, edit.zones)
        and fits(surface.construction, edit.constructions)
        and fits(surface.name, edit.surfaces)
        and not fits(surface.name, edit.except_)
    )


def _count(names: Sequence[str]) -> str:
    return f"{len(names)} surface{'' if len(names) == 1 else 's'}"


class _Builder:
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
        self._give(surface, layers)
        if partner is not None:
            self._give(partner, tuple(reversed(layers)))
        per_area = self._per_area.get(layers, ())
        alone = surface.boundary == "interior" and partner is None
        self.amounts.append(SurfaceAmounts(surface.name, per_area, alone))
        self.amounts += [SurfaceAmounts(partner.name, per_area)] if partner is not None else []
        self._expect(surface, partner)

    def _give(self, surface: ModelSurface, layers: tuple[str, ...]) -> None:
        name = self._constructions.get(layers)
        if name is None:
            name = self._materials.free_name(f"{self._label} {len(self._constructions) + 1}")
            self._constructions[layers] = name
            fields = {"Outside Layer" if place == 1 else f"Layer {place}": each for place, each in enumerate(layers, 1)}
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
            self._made[None] = self._given_layers()
        return self._made[None]

    def _given_layers(self) -> tuple[str, ...] | None:
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
            glazed, wanted = self._materials.glazed(found), edit.element in ("window", "skylight")
            if glazed != wanted:
                what = f"'{edit.construction}' is {'glazed' if glazed else 'opaque'}, which slot '{edit.slot}' is not"
                self._plan.faults.append(Fault("construction", what, f"a construction for slot '{edit.slot}'"))
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
                    what = f"'{layer.material}' cannot be a layer in slot '{self._edit.slot}'"
                    self._plan.faults.append(Fault(f"layers[{place}].material", what, "a material of the same kind"))
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
                what = f"'{surface.construction}' of '{surface.name}' is not the reverse of '{partner.construction}'"
                faults.append(Fault("", f"{what} of '{partner.name}', its other side", "mirrored pairs, or 'layers'"))
                return None
        resistances = [materials.resistance_m2k_w(each) for each in layers]
        for fault in (each for each in resistances if isinstance(each, Fault)):
            faults.append(Fault("u_w_m2k", f"{fault.what}, a layer of '{surface.construction}'", fault.allowed))
            return None
        numbers = [each for each in resistances if isinstance(each, float)]
        place = self._insulation(surface.construction, layers, numbers)
        if place is None:
            return None
        self._plan.used |= materials.keys_of(surface.construction, layers)
        rest = sum(numbers) - numbers[place]
        wanted = 1 / target - films - rest
        changed = materials.with_resistance(layers[place], wanted)
        if isinstance(changed, Fault):
            with_films = f" and films of {films:.4g} m2K/W" if films else ""
            least = rest + films
            what = (
                f"{target:g} W/m2K cannot be reached with '{surface.construction}': without '{layers[place]}' it has "
            )
            what += f"{rest:.4g} m2K/W{with_films}; {changed.what}"
            limit = f"below {1 / least:.4g} W/m2K" if least > 0 and wanted <= 0 else "another target"
            faults.append(Fault("u_w_m2k", what, f"{limit}, or another 'insulation_layer'"))
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
            named = [place for place, name in enumerate(layers) if fits(name, pattern)]
            if len(named) != 1:
                count = "several layers" if named else "no layer"
                what = f"'{construction}' has {count} called '{pattern}'"
                self._plan.faults.append(Fault("insulation_layer", what, listed(layers, most=_MAX_NAMED)))
                return None
            return named[0]
        changeable = [place for place, name in enumerate(layers) if self._materials.changeable(name)]
        if not changeable:
            what = f"'{construction}' has no layer whose thickness or resistance could be changed"
            self._plan.faults.append(Fault("u_w_m2k", what, "'layers'"))
            return None
        return max(changeable, key=lambda place: resistances[place])

    def _expect(self, surface: ModelSurface, partner: ModelSurface | None) -> None:
        edit = self._edit
        for each in (surface, partner):
            if each is None:
                continue
            if edit.glazing is not None:
                glazing = edit.glazing
                self._plan.expected.append(
                    Expected(each.name, glazing.u_w_m2k, None, glazing.shgc, glazing.visible_transmittance)
                )
            elif edit.u_w_m2k is not None:
                with_films = edit.films == "included"
                self._plan.expected.append(
                    Expected(each.name, edit.u_w_m2k if with_films else None, None if with_films else edit.u_w_m2k)
                )


def plans_of(outline: ModelOutline, study: Study) -> list[tuple[ConstructionAssignment, ConstructionPlan]]:
    """The plan of each edit of constructions that a study has, on one model.

    Args:
        outline: The model.
        study: The study.
    """
    edits = list(construction_assignments(study))
    planner = Planner(outline) if edits else None
    return [(each, planner.plan(each.edit, each.label)) for each in edits if planner is not None]


def merged(plans: Iterable[ConstructionPlan]) -> ConstructionPlan:
    """Several plans as one, for carrying them out together."""
    whole = ConstructionPlan()
    for plan in plans:
        whole.surfaces += plan.surfaces
        whole.left += plan.left
        whole.objects += plan.objects
        whole.settings |= plan.settings
        whole.expected += plan.expected
        whole.used |= plan.used
        whole.amounts += plan.amounts
        whole.faults += plan.faults
    return whole
