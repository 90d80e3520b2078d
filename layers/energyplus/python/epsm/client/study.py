"""A study in Python: build, check and start it."""

from pathlib import Path
from typing import TYPE_CHECKING

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.client.aws_faults import stack_errors
from epsm.client.check import Check
from epsm.client.connection import Connection, any_stack, lasting_stack
from epsm.client.local import LOCAL
from epsm.client.study_document import StudyDocument
from epsm.client.upload import upload_files
from epsm.errors import CannotWrite
from epsm.estimate import estimate
from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.store import keys
from epsm.study.compute import LAMBDA_AT_A_TIME
from epsm.study.limits import Limits
from epsm.study.schema import MANIFEST_NAME, MAX_VARIANTS

if TYPE_CHECKING:
    from epsm.client.run import Run


class Study(StudyDocument):
    """A parametric study: models x weather x the combinations of the parameters' levels, and each model as it is.

    A study does not change; `vary` returns another one. It holds paths: the files are read when it is checked.

    >>> study = Study(models=["office.idf"], weather=["chicago.epw"], name="Office")
    >>> study = study.vary("insulation_m", "Material", "Wall Insulation", "Thickness", values=[0.1, 0.2])
    >>> study.document["parameters"][0]["values"]
    [0.1, 0.2]

    Args:
        models: IDF or epJSON files, as paths on this machine.
        weather: EPW files, as paths on this machine. A ``.stat`` next to one is used as by EnergyPlus.
        name: Name in lists of studies.
        outputs: Meters, variables and files to keep; `Outputs` or its fields by name.
        options: How to run it; `Options` or its fields by name.
        parameters: What to vary, as ``study.json`` has it; usually added with `vary`.
        folder: Folder that contains all files; paths are relative to it. Needed if models read files outside their own
            folders.
        **more: Further keys of ``study.json``, e.g. ``energyplus="25.2"``.

    Attributes:
        name: Its name; empty if none was given.

    Raises:
        StudyRejected: If a key or value is invalid, with every problem; the files are not read.
    """

    def check(self, *, max_variants: int = MAX_VARIANTS, memory_mb: int = DEFAULT_MEMORY_MB) -> Check:
        """Check the study and all its files as the stack would, without uploading anything.

        Args:
            max_variants: Maximum number of variants, if the stack was deployed with another limit.
            memory_mb: Memory of the stack's functions, MiB, if not the default; it limits the size of models.

        Raises:
            StudyRejected: With every problem: file, object and field, what was found, what is allowed.
        """
        accepted = self._accepted(max_variants, memory_mb)
        study = accepted.study
        return Check(
            variants=study.variant_count,
            models=study.models,
            weather=study.all_weather,
            parameters=tuple(parameter.name for parameter in study.parameters),
            energyplus=accepted.energyplus,
            targets=accepted.targets,
            baseline_values=accepted.baseline_values,
            files=accepted.inputs,
            estimate=estimate(study, accepted.run_times, memory_mb=memory_mb, capacity=LAMBDA_AT_A_TIME),
            remarks=accepted.remarks,
        )

    def _accepted(self, max_variants: int, memory_mb: int) -> CheckedStudy:
        return check_study(self._text.encode(), self._files, Rules(Limits(max_variants, variant_memory_mb=memory_mb)))

    def run(
        self,
        stack: str | Connection = LOCAL,
        *,
        max_variants: int = MAX_VARIANTS,
        memory_mb: int = DEFAULT_MEMORY_MB,
    ) -> "Run":
        """Check the study, upload it and start it; returns at once.

        Args:
            stack: ``local`` for this machine: the stack that ``epsm up`` keeps running, or one started by this
                program, which ends with it; download the results that you need (`Run.download`). Otherwise the name of
                a stack in the AWS account, or a connection to one.
            max_variants, memory_mb: As for `check`.

        Raises:
            StudyRejected: As for `check`.
            NoStack: If there is no such stack, or the local one is not installed.
            EngineMissing: If its EnergyPlus version cannot be installed on this machine.
            StackError: If AWS refuses the upload, or cannot be reached.
        """
        accepted = self._accepted(max_variants, memory_mb)
        return self._start(any_stack(stack, accepted.energyplus), accepted)

    def submit(
        self,
        stack: str | Connection = LOCAL,
        *,
        max_variants: int = MAX_VARIANTS,
        memory_mb: int = DEFAULT_MEMORY_MB,
    ) -> "Run":
        """Check the study, upload it and start it on a stack that keeps running when this program ends.

        As `run`, but without starting a local stack, which would end with this program.

        Args:
            stack: ``local`` for the one that ``epsm up`` keeps running; otherwise as for `run`.
            max_variants, memory_mb: As for `check`.

        Returns:
            The run; its ``simulation_id`` finds it again with ``epsm.connect(stack).run(simulation_id)``.

        Raises:
            StudyRejected, EngineMissing, StackError: As for `run`.
            NoStack: If no such stack is running.
        """
        accepted = self._accepted(max_variants, memory_mb)
        return self._start(lasting_stack(stack, accepted.energyplus), accepted)

    def _start(self, connection: Connection, accepted: CheckedStudy) -> "Run":
        from epsm.client.run import Run

        with stack_errors():
            source = upload_files(
                self._text.encode(),
                self._files,
                self._folder_name,
                accepted.hashes,
                connection,
                lambda name, sent: None,
            )
        return Run(connection, keys.simulation_id(source.bucket, source.key, source.version_id), is_new=True)

    def save(self, folder: str | Path) -> Path:
        """Write the study to a folder: ``study.json`` and every file that it reads.

        Args:
            folder: The folder; created if it does not exist.

        Returns:
            The folder, for ``epsm run`` or `load`.

        Raises:
            StudyRejected: If the study is invalid: the files that it reads are known only for a valid one.
            CannotWrite: If a file cannot be written.
        """
        accepted = self._accepted(MAX_VARIANTS, DEFAULT_MEMORY_MB)
        place = Path(folder)
        contents = {name: self._files.read(name) or b"" for name in accepted.inputs}
        try:
            for name, content in {**contents, MANIFEST_NAME: self._text.encode() + b"\n"}.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(content)
        except OSError as error:
            raise CannotWrite(f"{error.filename or place} cannot be written: {error.strerror or error}") from error
        return place
