"""A study that has been accepted, and what runs its variants."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from epsm.energyplus.engine import Engine
from epsm.pipeline.run_variant import Outcome, VariantRunner
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.records import VariantRecord
from epsm.study.schema import Study
from epsm.study.variants import Variant
from tests.conftest import study_document
from tests.unit.conftest import RESULTS
from tests.unit.manifests import manifest_of, stored_input
from tests.unit.pipeline.fake_engine import FakeEngine

ROOM = Variant(0, "room.idf", "chicago.epw")


@dataclass
class Case:
    """A study that has been accepted, and what runs its variants."""

    files: Files
    records: Records
    s3: Any
    folder: Path
    engine: FakeEngine

    def __post_init__(self) -> None:
        self.engine.mode("ok")
        self.spent: list[str] = []

    def accept(
        self,
        model: bytes,
        weather: bytes = b"",
        version: str = "25.2",
        tables: Mapping[str, bytes] = MappingProxyType({}),
        **changes: Any,
    ) -> None:
        """Store the record and the manifest of a run; `tables` are further files."""
        self.records.create_or_get_study("a", "Office", {})
        document = {"parameters": [], **changes}
        options = document.get("options", {})
        self.records.accept_study("a", name="Office", variants=1, options=options, expires_at=4_000_000_000)
        manifest = manifest_of(
            Study.model_validate(study_document(**document)),
            simulation_id="a",
            inputs={
                "room.idf": stored_input(self.s3, "room.idf", model),
                "chicago.epw": stored_input(self.s3, "c.epw", weather),
                **{name: stored_input(self.s3, name, content) for name, content in tables.items()},
            },
            engine_version=f"{version}.0",
        )
        self.files.put_text("runs/a/manifest.json", manifest.to_json(), "application/json")

    def runner(self, engine: Engine | None = None, **changes: Any) -> VariantRunner:
        installed = engine or self.engine.engine
        return VariantRunner(
            self.files, self.records, self.folder, installed, budget_spent=self.spent.append, **changes
        )

    def run(self, mode: str = "ok", variant: Variant = ROOM, seconds: float = math.inf, **changes: Any) -> Outcome:
        self.engine.mode(mode)
        return self.runner().run("a", variant, seconds_left=lambda: seconds, **changes)

    @property
    def record(self) -> VariantRecord:
        record = self.records.variant("a", 0)
        assert record is not None
        return record

    @property
    def document(self) -> Any:
        """result.json"""
        return json.load(self.files.open_result("runs/a/variants/0/result.json"))

    @property
    def stored(self) -> set[str]:
        """Names of the variant's files."""
        listed = self.s3.list_objects_v2(Bucket=RESULTS, Prefix="runs/a/variants/0/").get("Contents", [])
        return {entry["Key"].rpartition("/")[2] for entry in listed}


def refusal(status: int) -> ClientError:
    answer: Any = {"Error": {"Code": "Refused"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")
