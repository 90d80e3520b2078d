"""The folder that one run works in: the study's layout around the edited model, and an output folder."""

import posixpath
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from epsm.engine import free_disk_mb
from epsm.manifest import ObjectRef, RunManifest
from epsm.store.files import Files
from epsm.variants import Variant
from epsm.weather import statistics_beside

_LEAST_FREE_MB = 100.0


class NoDiskSpace(Exception):
    """The disk is full before the run has begun: the fault of this machine, not of the variant."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one run.

    Attributes:
        model: The edited model, in.idf or in.epJSON, at the place of the original in the study.
        weather: The EPW, in.epw, with its .stat beside it.
        output: What the engine writes goes here.
    """

    model: Path
    weather: Path
    output: Path


class Workspace:
    """Disk for runs: input files kept by content between runs, and one folder a run, removed whatever happens.

    Args:
        root: A folder of this process's own.
        files: Where input files come from.
    """

    def __init__(self, root: Path, files: Files) -> None:
        self._inputs = root / "inputs"
        self._runs = root / "runs"
        self._files = files

    def input(self, ref: ObjectRef) -> Path:
        """An input file, downloaded once, whatever number of variants uses it."""
        path = self._inputs / ref.sha256
        if not path.is_file():
            self._inputs.mkdir(parents=True, exist_ok=True)
            self._files.fetch(ref, path)
        return path

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder for one run.

        Raises:
            NoDiskSpace: If there is no room even without the kept inputs.
        """
        # A killed invocation leaves its run behind, and a warm container keeps its disk.
        shutil.rmtree(self._runs, ignore_errors=True)
        self._runs.mkdir(parents=True)
        if free_disk_mb(self._runs) < _LEAST_FREE_MB:
            shutil.rmtree(self._inputs, ignore_errors=True)
            if free_disk_mb(self._runs) < _LEAST_FREE_MB:
                raise NoDiskSpace(
                    f"{free_disk_mb(self._runs):.0f} MB are free in {self._runs}, {_LEAST_FREE_MB:.0f} are needed"
                )
        with tempfile.TemporaryDirectory(dir=self._runs, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def lay_out(self, folder: Path, manifest: RunManifest, variant: Variant, file_name: str, text: str) -> RunFolder:
        """Write the model and link what it reads, each at its place in the study, so that relative names hold.

        Args:
            folder: From `folder`.
            manifest: The run's manifest.
            variant: Which variant.
            file_name: Name for the model, ``in.idf`` or ``in.epJSON``.
            text: The edited model.
        """
        study = folder / "study"
        home = study / posixpath.dirname(variant.model)
        home.mkdir(parents=True)
        model = home / file_name
        model.write_text(text, encoding="utf-8")
        for name in manifest.external_files.get(variant.model, ()):
            # The model names the file as whoever wrote it did: in NFC, or in NFD as macOS does.
            for written in {name, unicodedata.normalize("NFD", name)}:
                place = study / written
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(self.input(manifest.inputs[name]))
        weather = folder / "in.epw"
        weather.symlink_to(self.input(manifest.inputs[variant.weather]))
        statistics = statistics_beside(variant.weather, manifest.inputs)
        if statistics is not None:
            weather.with_suffix(".stat").symlink_to(self.input(manifest.inputs[statistics]))
        return RunFolder(model, weather, folder / "out")
