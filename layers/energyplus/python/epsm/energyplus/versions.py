"""EnergyPlus versions: those that this release supports, and the version of a study.

Every model runs in its own version: nothing is converted, so the numbers equal those of the modeller's own
installation. One study has one version, because a table of results that mixes engines cannot be compared. The engines
are in `epsm.energyplus.engine`; this module starts no process, so that functions that only check can import
it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from epsm.study.schema import EngineVersion

DEFAULT: EngineVersion = "25.2"


@dataclass(frozen=True, slots=True)
class Release:
    """An EnergyPlus release that studies can run with.

    Attributes:
        version: Three numbers, e.g. ``23.2.0``.
        build: Commit it was built from, as the engine prints it.
        expands_templates: Whether the package of that version has ExpandObjects.
    """

    version: str
    build: str
    expands_templates: bool


RELEASES: Mapping[str, Release] = {
    "23.2": Release("23.2.0", "7636e6b3e9", expands_templates=False),
    "25.1": Release("25.1.0", "68a4a7c774", expands_templates=False),
    "25.2": Release("25.2.0", "cf7368216c", expands_templates=True),
}

RUNS_AS_25_2 = "26.1"
"""No package index has an engine 26.1: the package of that label prints 25.2. A model of 26.1 runs with 25.2 if its
classes are the same in both versions, and only if the study requests that explicitly."""

CHANGED_IN_26_1 = frozenset(
    {
        "airterminal:singleduct:seriespiu:reheat",
        "airterminal:singleduct:parallelpiu:reheat",
        "heatexchanger:fluidtofluid",
    }
)
"""Classes whose fields or values differ between the schemas of 25.2 and 26.1, by name in lower case."""

SUPPORTED = ", ".join(RELEASES)

_IN_IDF = re.compile(rb"(?im)^[ \t]*Version[ \t]*,(?:[ \t]*(?:![^\r\n]*)?[\r\n]+)*[ \t]*([0-9]+\.[0-9]+)")
_IN_EPJSON = re.compile(rb'"version_identifier"\s*:\s*"\s*([0-9]+\.[0-9]+)')


def version_in(content: bytes, source: str) -> str | None:
    """Major and minor version that a model's Version object names, or None, without reading the whole model."""
    found = (_IN_EPJSON if source.lower().endswith(".epjson") else _IN_IDF).search(content)
    return found.group(1).decode("ascii") if found else None


def runnable(model: str | None) -> str:
    """The version with which a study is checked and run, from the version of its first model.

    An unsupported version gives the default; the check of the model then reports it.
    """
    return model if model is not None and model in RELEASES else DEFAULT


def runs_as(model: str, engine: str, requested: str | None) -> bool:
    """Whether a model of one version may be run with the engine of another because the study requests it."""
    return model == RUNS_AS_25_2 and engine == DEFAULT == requested


def misfit(model: str, engine: str, requested: str | None) -> tuple[str, str]:
    """Why a model of version `model` does not run in a study of version `engine`, and the remedy.

    Args:
        model: The version in the model's Version object.
        engine: The study's version.
        requested: The study's `energyplus`; None if the version comes from the models.
    """
    fault = f"is a model for EnergyPlus {model}"
    model = ".".join(model.split(".")[:2])
    if model in RELEASES:
        reason = "which the study requests" if requested else "the version of the study's first model"
        return f"{fault}, not {engine}, {reason}", "models of one version in a study"
    if model == RUNS_AS_25_2:
        return (
            f"{fault}; no Python package has that engine (the one labelled 26.1.0 is 25.2.0)",
            '"energyplus": "25.2" in study.json, which runs it with 25.2',
        )
    return (
        f"{fault}; update it with the IDFVersionUpdater of EnergyPlus {DEFAULT}",
        f"version {SUPPORTED}",
    )
