"""The plan of an edit of constructions: the objects that it adds to a model, and the surfaces that get them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from epsm.energyplus.amounts import Amounts
from epsm.energyplus.faults import Fault
from epsm.energyplus.new_objects import NewObject
from epsm.energyplus.surfaces import ModelSurface


@dataclass(frozen=True, slots=True)
class Expected:
    """The coefficients that the engine should report for a surface; None for those that the edit does not set."""

    surface: str
    u_w_m2k: float | None = None
    u_without_films_w_m2k: float | None = None
    shgc: float | None = None
    visible_transmittance: float | None = None


@dataclass(slots=True)
class ConstructionPlan:
    """One edit on one model.

    Attributes:
        surfaces: The surfaces that it matches, without the other sides of interior ones.
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


def merged(plans: Iterable[ConstructionPlan]) -> ConstructionPlan:
    """Several plans as one, to apply them together."""
    total = ConstructionPlan()
    for plan in plans:
        total.surfaces += plan.surfaces
        total.left += plan.left
        total.objects += plan.objects
        total.settings |= plan.settings
        total.expected += plan.expected
        total.used |= plan.used
        total.amounts += plan.amounts
        total.faults += plan.faults
    return total
