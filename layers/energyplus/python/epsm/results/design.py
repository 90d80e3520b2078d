"""The design of a study as a table: `design.parquet`, for the analysis of its results."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from epsm.study.sampling import InUnitCube
from epsm.study.sampling.correlations import Correlated
from epsm.study.schema import Study

SAMPLING = "sampling"
"""Key of the frame's `attrs` for the sampling: method, seed, and whether the parameters are correlated."""
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
    design, samples = study.design, list(study.design.samples())
    columns: dict[str, pa.Array] = {
        "sample": pa.array(range(1, len(samples) + 1), pa.int64()),
        "block": pa.array([index // design.block for index in range(len(samples))], pa.int64()),
    }
    for parameter in study.parameters:
        kind = pa.float64() if study.numeric(parameter) else pa.string()
        values = [sample.get(parameter.name) for sample in samples]
        columns[parameter.name] = pa.array(values if kind == pa.float64() else [_text(value) for value in values], kind)
    if design.unit_row is not None:
        rows = [design.unit_row(index) for index in range(len(samples))]
        for position, name in enumerate(design.names):
            columns[f"{name}:unit"] = pa.array([row[position] for row in rows], pa.float64())
    sampling = study.sampling
    attrs = {
        "method": sampling.method,
        "seed": sampling.seed if isinstance(sampling, InUnitCube) else None,
        "correlated": isinstance(sampling, Correlated) and bool(sampling.correlations),
    }
    pq.write_table(pa.table(columns).replace_schema_metadata({_ATTRS: json.dumps({SAMPLING: attrs})}), path)


def _text(value: float | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else f"{value:g}"
