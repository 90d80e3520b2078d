"""Results as pandas frames, from a folder on disk or from S3."""

from pathlib import Path
from typing import IO, TYPE_CHECKING

from epsm.client.sources import RESULTS, source_of
from epsm.errors import MissingPackage

if TYPE_CHECKING:
    import pandas as pd

DESIGN = "design.parquet"
ZONES = "zones.parquet"
MONTHLY = "monthly.parquet"


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
    is_table = not str(source).startswith("s3://") and Path(source).is_file()
    return read_parquet(Path(source).open("rb") if is_table else source_of(source).open(RESULTS))


def read_design(source: str | Path) -> "pd.DataFrame":
    """The samples of a study, without the baseline, as docs/results.md describes `design.parquet`.

    One row per sample: `sample`, `block`, a column for each parameter, and `<parameter>:unit`, its coordinate in the
    unit cube, if the method has one.

    Args:
        source: As for `read_results`, a folder or a place in S3.

    Raises:
        NotFound, StackError, MissingPackage: As for `read_results`.
    """
    return read_parquet(source_of(source).open(DESIGN))


def read_zones(source: str | Path) -> "pd.DataFrame":
    """The zones of all variants that succeeded: one row per zone and variant, as docs/results.md describes it.

    Args:
        source: As for `read_results`, a folder or a place in S3.

    Raises:
        NotFound, StackError, MissingPackage: As for `read_results`; the study's ``outputs.tables`` must ask for the
            table.
    """
    return read_parquet(source_of(source).open(ZONES))


def read_monthly(source: str | Path) -> "pd.DataFrame":
    """Energy and peak demand of each month by fuel and end use, of all variants that succeeded.

    Args:
        source: As for `read_results`, a folder or a place in S3.

    Raises:
        NotFound, StackError, MissingPackage: As for `read_results`; the study's ``outputs.tables`` must ask for the
            table.
    """
    return read_parquet(source_of(source).open(MONTHLY))


def read_parquet(content: IO[bytes]) -> "pd.DataFrame":
    """A table in Parquet.

    Raises:
        MissingPackage: If pandas or pyarrow is not installed.
    """
    require_parquet()
    import pandas as pd

    with content:
        return pd.read_parquet(content)


def require_parquet() -> None:
    """Raises `MissingPackage` if pandas or pyarrow is not installed."""
    try:
        import pandas as pd  # noqa: F401
        import pyarrow  # noqa: F401 - pandas reads Parquet with it
    except ImportError as error:
        raise MissingPackage(
            f"reading results needs pandas and pyarrow: pip install pandas pyarrow ({error})"
        ) from None
