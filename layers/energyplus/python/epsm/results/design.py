"""The design of a study as a table: `design.parquet`, for the analysis of its results."""

import json
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from epsm.study.sampling import InUnitCube
from epsm.study.sampling.correlations import Correlated
from epsm.study.schema import Study

SAMPLING = "sampling"
"""Key of the frame's `attrs` for the sampling: method, seed, and whether the parameters are correlated."""
_AT_A_TIME = 20_000
_ATTRS = b"PANDAS_ATTRS"
"""Key of the Parquet metadata in which pandas stores a frame's `attrs`."""


def write_design(study: Study, path: Path) -> None:
    """Write the samples of each model and weather file: one row per sample, without sample 0, the baseline.

    Columns are `sample` (variant_index is sample + samples per pair x the pair's number), `block` (a base sample of a
    Sobol design, a trajectory of a Morris design), the value of each parameter (empty if the sample does not set it),
    and for methods with a unit cube the coordinate `<name>:unit`. A pandas frame has `attrs["sampling"]`: method, seed
    and whether the parameters are correlated.

    Args:
        study: The study, with its seed.
        path: The file to write.
    """
    design = study.design
    parts = (
        _part(study, range(first, min(first + _AT_A_TIME, design.count)))
        for first in range(0, max(design.count, 1), _AT_A_TIME)
    )
    sampling = study.sampling
    attrs = {
        "method": sampling.method,
        "seed": sampling.seed if isinstance(sampling, InUnitCube) else None,
        "correlated": isinstance(sampling, Correlated) and bool(sampling.correlations),
    }
    first = next(parts)
    schema = first.schema.with_metadata({_ATTRS: json.dumps({SAMPLING: attrs})})
    with pq.ParquetWriter(path, schema) as writer:
        for part in chain([first], parts):
            writer.write_table(part.cast(schema))


def _part(study: Study, indices: range) -> pa.Table:
    """Some samples, which as Python objects take ten times as much memory as in their columns."""
    design = study.design
    samples = [design.sample(index) for index in indices]
    columns: dict[str, pa.Array] = {
        "sample": pa.array([index + 1 for index in indices], pa.int64()),
        "block": pa.array([index // design.block for index in indices], pa.int64()),
    }
    for parameter in study.parameters:
        kind = pa.float64() if study.numeric(parameter) else pa.string()
        values = [sample.get(parameter.name) for sample in samples]
        columns[parameter.name] = pa.array(values if kind == pa.float64() else [_text(value) for value in values], kind)
    if design.unit_row is not None:
        rows = [design.unit_row(index) for index in indices]
        for position, name in enumerate(design.names):
            columns[f"{name}:unit"] = pa.array([row[position] for row in rows], pa.float64())
    return pa.table(columns)


def _text(value: float | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else f"{value:g}"
