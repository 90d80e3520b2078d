"""A study in a process that runs its variants, which share manifest, owner, engine and models."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from epsm.energyplus import dictionary
from epsm.energyplus.amounts import AmountsByMeasure
from epsm.energyplus.construction_plan import Expected
from epsm.energyplus.engine import Engine, installed_engine_of
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.versions import DEFAULT
from epsm.errors import EngineMissing
from epsm.model_memory import KeptModels
from epsm.pipeline.simulation import ReadyModel
from epsm.pipeline.workspace import Workspace
from epsm.study.hourly_factors import HourlyFactors, read_hourly_factors
from epsm.study.manifest import RunManifest
from epsm.study.records import expiry
from epsm.study.variants import Variant


@dataclass(frozen=True, slots=True)
class Expectations:
    """Coefficients that the measures of a variant request, and their amounts of material; see `PreparedModel`."""

    expected: Mapping[str, Sequence[Expected]]
    amounts: AmountsByMeasure


@dataclass(frozen=True, slots=True)
class EditedModel:
    """A model as it runs in one variant.

    Attributes:
        ready: The model, ready to run.
        text: Its content, edited.
        requested: What to expect in the results.
    """

    ready: ReadyModel
    text: str
    requested: Expectations


class LoadedStudy:
    """A study's manifest, with the engine and the parsed models that its variants run with.

    Args:
        manifest: The run's manifest.
        owner: The study's owner; empty for nobody in particular.
        workspace: The workspace in which its variants run.
        installed: The engine of this release; another version is located when the study needs it.
    """

    def __init__(self, manifest: RunManifest, owner: str, workspace: Workspace, installed: Engine) -> None:
        self.manifest = manifest
        self.owner = owner
        self._workspace = workspace
        self._installed = installed
        self._models: KeptModels[PreparedModel] = KeptModels()
        self._lock = threading.Lock()

    @property
    def simulation(self) -> str:
        """The simulation's ID."""
        return self.manifest.simulation_id

    @property
    def expires_at(self) -> int:
        """When the table drops its records, seconds since 1970."""
        return expiry(self.manifest.created_at, self.manifest.study.options.retention_days)

    @property
    def reads_series(self) -> bool:
        """Whether values of each hour or time step are read from its runs, which may take much memory."""
        study = self.manifest.study
        outputs, impact = study.outputs, study.impact
        hourly = impact is not None and impact.hourly_electricity is not None
        return bool(outputs.meters or outputs.variables or outputs.reduced) or hourly

    def ready(self, name: str, memory_limit_mb: float | None) -> ReadyModel:
        """A model of the study, ready to run; parsed once for all its variants, as long as there is memory for it.

        Args:
            name: Its path in the study.
            memory_limit_mb: The engine's memory limit, MiB, if any.

        Raises:
            EngineMissing: If the engine of the study's version is not installed.
            epsm.pipeline.workspace.NoDiskSpace: If the model's file does not fit on the disk.
        """
        engine = self._engine()
        prepared = self._models.get(
            name,
            lambda: self._workspace.read(self.manifest.inputs[name]),
            lambda content: self._prepare(content, name),
            memory_limit_mb,
        )
        return ReadyModel(self.manifest, prepared, engine, self._workspace)

    @cached_property
    def hourly_factors(self) -> HourlyFactors | None:
        """The study's emission factors of electricity by hour, if it has any."""
        impact = self.manifest.study.impact
        if impact is None or impact.hourly_electricity is None:
            return None
        source = impact.hourly_electricity
        factors, problems = read_hourly_factors(self._workspace.read(self.manifest.inputs[source.file]), source)
        assert factors is not None, f"the study was accepted with {problems}"
        return factors

    def edited(self, variant: Variant, memory_limit_mb: float | None) -> EditedModel:
        """The model of a variant, edited. Variants of a batch are edited one at a time, because they share the model.

        Args:
            variant: The variant.
            memory_limit_mb: The engine's memory limit, MiB, if any.

        Raises:
            epsm.energyplus.editing.CannotEdit: If the model cannot be edited as the variant says.
            EngineMissing, epsm.pipeline.workspace.NoDiskSpace: See `ready`.
        """
        with self._lock:
            ready = self.ready(variant.model, memory_limit_mb)
            prepared, values = ready.prepared, variant.values
            requested = Expectations(prepared.expected(values), prepared.amounts(values))
            return EditedModel(ready, prepared.render(values), requested)

    def engine_version(self) -> str:
        """Version and build of the engine; the manifest's version if it is not installed."""
        try:
            return self._engine().version()
        except EngineMissing:
            return self.manifest.engine_version

    def _engine(self) -> Engine:
        version = self.manifest.model_version
        return self._installed if version == DEFAULT else installed_engine_of(version)

    def _prepare(self, content: bytes, name: str) -> PreparedModel:
        with dictionary.of_version(self.manifest.model_version):
            return prepare(content, name, self.manifest.study, self._installed.idd)
