"""A study of a few variants in one batch, and the function that runs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epsm.pipeline.run_batch import Batch, BatchedVariant, BatchOutcome, BatchRunner
from epsm.pipeline.run_variant import VariantRunner
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.records import StudyRecord, VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
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

    def accept(self, model: bytes, **options: Any) -> None:
        parameter = {"name": "d", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
        document = study_document(
            parameters=[parameter | {"values": [0.1111, 0.1222, 0.1333, 0.1444]}], options={"cache": False, **options}
        )
        study = Study.model_validate(document)
        self.records.create_or_get_study("a", "Office", {})
        self.records.accept_study(
            "a", name="Office", variants=5, options=document["options"], expires_at=4_000_000_000, batched=True
        )
        manifest = manifest_of(
            study,
            simulation_id="a",
            inputs={
                "room.idf": stored_input(self.s3, "room.idf", model),
                "chicago.epw": stored_input(self.s3, "c.epw", b""),
            },
        )
        self.files.put_text("runs/a/manifest.json", manifest.to_json(), "application/json")

    def run(
        self,
        *,
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
            "a",
            Batch(indices, {}, attempt, max_failures),
            engines=engines,
            seconds_left=seconds_left,
            memory_limit_mb=memory_limit_mb,
            repeatable=repeatable,
        )

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
