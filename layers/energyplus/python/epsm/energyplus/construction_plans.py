"""The effect of an edit of constructions on a model: new materials and constructions, and the surfaces that get them.

The same plan is made on submission, to find its faults, and in the worker, to carry it out.
Constructions and materials of the model are never changed, only copied.
"""

from collections.abc import Sequence
from dataclasses import replace

from epsm.energyplus.construction_builder import Builder
from epsm.energyplus.construction_plan import ConstructionPlan
from epsm.energyplus.faults import Fault
from epsm.energyplus.materials import Materials
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.open_partitions import open_constructions
from epsm.energyplus.surfaces import ModelSurface, surfaces_of
from epsm.energyplus.uneditable import Obstacle, obstacles
from epsm.study.assignments import ConstructionAssignment, construction_assignments
from epsm.study.constructions import ConstructionEdit
from epsm.study.schema import Study
from epsm.study.targets import fits
from epsm.text import fold_name, listed

_MAX_NAMED = 10


class Planner:
    """Makes the plans of a model.

    Args:
        outline: The model.
    """

    def __init__(self, outline: ModelOutline) -> None:
        self._outline = outline
        air = {fold_name(model_object.name) for model_object in outline.of_class("Construction:AirBoundary")}
        self._surfaces = [surface for surface in surfaces_of(outline) if fold_name(surface.construction) not in air]
        self._by_name = {fold_name(surface.name): surface for surface in self._surfaces}
        self._materials = Materials(outline)
        self._open = open_constructions(outline, self._materials)

    def plan(self, edit: ConstructionEdit, label: str) -> ConstructionPlan:
        """The plan of an edit.

        Args:
            edit: The edit.
            label: Begins the names of new objects; each edit of a study needs its own.
        """
        matching = [surface for surface in self._surfaces if _matches(edit, surface)]
        edited = [surface for surface in matching if not self._is_open(edit, surface)]
        plan = ConstructionPlan(edited, left=len(matching) - len(edited))
        plan.faults += self._surface_faults(plan.surfaces)
        plan.faults += self._faults_of_new(edit, plan.surfaces)
        partners = self._partners(plan)
        if plan.faults or not plan.surfaces:
            plan.amounts.append(())
            return plan
        builder = Builder(plan, edit, label, self._materials)
        done: set[str] = set()
        for surface in plan.surfaces:
            if fold_name(surface.name) in done:
                continue  # the other side of one before it
            partner = partners.get(fold_name(surface.name))
            done |= {fold_name(side.name) for side in (surface, partner) if side}
            builder.add(surface, partner)
        plan.amounts.append(tuple(builder.amounts))
        return plan

    def _is_open(self, edit: ConstructionEdit, surface: ModelSurface) -> bool:
        """Whether a surface stands for an opening between zones, and the edit does not ask for it by name."""
        by_name = not (edit.constructions == edit.surfaces == "*")
        return surface.boundary == "interior" and not by_name and fold_name(surface.construction) in self._open

    def _surface_faults(self, surfaces: Sequence[ModelSurface]) -> list[Fault]:
        found: dict[Obstacle, list[str]] = {}
        for surface, obstacle in obstacles(self._outline, surfaces):
            found.setdefault(obstacle, []).append(surface.name)
        return [
            Fault(
                "",
                f"means {_count(names)} that cannot be edited, {listed(names, most=_MAX_NAMED)}: {obstacle.text}",
                "'except'",
            )
            for obstacle, names in found.items()
        ]

    def _faults_of_new(self, edit: ConstructionEdit, surfaces: Sequence[ModelSurface]) -> list[Fault]:
        """Faults of the construction that an edit names, if it is more than its layers: only these are copied."""
        if edit.construction is None or not surfaces:
            return []
        as_if = replace(surfaces[0], name="", construction=edit.construction)
        return [
            Fault("construction", f"'{edit.construction}' cannot be copied: {obstacle.text}", "a plain Construction")
            for _, obstacle in obstacles(self._outline, [as_if])
            if obstacle.of_construction
        ]

    def _partners(self, plan: ConstructionPlan) -> dict[str, ModelSurface]:
        """The other sides of the surfaces, by name; each is edited with its own."""
        partners: dict[str, ModelSurface] = {}
        for surface in plan.surfaces:
            if not surface.partner:
                continue
            partner = self._by_name.get(fold_name(surface.partner))
            if partner is None:
                message = f"means '{surface.name}', and its other side, '{surface.partner}', is not in the model"
                plan.faults.append(Fault("", message, "pairs of surfaces"))
            elif fold_name(partner.partner) != fold_name(surface.name):
                message = f"means '{surface.name}', and the other side of '{partner.name}' is '{partner.partner}'"
                plan.faults.append(Fault("", message, "pairs of surfaces"))
            else:
                partners[fold_name(surface.name)] = partner
        others = [surface for surface in partners.values() if surface not in plan.surfaces]
        plan.faults += self._surface_faults(others)
        return partners


def _matches(edit: ConstructionEdit, surface: ModelSurface) -> bool:
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


def plans_of(outline: ModelOutline, study: Study) -> list[tuple[ConstructionAssignment, ConstructionPlan]]:
    """The plan of each edit of constructions that a study has, on one model.

    Args:
        outline: The model.
        study: The study.
    """
    edits = list(construction_assignments(study))
    planner = Planner(outline) if edits else None
    return [(item, planner.plan(item.edit, item.label)) for item in edits if planner is not None]
