"""Trying a model on one day: how a trial ends, and what follows for the model. With the real engine."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyenergyplus
import pytest

from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import prepare
from epsm.pipeline.preflight import try_variants
from epsm.pipeline.simulation import ReadyModel, RunLimits
from epsm.pipeline.workspace import Workspace
from epsm.store.files import Files
from epsm.study.manifest import ObjectRef
from epsm.study.preflight import Trial, variants_to_try
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.fakes import fake
from tests.unit.manifests import manifest_of

INSULATION = {
    "name": "insulation_m",
    "class": "Material",
    "object": "Wall Insulation",
    "field": "Thickness",
    "values": [0.1, 0.2],
}
SLOW = Path(pyenergyplus.__file__).parent / "data" / "model" / "ASHRAE901_Hospital_STD2019_Denver.idf"
Try = Callable[..., Trial | None]


@pytest.fixture
def attempt(engine: Engine, chicago: Path, tmp_path: Path) -> Try:
    """Tries a model; keyword arguments are `try_variants`'s, and `installed`, `options`, `parameters`."""
    workspace = Workspace(tmp_path / "runs", Files(fake(None), ""))
    workspace.kept.mkdir(parents=True)

    def kept(name: str, content: bytes) -> ObjectRef:
        digest = hashlib.sha256(content).hexdigest()
        (workspace.kept / digest).write_bytes(content)
        return ObjectRef(bucket="", key=name, version_id="", sha256=digest, bytes=len(content))

    def act(model: str | bytes, **changes: Any) -> Trial | None:
        content = model if isinstance(model, bytes) else model.encode()
        parameters = changes.pop("parameters", [INSULATION])
        study = Study.model_validate(study_document(parameters=parameters, options=changes.pop("options", {})))
        inputs = {"room.idf": kept("room.idf", content), "chicago.epw": kept("epw", chicago.read_bytes())}
        manifest = manifest_of(study, simulation_id="tried", inputs=inputs)
        limits = RunLimits(changes.pop("seconds_left", lambda: 600.0), None, changes.pop("should_stop", lambda: False))
        prepared = prepare(content, "room.idf", study, engine.idd)
        ready = ReadyModel(manifest, prepared, changes.pop("installed", engine), workspace)
        return try_variants(ready, variants_to_try(study, 0), limits, changes.pop("keep", lambda path: None))

    return act


def test_a_cancelled_trial_says_nothing(attempt: Try) -> None:
    # A small model may end before the run first asks whether it was cancelled.
    assert attempt(SLOW.read_bytes(), parameters=[], should_stop=lambda: True) is None


def test_a_trial_for_which_the_function_has_no_time_is_not_tried(attempt: Try) -> None:
    """The next attempt, or the variants themselves, have more."""
    trial = attempt(SLOW.read_bytes(), parameters=[], seconds_left=lambda: 0.0)
    assert trial is not None
    assert trial.outcome == "not tried"
    assert trial.why.startswith("timed out: The run was ended after 1 s")


def test_a_trial_that_takes_longer_than_the_study_lets_a_run_take_has_failed(attempt: Try) -> None:
    trial = attempt(SLOW.read_bytes(), parameters=[], options={"timeout_s": 1})
    assert trial is not None
    assert (trial.outcome, trial.why[:10]) == ("failed", "timed out:")


def test_a_trial_that_fills_the_disk_is_not_tried(attempt: Try, engine: Engine, one_zone: str, tmp_path: Path) -> None:
    limited = tmp_path / "limited"
    limited.write_text(f"#!/bin/sh\ntrap '' XFSZ\nulimit -f 400\nexec '{engine.executable}' \"$@\"\n")
    limited.chmod(0o755)
    trial = attempt(one_zone, installed=dataclasses.replace(engine, executable=limited))
    assert trial is not None
    assert (trial.outcome, trial.why[:10]) == ("not tried", "disk full:")


def test_a_model_that_only_its_parameters_make_whole_passes(attempt: Try, one_zone: str) -> None:
    kept: list[str] = []
    broken = one_zone.replace("  0.05, ", "  @@thickness@@, ", 1)
    trial = attempt(broken, keep=lambda path: kept.append(path.name))
    assert trial == Trial(0, "passed")
    assert kept == ["in.idf", "eplusout.err"]  # the baseline was tried, and failed


def test_a_model_that_no_variant_makes_whole_has_failed_with_the_baselines_reason(attempt: Try, one_zone: str) -> None:
    trial = attempt(one_zone + "\nZone,Without Surfaces;\n")
    assert trial is not None
    assert trial.outcome == "failed"
    assert "No surfaces in enclosure=WITHOUT SURFACES" in trial.why
