"""Results as pandas frames, from a folder on disk or from S3."""

import io
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from epsm.errors import MissingPackage, NotFound
from epsm.text import fold_name, nearest

if TYPE_CHECKING:
    import pandas as pd

RESULTS = "results.parquet"
DESIGN = "design.parquet"
ZONES = "zones.parquet"
MONTHLY = "monthly.parquet"
SERIES = "variants/{}/series.parquet"
_OF_EVERY_SERIES = ("environment", "interval_start", "interval_end")


def read_results(source: str | Path) -> "pd.DataFrame":
    """The results table of a study: one row per variant, failed ones too.

    Args:
        source: The folder of the results (``results/my-study``), the table itself (``results.parquet``), or where they
            are in S3 (``s3://bucket/runs/<simulation>/``), read with the usual AWS settings.

    Returns:
        The columns of docs/results.md; energy in kWh, intensities in kWh/m2.

    Raises:
        NotFound: If there is no such table.
        StackError: If S3 refuses, or cannot be reached.
        MissingPackage: If pandas is not installed.
    """
    return read_parquet(_open(source, RESULTS))


def read_design(source: str | Path) -> "pd.DataFrame":
    """The samples of a study, without the baseline, as docs/results.md describes `design.parquet`.

    One row per sample: `sample`, `block`, a column for each parameter, and `<parameter>:unit`, its coordinate in the
    unit cube, if the method has one.

    Args:
        source: As for `read_results`, a folder or a place in S3.

    Raises:
        NotFound, StackError, MissingPackage: As for `read_results`.
    """
    return read_parquet(_open(source, DESIGN))


def read_zones(source: str | Path) -> "pd.DataFrame":
    """The zones of all variants that succeeded: one row per zone and variant, as docs/results.md describes it.

    Args:
        source: As for `read_results`, a folder or a place in S3.

    Raises:
        NotFound, StackError, MissingPackage: As for `read_results`; the study's ``outputs.tables`` must ask for the
            table.
    """
    return read_parquet(_open(source, ZONES))


def read_monthly(source: str | Path) -> "pd.DataFrame":
    """Energy and peak demand of each month by fuel and end use, of all variants that succeeded.

    Args:
        source: As for `read_results`, a folder or a place in S3.

    Raises:
        NotFound, StackError, MissingPackage: As for `read_results`; the study's ``outputs.tables`` must ask for the
            table.
    """
    return read_parquet(_open(source, MONTHLY))


def read_series(source: str | Path, variant: int, name: str | None = None) -> "pd.DataFrame":
    """The time series of one variant: the meters and variables in the study's ``outputs``.

    Args:
        source: As for `read_results`; a folder must hold the files of the variants.
        variant: Index of the variant (``variant_index`` in the table).
        name: A meter, or a variable for all its keys or with one (``ROOM: Zone Mean Air Temperature``), in any case;
            all if it is not given.

    Returns:
        One row per interval: ``environment``, ``interval_start`` and ``interval_end`` (local standard time), then a
        column for each series with its unit in brackets; energy in kWh.

    Raises:
        NotFound: If the variant has no series, or none of that name.
        StackError, MissingPackage: As for `read_results`.
    """
    return only_series(read_parquet(_open(source, SERIES.format(variant))), name)


def only_series(frame: "pd.DataFrame", name: str | None) -> "pd.DataFrame":
    """The columns of one meter or variable, after those of the intervals; everything for None.

    Raises:
        NotFound: If there is none of that name.
    """
    if name is None:
        return frame
    labels = {column: column.rpartition(" [")[0] for column in frame.columns if column not in _OF_EVERY_SERIES}
    folded = fold_name(name)
    found = [column for column, label in labels.items() if folded in _names_of(label)]
    if not found:
        known = nearest(name, labels.values())
        raise NotFound(f"there is no series '{name}'" + (f"; there is {known}" if known else ""))
    return frame[[*_OF_EVERY_SERIES, *found]]


def _names_of(label: str) -> set[str]:
    """The names by which a series is found.

    >>> sorted(_names_of("ROOM: Zone Mean Air Temperature"))
    ['room: zone mean air temperature', 'zone mean air temperature']
    """
    return {fold_name(label), fold_name(label.rpartition(": ")[2])}


def read_parquet(content: IO[bytes]) -> "pd.DataFrame":
    """A table in Parquet.

    Raises:
        MissingPackage: If pandas or pyarrow is not installed.
    """
    try:
        import pandas as pd
        import pyarrow  # noqa: F401 - pandas reads it with pyarrow
    except ImportError as error:
        raise MissingPackage(
            f"reading results needs pandas and pyarrow: pip install pandas pyarrow ({error})"
        ) from None
    with content:
        return pd.read_parquet(content)


def _open(source: str | Path, name: str) -> IO[bytes]:
    if isinstance(source, str) and source.startswith("s3://"):
        return _open_s3(source, name)
    path = Path(source)
    path = path if path.is_file() and name == RESULTS else path / name
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{path} does not exist") from None


def _open_s3(url: str, name: str) -> IO[bytes]:
    import boto3

    from epsm.client.aws_faults import stack_errors
    from epsm.store.files import Files

    place = urlsplit(url)
    folder = place.path.strip("/").removesuffix(RESULTS).strip("/")
    with stack_errors():
        s3 = boto3.Session(region_name=os.environ.get("AWS_REGION") or None).client("s3")
        return io.BytesIO(Files(s3, place.netloc).open_result(f"{folder}/{name}".lstrip("/")).read())
