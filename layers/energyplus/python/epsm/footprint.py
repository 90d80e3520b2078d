"""What a variant leaves in S3, DynamoDB and the logs: bytes and requests, for estimates of time and cost."""

from collections.abc import Sequence

PACK_VARIANTS, PACK_BYTES, PACK_SECONDS = 64, 16 * 2**20, 10.0
"""A batch stores the small files of its variants in one object, a pack, when it has that many variants or bytes, or
when it stored the last one so long ago."""
MAX_PACKED_BYTES = 2**20
"""Size of the largest file in a pack; larger ones are objects of their own."""
RUNNING_AFTER_S = 3.0
"""A variant of a batch is recorded as running once it has run for this time: many end earlier."""
LOG_BYTES = 1300
"""Of a variant; 1,235 bytes were measured on the local stack, without the lines of a cold start."""
_WRITES_OF_A_START, _WRITES_OF_AN_END, _WRITES_OF_KEPT_RESULTS = 1, 2, 1
"""Write units: two for the 1.7 KB of a variant that has ended, and one for its results, which later studies find by
it."""
_BYTES = {
    "sql": (0, 550_000), "htm": (330_000, 15_000), "eio": (5_000, 11_000), "err": (1_000, 1_000),
    "csv": (100_000, 600_000), "eso": (200_000, 850_000), "mtr": (400_000, 100_000), "audit": (3_000, 500),
    "rdd": (30_000, 0), "mdd": (10_000, 0), "documents": (15_000, 8_000),
}  # fmt: skip
"""Size of a kept file: of any model, and of each zone besides. Measured on years of one zone, of the small reference
office with six and of the large one with 19, whose own hourly outputs are most of it: sql.gz 0.24, 4.5 and 10.0 MB.
`documents` are the model, the results and others that are always stored (`benchmarks.footprint`)."""
_DOCUMENTS = 2
_SERIES_BYTES = 45_000
"""Of an hourly meter, or variable of one key, for a year."""
_SECONDS_PER_ZONE, _MAX_ZONES = 4.0, 30.0
"""For the number of zones from the run time; very long runs have small time steps rather than very many zones."""


def stored_bytes(engine_seconds: float, keep: Sequence[str], meters: int, variables: int) -> float:
    """Rough size of the files of a variant.

    Args:
        engine_seconds: Run time of its model.
        keep: The files that its study keeps.
        meters, variables: Numbers of requested series; a variable has one for each zone.
    """
    zones = _zones(engine_seconds)
    files = sum(_bytes(name, zones) for name in ("documents", *keep))
    return files + _SERIES_BYTES * (meters + zones * variables)


def large_files(engine_seconds: float, keep: Sequence[str], *, series: bool) -> int:
    """Number of a variant's files that are too large for a pack; the file of its series always is an object."""
    return sum(_bytes(name, _zones(engine_seconds)) > MAX_PACKED_BYTES for name in keep) + series


def puts_of_a_variant(keep: Sequence[str], *, series: bool) -> int:
    """PUT requests of a variant that runs alone: each of its files is an object."""
    return _DOCUMENTS + len(keep) + series


def puts_of_a_batch(variants: float, seconds: float, large: int) -> float:
    """PUT requests of a batch.

    Args:
        variants: Its variants.
        seconds: How long it takes.
        large: `large_files` of each variant.
    """
    packs = max(1.0, min(variants, max(variants / PACK_VARIANTS, seconds / PACK_SECONDS)))
    return packs + variants * large


def record_writes(engine_seconds: float, *, batched: bool) -> int:
    """Write units of a variant's record."""
    marked = not batched or engine_seconds > RUNNING_AFTER_S
    return _WRITES_OF_AN_END + (_WRITES_OF_A_START if marked else 0)


def writes_of_a_variant(engine_seconds: float, *, batched: bool) -> int:
    """All write units of a variant."""
    return record_writes(engine_seconds, batched=batched) + _WRITES_OF_KEPT_RESULTS


def _zones(engine_seconds: float) -> float:
    return min(_MAX_ZONES, max(1.0, engine_seconds / _SECONDS_PER_ZONE))


def _bytes(name: str, zones: float) -> float:
    fixed, of_zone = _BYTES[name]
    return fixed + zones * of_zone
