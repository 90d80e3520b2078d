"""The run's manifest: everything that is needed to run a study again and get the same numbers."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from epsm.study.schema import Study
from epsm.study.variants import Variant
from epsm.study.whole_files import FileParameter


class ObjectRef(BaseModel):
    """One stored file, pinned to its version: later uploads under the same name have no effect.

    Attributes:
        bucket, key: Where it is.
        version_id: Which version of it.
        sha256: Hash of its content, hexadecimal.
        bytes: Its size.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    bucket: str
    key: str
    version_id: str
    sha256: str
    bytes: int


class Source(BaseModel):
    """The uploaded study.json that started the run."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    bucket: str
    key: str
    version_id: str


class RunManifest(BaseModel):
    """`runs/<simulation_id>/manifest.json`.

    Attributes:
        simulation_id: Name of the run and of its Step Functions execution.
        created_at: When it was accepted, UTC.
        study: The study as it was read, defaults filled in.
        source: The uploaded study.json.
        inputs: Every other file that the run reads, by its path in the study.
        external_files: For each model the files it reads itself (Schedule:File and the like), as paths in the study.
        remarks: Remarks on dubious inputs that can be run (missing hours of weather).
        input_remarks: The same by model or weather file, for the table's rows.
        variants: Number of variants.
        engine_version: EnergyPlus version that the models were checked for and run with, e.g. ``25.2.0``.
        image_id: Content hash of the container image.
        code_version: Version of `epsm`.
        extraction_version: Version of the rules by which metrics are read.
        baseline_values: For each model its own value of each parameter, if it has one.
        assumed_run_times_s: For each model the engine time of one run as assumed from its zones, seconds; for limits
            until a run of it has been measured.
        seed: Seed of the sampling; None where nothing is random.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    schema_version: int = 1
    simulation_id: str
    created_at: datetime
    study: Study
    source: Source
    inputs: dict[str, ObjectRef]
    external_files: dict[str, tuple[str, ...]]
    variants: int
    engine_version: str
    image_id: str
    code_version: str
    extraction_version: int
    baseline_values: dict[str, dict[str, float | str]] = Field(default_factory=dict)
    seed: int | None = None
    remarks: tuple[str, ...] = ()
    input_remarks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    assumed_run_times_s: dict[str, float] = Field(default_factory=dict)

    @property
    def model_version(self) -> str:
        """Major and minor version of the engine, e.g. ``23.2``."""
        return ".".join(self.engine_version.split(".")[:2])

    def files_of(self, variant: Variant) -> tuple[str, ...]:
        """The files that a variant's model reads itself, as paths in the study: the model's own, and those that take
        their places."""
        levels = (
            variant.values.get(parameter.name)
            for parameter in self.study.parameters
            if isinstance(parameter, FileParameter)
        )
        own = self.external_files.get(variant.model, ())
        return tuple(dict.fromkeys((*own, *(str(level) for level in levels if level is not None))))

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1)
