"""A stack whose buckets and table are those of moto in this process; what would run elsewhere only writes down."""

import hashlib
import json
from datetime import datetime
from typing import Any

from epsm.pipeline.owner_limits import NO_LIMITS, OwnerLimits
from epsm.pipeline.submit import Submitter
from epsm.store import keys
from epsm.store.accounts import Accounts
from epsm.store.records import Records
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.schema import Study
from tests.conftest import DATA, study_document
from tests.unit.conftest import INPUTS, RESULTS
from tests.unit.fakes import MACHINE, MemoryStack, MemoryStepFunctions


class Machine(MemoryStepFunctions):
    """Executions that start nothing, each with one map run if `counts` is not empty.

    Attributes:
        counts: Of the map run.
        concurrency: Of the map run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.concurrency = 0

    def list_map_runs(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"mapRuns": [{"mapRunArn": f"{executionArn}/map"}] if self.counts else []}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:  # noqa: N803
        every = dict.fromkeys(("running", "succeeded", "failed", "timedOut", "aborted", "pending"), 0)
        return {"itemCounts": every | self.counts, "status": "RUNNING", "maxConcurrency": self.concurrency}

    def update_map_run(self, *, mapRunArn: str, maxConcurrency: int) -> None:  # noqa: N803
        self.concurrency = maxConcurrency

    def describe_state_machine(self, *, stateMachineArn: str) -> None:  # noqa: N803
        assert stateMachineArn == MACHINE


class AskedFunctions:
    """The functions of a stack, which do nothing.

    Attributes:
        asked: What they were asked for.
        limit: Of the account, None where Lambda does not report it.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.limit: int | None = 1000

    def ask_to_share(self) -> None:
        self.asked.append("share")

    def ask_to_remove(self, simulation: str) -> None:
        self.asked.append(f"remove {simulation}")

    def account_limit(self, name: str) -> int | None:
        return self.limit


class Deployed(MemoryStack):
    """The stack.

    Args:
        s3, records: moto's.
        settings: That differ from those of a test.
    """

    def __init__(self, s3: Any, records: Records, **settings: Any) -> None:
        self.machine = Machine()
        self.asked = AskedFunctions()
        super().__init__(
            records=records,
            s3=s3,
            step_functions=self.machine,
            accounts=Accounts(records._table),
            functions=self.asked,
        )
        self.settings = self.settings.model_copy(update={"missing_file_grace_s": 0, "image_id": "image", **settings})

    def put(self, key: str, content: bytes) -> str:
        """The version of a file in the inputs bucket."""
        return str(self.s3.put_object(Bucket=INPUTS, Key=key, Body=content)["VersionId"])

    def upload(
        self, files: dict[str, bytes], document: bytes | None = None, folder: str = "house", **changes: Any
    ) -> Source:
        """A study in a folder, study.json last."""
        for name, content in files.items():
            self.put(f"{folder}/{name}", content)
        study = json.dumps(study_document(**changes)).encode() if document is None else document
        return Source(bucket=INPUTS, key=f"{folder}/study.json", version_id=self.put(f"{folder}/study.json", study))

    def submitter(self, limits: OwnerLimits = NO_LIMITS) -> Submitter:
        return Submitter(self, sleep=lambda seconds: None, limits=limits)

    def _input(self, key: str, content: bytes) -> ObjectRef:
        """A stored file."""
        sha256 = hashlib.sha256(content).hexdigest()
        return ObjectRef(bucket=INPUTS, key=key, version_id=self.put(key, content), sha256=sha256, bytes=len(content))

    def accepted(self, owner: str, key: str = "", **changes: Any) -> str:
        """A study of an owner as it is when it has been accepted: its inputs, manifest and record."""
        study = Study.model_validate(study_document(**changes))
        key = key or keys.owned_study_key(owner, "1", "house")
        source = Source(bucket=INPUTS, key=key, version_id=self.put(key, b"{}"))
        simulation = keys.simulation_id(INPUTS, key, source.version_id)
        contents = {"room.idf": (DATA / "one_zone.idf").read_bytes()} | {file: file.encode() for file in study.weather}
        inputs = {name: self._input(key.replace("study.json", name), content) for name, content in contents.items()}
        record = self.records.create_or_get_study(simulation, "house", source.model_dump(), owner)
        manifest = RunManifest(
            simulation_id=simulation,
            created_at=datetime.fromisoformat(record.created_at),
            study=study,
            source=source,
            inputs=inputs,
            external_files={},
            variants=study.variant_count,
            engine_version="25.2.0",
            image_id="image",
            code_version="0",
            extraction_version=1,
        )
        self.files.put_text(keys.run_key(simulation, "manifest.json"), manifest.to_json(), "application/json")
        options = study.options.model_dump()
        self.records.accept_study(
            simulation, name="house", variants=manifest.variants, options=options, expires_at=2_000_000_000
        )
        return simulation

    def begin(self, simulation: str) -> None:
        """What the state machine does first: mark a study as running."""
        self.records._table.update_item(
            Key={keys.PARTITION_KEY: keys.partition(simulation), keys.SORT_KEY: keys.STUDY_SORT_KEY},
            UpdateExpression="SET #s = :s, execution_arn = :a",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": StudyStatus.RUNNING.value, ":a": f"{MACHINE}:{simulation}"},
        )

    def json_of(self, simulation: str, name: str) -> Any:
        """A JSON file of a run."""
        return json.loads(self.s3.get_object(Bucket=RESULTS, Key=keys.run_key(simulation, name))["Body"].read())

    def record(self, simulation: str) -> StudyRecord:
        found = self.records.study(simulation)
        assert found is not None
        return found
