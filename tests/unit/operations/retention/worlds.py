"""Buckets and a table with studies in them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from epsm.operations.retention import Removal, Remover
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import StudyStatus, timestamp
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.fakes import MemoryRecords, MemoryS3, MemoryStack, study_record
from tests.unit.manifests import manifest_of

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)


class World:
    """A stack in memory.

    Attributes:
        requests: Number of requests that a function has time for; it is reduced by one for each.
    """

    def __init__(self) -> None:
        self.requests = 1_000_000
        self.s3 = MemoryS3()
        self.records = MemoryRecords()
        self.remover = Remover(MemoryStack(s3=self.s3, records=self.records), lambda: NOW, self._seconds_left)

    def _seconds_left(self) -> float:
        self.requests -= 1
        return 900.0 if self.requests >= 0 else 30.0

    def study(
        self,
        name: str,
        age: int,
        *,
        status: StudyStatus = StudyStatus.COMPLETED,
        keep: int | None = 30,
        folder: str | None = None,
        inputs: dict[str, str] | None = None,
        results: int = 1,
        took: int = 0,
    ) -> str:
        """Make a study that ended `age` days ago after `took` days; `inputs` are versions by key."""
        created = NOW - timedelta(days=age + took)
        folder = name if folder is None else folder
        source = {"bucket": "inputs", "key": f"{folder}/study.json" if folder else "study.json", "version_id": name}
        pinned = {f"{folder}/room.idf": name} if inputs is None else inputs
        record = study_record(
            name,
            status,
            created,
            ended_at=timestamp(NOW - timedelta(days=age)) if status.final else "",
            source=source,
            options={} if keep is None else {"retention_days": keep},
        )
        self.records.by_name[name] = record
        self.s3.objects["inputs", source["key"], name] = b"{}"
        for key, version in pinned.items():
            self.s3.objects["inputs", key, version] = b"model"
        if status is not StudyStatus.REJECTED:
            manifest = _manifest(name, created, Source.model_validate(source), pinned)
            self.s3.objects["results", f"runs/{name}/manifest.json", ""] = manifest.to_json().encode()
        for number in range(results):
            self.s3.objects["results", f"runs/{name}/variants/{number}/result.json", ""] = b"result"
        return name

    def hide(self, name: str) -> None:
        self.records.by_name[name] = replace(self.records.by_name[name], removing=True)

    def of_run(self, name: str) -> list[str]:
        return [key for _, key, _ in self.s3.objects if key.startswith(f"runs/{name}/")]

    def has_input(self, key: str, version: str) -> bool:
        return ("inputs", key, version) in self.s3.objects

    def reports(self) -> dict[str, Any]:
        return {
            key: json.loads(content) for (_, key, _), content in self.s3.objects.items() if key.startswith("cleanup/")
        }


def _manifest(name: str, created: datetime, source: Source, pinned: dict[str, str]) -> RunManifest:
    refs = {
        key: ObjectRef(bucket="inputs", key=key, version_id=version, sha256="0" * 64, bytes=5)
        for key, version in pinned.items()
    }
    study = Study.model_validate(study_document())
    return manifest_of(study, simulation_id=name, created_at=created, source=source, inputs=refs)


def names(removals: tuple[Removal, ...]) -> list[str]:
    return [removal.simulation_id for removal in removals]


def refuse(refused: str) -> Any:
    def on_delete(bucket: str, key: str) -> None:
        if key == refused:
            raise PermissionError("no")

    return on_delete
