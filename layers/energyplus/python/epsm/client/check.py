"""The result of checking a study."""

from collections.abc import Mapping
from dataclasses import dataclass

from epsm.checks.target_matches import TargetInModel
from epsm.estimate import Estimate, computes_in_words, in_words
from epsm.text import counted


@dataclass(frozen=True, slots=True)
class Check:
    """The result of checking a valid study.

    Attributes:
        variants: Number of runs of EnergyPlus, baselines included.
        models, weather: Paths in the study.
        parameters: Names.
        energyplus: Version that it runs with, e.g. ``25.2``.
        targets: What each target of each parameter changes in each model, with old and new values in words.
        baseline_values: For each model its own values of the parameters, where each is one.
        files: Every file that the study reads.
        estimate: Time of EnergyPlus, assumed from the number of zones; duration and cost on AWS, at list prices of
            us-east-1.
        remarks: Remarks on dubious models and weather files that can be run.
    """

    variants: int
    models: tuple[str, ...]
    weather: tuple[str, ...]
    parameters: tuple[str, ...]
    energyplus: str
    targets: tuple[TargetInModel, ...]
    baseline_values: Mapping[str, Mapping[str, float | str]]
    files: tuple[str, ...]
    estimate: Estimate
    remarks: tuple[str, ...]

    @property
    def engine_seconds(self) -> float:
        """Of all variants together, on one core."""
        return self.estimate.engine_seconds

    @property
    def matches(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """For each model and parameter the names of the objects that it changes."""
        found: dict[str, dict[str, tuple[str, ...]]] = {model: {} for model in self.models}
        for target in self.targets:
            changed = found[target.model]
            changed[target.parameter] = tuple(dict.fromkeys((*changed.get(target.parameter, ()), *target.objects)))
        return found

    def __str__(self) -> str:
        lines = [
            f"{counted(self.variants, 'variant')} of {counted(len(self.models), 'model')}, "
            f"{counted(len(self.weather), 'weather file')} and {counted(len(self.parameters), 'parameter')}, "
            f"with EnergyPlus {self.energyplus}"
        ]
        costs = [in_words(self.estimate), *computes_in_words(self.estimate)]
        return "\n".join([*lines, *map(str, self.targets), *costs, *self.remarks])
