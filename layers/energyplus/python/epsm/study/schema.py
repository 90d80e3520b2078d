"""The study: the schema of `study.json`.

The models here are the contract; `docs/study.schema.json` is generated from them.
"""

import dataclasses
import functools
import hashlib
import re
import unicodedata
from collections import Counter
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)

from epsm.study.analysis import Analysis
from epsm.study.budgets import Budget
from epsm.study.cells import ReportCell
from epsm.study.compute import DEFAULT_COMPUTE, Compute
from epsm.study.impact import Impact
from epsm.study.measures import Measure
from epsm.study.parameter_kinds import AnyParameter
from epsm.study.parameters import Dimension, MeasureParameter
from epsm.study.reduced import ReducedSeries
from epsm.study.sampling import Design, Grid, InUnitCube, Listed, Sampling
from epsm.study.values import MAX_PARAMETERS, Strict, StudyPath, Text, Value, WeatherPath
from epsm.study.whole_files import WeatherParameter
from epsm.text import fold_name

MANIFEST_NAME = "study.json"
MAX_FUNCTION_RUN_S = 840
"""Time for a run within the 15 minutes of a Lambda function, seconds."""
MAX_CONTAINER_RUN_S = 86_400
"""What a run may have in a container, seconds."""
MAX_RETENTION_DAYS = 3650
MAX_BATCH = 100
"""Variants of one batch: a container gets them in an environment variable, and ECS takes 8 KB of overrides."""
MAX_VARIANTS = 1_000_000
"""Of a study, unless a stack was deployed with another `max_variants`."""
PREFLIGHT_FROM = 20
"""Variants of one model and weather from which on these are tried before the variants are started, unless the study
says otherwise."""

KeptFile = Literal["err", "sql", "htm", "eio", "eso", "mtr", "csv", "audit", "rdd", "mdd"]
Frequency = Literal["Timestep", "Hourly", "Daily", "Monthly", "RunPeriod"]
DetailTable = Literal["zones", "monthly"]
Priority = Literal["high", "normal", "low"]


def _model_path(path: str) -> str:
    if PurePosixPath(path).suffix.lower() not in (".idf", ".epjson"):
        raise ValueError(f"'{path}' is not a model; models end in .idf or .epJSON")
    return path


EngineVersion = Literal["23.2", "25.1", "25.2"]
ModelPath = Annotated[StudyPath, AfterValidator(_model_path)]


def _without_repetition(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    names = [entry if isinstance(entry, str) else entry.name for entry in entries]
    counted = Counter(fold_name(name) for name in names)
    again = sorted({name for name in names if counted[fold_name(name)] > 1})
    if again:
        raise ValueError(f"{', '.join(again)}: the same name is there more than once")
    return entries


def _printable(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError(f"{text!r} contains control characters")
    return text


def _no_truth_value(value: Any) -> Any:
    """True equals 1 in Python, and so it would pass for the version 1."""
    return str(value) if isinstance(value, bool) else value


def _hashes(files: dict[str, str]) -> dict[str, str]:
    for name, sha256 in files.items():
        if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
            raise ValueError(f"{name}: {sha256[:70]!r} is not a SHA-256 of 64 hexadecimal digits")
    return {unicodedata.normalize("NFC", name): sha256.lower() for name, sha256 in files.items()}


Unique = AfterValidator(_without_repetition)
_MAX_FILES = 1000


class Outputs(Strict):
    """Outputs of each run besides the standard results."""

    meters: Annotated[tuple[Text, ...], Unique] = Field(
        default=(), description="Meters to report as series, e.g. Electricity:Facility."
    )
    variables: Annotated[tuple[Text, ...], Unique] = Field(
        default=(), description="Output variables to report as series for all keys, e.g. Zone Mean Air Temperature."
    )
    frequency: Frequency = "Hourly"
    cells: Annotated[tuple[ReportCell, ...], Unique] = Field(
        default=(), max_length=50, description="Cells of tabular reports to have as columns of the results table."
    )
    reduced: Annotated[tuple[ReducedSeries, ...], Unique] = Field(
        default=(),
        max_length=50,
        description="Meters and variables to have as one number each in the results table, without their series.",
    )
    tables: Annotated[tuple[DetailTable, ...], Unique] = Field(
        default=(),
        description="Further tables beside the results table: zones, a row for each zone of each variant; monthly, "
        "energy and peak demand of each month by fuel and end use.",
    )
    keep: Annotated[tuple[KeptFile, ...], Unique] = Field(
        default=("err", "sql"), description="EnergyPlus output files to store with each variant."
    )

    @property
    def named_numbers(self) -> tuple[str, ...]:
        """The columns with numbers that the study names itself."""
        return (*(cell.name for cell in self.cells if cell.kind == "number"), *(series.name for series in self.reduced))


class Options(Strict):
    """How to run the study."""

    run_period: Literal["as_in_model", "annual", "design_days"] = Field(
        default="as_in_model",
        description="as_in_model: the weather-file run periods that the model asks for. annual: its first run "
        "period stretched to the whole year, whatever SimulationControl says. design_days: sizing periods only, "
        "which gives no energy use, but tries the model and sizes it.",
    )
    max_concurrency: int = Field(
        strict=True, default=100, ge=1, le=10_000, description="Variants that may run at the same time."
    )
    tolerated_failure_percentage: float = Field(
        strict=True,
        default=100,
        ge=0,
        le=100,
        description="Give the study up when more variants than this percentage have failed.",
    )
    max_failures: int | None = Field(
        strict=True, default=None, ge=0, description="Give the study up when more variants than this have failed."
    )
    max_cost_usd: Budget | None = Field(
        default=None,
        description="Give the study up when its variants have cost this much, at list prices of us-east-1.",
    )
    cache: bool = Field(
        strict=True,
        default=True,
        description="Whether a variant reuses the results of an earlier run of the same owner, if that had the same "
        "edited model, weather, other files, outputs, EnergyPlus and software.",
    )
    batch: int | None = Field(
        strict=True,
        default=None,
        ge=1,
        le=MAX_BATCH,
        description="Variants that one invocation of a function runs. Null: one in a small study, otherwise more in "
        "larger studies, for seven minutes at most. Where timeout_s is more than 840, this applies to variants in "
        "containers. Of a task, if compute is container or spot.",
    )
    compute: Compute = Field(
        default=DEFAULT_COMPUTE,
        description="Where variants run: function, in Lambda functions; container, in Fargate tasks; spot, in tasks on "
        "Fargate Spot, which cost about a third of the latter and may be interrupted and repeated. The last two need a "
        "stack that was deployed with Fargate.",
    )
    priority: Priority = Field(
        default="normal",
        description="Share of the concurrency while several studies run: high gets twice as much as normal, four times "
        "as much as low.",
    )
    after: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]{1,80}$",
        description="Name of a simulation that must have completed before this study starts.",
    )
    timeout_s: int = Field(
        strict=True,
        default=MAX_FUNCTION_RUN_S,
        ge=1,
        le=MAX_CONTAINER_RUN_S,
        description="Wall-clock seconds that one run may take. More than 840 needs a stack that was deployed with "
        "Fargate.",
    )
    preflight: bool | None = Field(
        strict=True,
        default=None,
        description="Whether each model and weather is tried on one day before any variant is started, and the study "
        f"ends there if one fails. Null: where they have at least {PREFLIGHT_FROM} variants and have not run before.",
    )
    retention_days: int = Field(
        strict=True,
        default=30,
        ge=1,
        le=MAX_RETENTION_DAYS,
        description="Days until results and inputs are deleted.",
    )
    notify: bool = Field(strict=True, default=True, description="Whether subscribers are notified when the study ends.")

    @property
    def fits_function(self) -> bool:
        """Whether a function has time for the longest run that the study allows."""
        return self.timeout_s <= MAX_FUNCTION_RUN_S

    @property
    def in_containers(self) -> bool:
        """Whether every variant runs in a container."""
        return self.compute != "function"


class Study(Strict):
    """A parametric study: models x weather x samples of the parameters.

    Sample 0 of each model and weather is the model as it was uploaded, the baseline.
    """

    editor_schema: str | None = Field(
        default=None, alias="$schema", max_length=500, exclude=True, description="For editors; not read."
    )
    schema_version: Annotated[Literal[1], BeforeValidator(_no_truth_value)] = Field(default=1, alias="schema")
    name: Annotated[str, AfterValidator(_printable)] = Field(
        default="", max_length=200, description="Shown wherever the study is listed."
    )
    models: Annotated[tuple[ModelPath, ...], Unique] = Field(
        min_length=1, max_length=_MAX_FILES, description="IDF or epJSON files."
    )
    weather: Annotated[tuple[WeatherPath, ...], Unique] = Field(
        min_length=1, max_length=_MAX_FILES, description="EPW files."
    )
    energyplus: EngineVersion | None = Field(
        default=None,
        description="EnergyPlus version to run with. Left out, it is the version that the models are written for.",
    )
    parameters: Annotated[tuple[AnyParameter, ...], Unique] = Field(default=(), max_length=MAX_PARAMETERS)
    measures: Annotated[tuple[Measure, ...], Unique] = Field(
        default=(), max_length=50, description="Named bundles of edits, for parameters with the key measure."
    )
    sampling: Sampling = Grid()
    analysis: Analysis = Analysis()
    impact: Impact | None = Field(default=None, description="Factors and terms of columns with emissions and costs.")
    outputs: Outputs = Outputs()
    options: Options = Options()
    files: Annotated[dict[str, str], AfterValidator(_hashes)] = Field(
        default={},
        max_length=10_000,
        exclude=True,
        description="SHA-256, hexadecimal, of every file that the study reads, by its path; pins its content. "
        "`epsm` and the API write it. Without it the versions are taken that were there when study.json was written.",
    )

    @model_validator(mode="after")
    def _bind_parameters(self) -> Self:
        known = {fold_name(measure.name): measure for measure in self.measures}
        for parameter in self.parameters:
            if isinstance(parameter, MeasureParameter):
                parameter.bind(known.pop(fold_name(parameter.measure), None))
            elif isinstance(parameter, WeatherParameter):
                parameter.bind(self.weather[0])
        return self

    @property
    def climate(self) -> WeatherParameter | None:
        """The parameter that varies the weather, if there is one."""
        return next((parameter for parameter in self.parameters if isinstance(parameter, WeatherParameter)), None)

    @property
    def all_weather(self) -> tuple[str, ...]:
        """Every weather file that a variant may have, each once."""
        return tuple(dict.fromkeys((*self.weather, *(self.climate.weather if self.climate else ()))))

    @property
    def variant_count(self) -> int:
        """models x weather x (1 baseline + samples)."""
        return len(self.models) * len(self.weather) * self.sample_count

    @property
    def sample_count(self) -> int:
        """Variants of one model and weather: 1 baseline + samples."""
        return 1 + self.sampling.count(self.parameters)

    @property
    def has_measure_gwp(self) -> bool:
        """Whether a variant of a measure states emissions."""
        return any(variant.states_gwp for measure in self.measures for variant in measure.variants)

    @property
    def has_measure_cost(self) -> bool:
        """Whether a variant of a measure states a cost."""
        return any(variant.states_cost for measure in self.measures for variant in measure.variants)

    def numeric(self, parameter: Dimension) -> bool:
        """Whether a parameter's column of the results table holds numbers only."""
        return next(dimension for dimension in self.with_levels if dimension.name == parameter.name).numeric

    @property
    def with_levels(self) -> tuple[Dimension, ...]:
        """The parameters; those of a list with its values as theirs, each once."""
        if not isinstance(self.sampling, Listed):
            return self.parameters
        rows = self.sampling.rows or ()
        return tuple(
            parameter.model_copy(
                update={"values": tuple(dict.fromkeys(row[parameter.name] for row in rows if parameter.name in row))}
            )
            for parameter in self.parameters
        )

    def with_seed(self, simulation: str) -> "Study":
        """The study with a seed, where its sampling takes one and has none: one made from the simulation's name, so
        that a repeated submit gives the same samples.

        Args:
            simulation: Name of the simulation.
        """
        if not isinstance(self.sampling, InUnitCube) or self.sampling.seed is not None:
            return self
        seed = int.from_bytes(hashlib.sha256(simulation.encode()).digest()[:4], "big")
        return self.model_copy(update={"sampling": self.sampling.model_copy(update={"seed": seed})})

    @property
    def design(self) -> Design:
        """The samples of each model and weather, without the baseline."""
        made = self.sampling.design(self.parameters)
        named = [parameter for parameter in self.parameters if not parameter.numeric]
        if not named:
            return made
        spelled = {parameter.name: functools.cache(parameter.spelled) for parameter in named}

        def sample(index: int) -> dict[str, Value]:
            own = made.sample(index)
            return {name: spelled[name](level) if name in spelled else level for name, level in own.items()}

        return dataclasses.replace(made, sample=sample)

    @property
    def has_preflight(self) -> bool:
        """Whether models are tried before variants are started."""
        requested = self.options.preflight
        return self.sample_count >= PREFLIGHT_FROM if requested is None else requested
