"""How much memory models take in the functions, and so how large a model a stack accepts.

Measured in fresh processes on IDF files of 1 to 10 MB (a reference building with its surfaces, schedules and gains
repeated): eppy takes 140 to 230 MB for the first megabyte and up to 330 MB for each. Files without comments take most.
epJSON, which is read by Python's own `json`, takes some 10 MB for each megabyte.
"""

from pathlib import Path

HANDLER_MB = 350
"""Python with eppy, pandas and a small model; what remains of the memory is the engine's."""
DEFAULT_MEMORY_MB = 1769
"""Memory of the function that runs a variant, unless a stack is deployed with another `memory_mb`."""
LARGEST_MODEL_BYTES = 25_000_000
"""Whatever the memory: checking takes the API half of its 29 s then (some 0.5 s for each megabyte)."""

_EPPY_MB_PER_MB = 330
_JSON_MB_PER_MB = 20
_SMALLEST_ENGINE_MB = 350
"""Kept for the engine beside the largest model."""
_ALWAYS_ACCEPTED_BYTES = 500_000
_KEPT_SHARE = 0.2


def largest_model_bytes(memory_mb: int, *, epjson: bool = False) -> int:
    """The largest model file that a function can edit, and still run the engine.

    Args:
        memory_mb: Memory of the function that runs a variant, MiB.
        epjson: Whether the file is epJSON, else IDF.

    >>> largest_model_bytes(1769), largest_model_bytes(512), largest_model_bytes(10_240)
    (3200000, 500000, 25000000)
    """
    per_mb = _JSON_MB_PER_MB if epjson else _EPPY_MB_PER_MB
    fits_mb = (memory_mb - HANDLER_MB - _SMALLEST_ENGINE_MB) / per_mb
    rounded = int(fits_mb * 10) * 100_000
    return min(LARGEST_MODEL_BYTES, max(_ALWAYS_ACCEPTED_BYTES, rounded))


def is_epjson(name: str) -> bool:
    """Whether a model is read as epJSON, by its name."""
    return name.lower().endswith(".epjson")


def edited_mb(name: str, size_bytes: int) -> float:
    """What a model takes at most while it is kept for editing, MB."""
    return (_JSON_MB_PER_MB if is_epjson(name) else _EPPY_MB_PER_MB) * size_bytes / 1e6


def kept_models_mb(engine_limit_mb: float | None) -> float:
    """How much parsed models may take together beside an engine with that limit, MB."""
    return _KEPT_SHARE * (DEFAULT_MEMORY_MB - HANDLER_MB if engine_limit_mb is None else engine_limit_mb)


def left_for_the_engine_mb(engine_limit_mb: float) -> float:
    """The engine's limit, less what this process has taken beyond `HANDLER_MB`, MiB."""
    return engine_limit_mb - max(0.0, _resident_mb() - HANDLER_MB)


def _resident_mb() -> float:
    """Resident size of this process, MiB; 0 where the system does not tell."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
