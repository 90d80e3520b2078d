"""A study of a few variants in one batch, and the function that runs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epsm.pipeline.batch import Batch, BatchedVariant, BatchOutcome
from epsm.pipeline.run_batch import BatchRunner
from epsm.pipeline.run_variant import VariantRunner
from epsm.store.files import Files
from epsm.store.kept_results import KeptResults
from epsm.store.packs import Pack
from epsm.store.records import Records
from epsm.study.records import StudyRecord, VariantRecord, VariantStatus
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.conftest import RESULTS
from tests.unit.manifests import manifest_of, stored_input
from tests.unit.pipeline.fake_engine import FakeEngine

PLENTY_S = 900.0


@dataclass
class Case:
    """A study of a baseline and four thicknesses of its insulation, all in one batch."""

    files: Files
    records: Records
    s3: Any
    folder: Path
    engine: FakeEngine
    too_many: list[str] = field(default_factory=list)
    ended: list[BatchedVariant] = field(default_factory=list)
    on_end: Callable[[BatchedVariant], None] = lambda variant: None

    def accept(self, model: bytes, *, name: str = "a", owner: str = "", rows: Any = None, **options: Any) -> None:
        parameter = {"name": "d", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
        values = {"values": [0.1111, 0.1222, 0.1333, 0.1444]} if rows is None else {}
        sampling = {} if rows is None else {"sampling": {"method": "list", "rows": rows}}
        document = study_document(parameters=[parameter | values], options={"cache": False, **options}, **sampling)
        study = Study.model_validate(document)
        self.records.create_or_get_study(name, "Office", {}, owner)
        self.records.accept_study(
            name, name="Office", variants=5, options=document["options"], expires_at=4_000_000_000, batched=True
        )
        manifest = manifest_of(
            study,
            simulation_id=name,
            inputs={
                "room.idf": stored_input(self.s3, "room.idf", model),
                "chicago.epw": stored_input(self.s3, "c.epw", b""),
            },
        )
        self.files.put_text(f"runs/{name}/manifest.json", manifest.to_json(), "application/json")

    def run(
        self,
        *,
        name: str = "a",
        indices: tuple[int, ...] = (0, 1, 2, 3, 4),
        engines: int = 1,
        attempt: int = 1,
        max_failures: int = 5,
        seconds_left: Callable[[], float] = lambda: PLENTY_S,
        memory_limit_mb: float | None = None,
        repeatable: bool = False,
        **runner: Any,
    ) -> BatchOutcome:
        """Run the batch in a new function."""

        def end(variant: BatchedVariant) -> None:
            self.ended.append(variant)
            self.on_end(variant)

        variants = VariantRunner(self.files, self.records, self.folder, self.engine.engine, **runner)
        return BatchRunner(variants, self.too_many.append, end).run(
            name,
            Batch(indices, {}, attempt, max_failures),
            engines=engines,
            seconds_left=seconds_left,
            memory_limit_mb=memory_limit_mb,
            repeatable=repeatable,
        )

    def run_alone(self, name: str, index: int, kept: KeptResults) -> None:
        """Run a variant of a study by itself, in a new function."""
        (variant,) = expand(self.files.read_manifest(name).study, index, index + 1)
        runner = VariantRunner(self.files, self.records, self.folder, self.engine.engine, kept_results=kept)
        runner.run(name, variant, seconds_left=lambda: PLENTY_S)

    def file(self, index: int, name: str, simulation: str = "a") -> bytes:
        """A file of a variant, from the pack that its record names."""
        record = self.records.variant(simulation, index)
        assert record is not None
        return Pack(self.files.open_ranged(f"runs/{simulation}/{record.pack}")).read(index, name)

    def packs(self) -> list[list[int]]:
        """The variants of each pack."""
        listed = self.s3.list_objects_v2(Bucket=RESULTS, Prefix="runs/a/packs/").get("Contents", [])
        return [Pack(self.files.open_ranged(each["Key"])).variants for each in listed]

    def variant(self, index: int) -> VariantRecord | None:
        return self.records.variant("a", index)

    @property
    def study(self) -> StudyRecord:
        record = self.records.study("a")
        assert record is not None
        return record

    def statuses(self) -> list[VariantStatus | None]:
        found = [self.variant(index) for index in range(5)]
        return [record.status if record else None for record in found]


SUCCEEDED, FAILED, RUNNING = VariantStatus.SUCCEEDED, VariantStatus.FAILED, VariantStatus.RUNNING
