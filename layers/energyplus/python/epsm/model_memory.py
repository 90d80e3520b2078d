"""Memory that models need in the functions, and the maximum model size of a stack that follows from it.

Measured by `benchmarks.large_models` in fresh processes on IDF files of 1 to 49 MB (a reference building with its
surfaces, schedules and gains repeated): where every object is edited, editing takes 12.4 MB at its peak for each
megabyte of a file without comments, 5.3 MB with them; where few are, 4.6 MB. epJSON, which is read by Python's own
`json`, takes about 10 MB for each megabyte.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

HANDLER_MB = 350
"""Python with eppy, pandas and a small model; the rest of the memory is the engine's."""
DEFAULT_MEMORY_MB = 1769
"""Memory of the function that runs a variant, unless a stack is deployed with another `memory_mb`."""
MAX_MODEL_BYTES = 50_000_000
"""With any memory: the maximum of any file of a study. Checking it takes up to 9 CPU seconds of the API's 29."""

_IDF_MB_PER_MB = 13
_JSON_MB_PER_MB = 20
_MIN_ENGINE_MB = 350
"""Reserved for the engine besides the largest model."""
_ALWAYS_ACCEPTED_BYTES = 500_000
_KEPT_SHARE = 0.2

Model = TypeVar("Model")


def largest_model_bytes(memory_mb: int, *, epjson: bool = False) -> int:
    """The largest model file that a function can edit, and still run the engine.

    Args:
        memory_mb: Memory of the function that runs a variant, MiB.
        epjson: Whether the file is epJSON, else IDF.

    >>> largest_model_bytes(1769), largest_model_bytes(1024), largest_model_bytes(512)
    (50000000, 24900000, 500000)
    """
    per_mb = _JSON_MB_PER_MB if epjson else _IDF_MB_PER_MB
    fits_mb = (memory_mb - HANDLER_MB - _MIN_ENGINE_MB) / per_mb
    rounded = int(fits_mb * 10) * 100_000
    return min(MAX_MODEL_BYTES, max(_ALWAYS_ACCEPTED_BYTES, rounded))


def is_epjson(name: str) -> bool:
    """Whether a model is read as epJSON, by its name."""
    return name.lower().endswith(".epjson")


def edited_mb(name: str, size_bytes: int) -> float:
    """Maximum memory of a model that is cached for editing, MB."""
    return (_JSON_MB_PER_MB if is_epjson(name) else _IDF_MB_PER_MB) * size_bytes / 1e6


class KeptModels(Generic[Model]):
    """A cache of parsed models, limited by their size."""

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}
        self._mb: dict[str, float] = {}

    def clear(self) -> None:
        self._models.clear()
        self._mb.clear()

    def get(
        self, name: str, read: Callable[[], bytes], parse: Callable[[bytes], Model], engine_limit_mb: float | None
    ) -> Model:
        """The model of that name, parsed if it is not cached.

        Args:
            name: Its path in the study.
            read: Returns its content.
            parse: Parses it.
            engine_limit_mb: The engine's memory limit, MiB, if any.
        """
        if name not in self._models:
            content = read()
            self._mb[name] = edited_mb(name, len(content))
            # Evicted before the next one is parsed: otherwise both would have to fit.
            if sum(self._mb.values()) > kept_models_mb(engine_limit_mb):
                self._models.clear()
                self._mb = {name: self._mb[name]}
            self._models[name] = parse(content)
        return self._models[name]


def kept_models_mb(engine_limit_mb: float | None) -> float:
    """Maximum memory of all cached models besides an engine with that limit, MB."""
    return _KEPT_SHARE * (DEFAULT_MEMORY_MB - HANDLER_MB if engine_limit_mb is None else engine_limit_mb)


def left_for_the_engine_mb(engine_limit_mb: float) -> float:
    """The engine's limit, less this process's memory beyond `HANDLER_MB`, MiB."""
    return engine_limit_mb - max(0.0, _resident_mb() - HANDLER_MB)


def _resident_mb() -> float:
    """Resident size of this process, MiB; 0 if the system does not report it."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
