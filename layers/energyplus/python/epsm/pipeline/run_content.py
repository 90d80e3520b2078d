"""The content of a run: all that its results depend on, as one hash.

Two runs with the same hash give the same results; everything that could change a number is in it. A change of its parts
or their format changes every hash, so that earlier results are no longer found: `FORM` is raised then, and the test
vectors are updated.
"""

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import epsm
from epsm.energyplus.weather import statistics_beside
from epsm.study.manifest import RunManifest
from epsm.study.variants import Variant

FORM = 1


def content_key(
    manifest: RunManifest,
    variant: Variant,
    model: str,
    file_name: str,
    engine_build: str,
    expected: Mapping[str, Sequence[object]],
    library: str = "",
) -> str:
    """SHA-256 of a run's content, hexadecimal.

    Args:
        manifest: The run's manifest.
        variant: The variant.
        model: Text of the model as it runs, edited and with its outputs requested.
        file_name: Name of the model as it runs, which says its format.
        engine_build: The engine's version with its build.
        expected: Coefficients that measures ask for, by measure: remarks on the results compare with them.
        library: Hash of the library; the one of this process by default.
    """
    study, inputs = manifest.study, manifest.inputs
    external = manifest.files_of(variant)
    statistics = statistics_beside(variant.weather, inputs)
    hourly = study.impact.hourly_electricity if study.impact else None
    content = {
        "form": FORM,
        "model": hashlib.sha256(model.encode()).hexdigest(),
        "file_name": file_name,
        # Names of external files are relative to the model's folder.
        "folder": posixpath.dirname(variant.model) if external else "",
        "external_files": {name: inputs[name].sha256 for name in external},
        "weather": inputs[variant.weather].sha256,
        "statistics": inputs[statistics].sha256 if statistics else None,
        "run_period": study.options.run_period,
        "outputs": study.outputs.model_dump(mode="json", exclude_defaults=True),
        "expected": {name: [repr(value) for value in values] for name, values in expected.items() if values},
        **({"hourly_electricity": [inputs[hourly.file].sha256, hourly.column]} if hourly else {}),
        "engine": engine_build,
        "library": library or library_hash(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def library_hash() -> str:
    """SHA-256 of the source of the library, which edits models, starts the engine and reads its results."""
    root = Path(epsm.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
