"""Reading the results of a finished run: metrics, cells, reduced and monthly values, series."""

import dataclasses
import sqlite3
from pathlib import Path

from epsm.energyplus.verdict import Verdict
from epsm.pipeline.loaded_study import Expectations, LoadedStudy
from epsm.pipeline.simulation import Simulated
from epsm.pipeline.variant_documents import Finished
from epsm.pipeline.variant_files import result_of_full_disk
from epsm.results.cells import read_cells
from epsm.results.hourly_gwp import electricity_gwp_kgco2e
from epsm.results.measure_targets import measure_remarks
from epsm.results.monthly import read_monthly
from epsm.results.quantities import measured_quantities
from epsm.results.reader import ImpossibleResult, Results, read_results
from epsm.results.reduced import read_reduced
from epsm.results.rows import HOURLY_GWP
from epsm.store import keys
from epsm.study.hourly_factors import HourlyFactors
from epsm.study.schema import Outputs


def read_run(ended: Simulated, study: LoadedStudy, requested: Expectations, folder: Path, index: int) -> Finished:
    """The run with its results; as failed if they are impossible, cannot be read or do not fit on the disk.

    Args:
        ended: The run, with results.
        study: The study.
        requested: Of the variant's measures.
        folder: Where the file of its series is written.
        index: Index of the variant.
    """
    finished = Finished(ended.diagnosis, ended.run, None, ended.files)
    outputs = study.manifest.study.outputs
    database = ended.files.output / "eplusout.sql"
    try:
        results = read_results(database, ended.diagnosis.environments)
        remarks = measure_remarks(requested.expected, database)
        quantities = measured_quantities(requested.amounts, database)
        results = _with_hourly_gwp(results, study.hourly_factors, database)
        results = _with_requested(results, outputs, database)
        series, columns, missing = _series(database, outputs, folder / keys.SERIES, index)
    except ImpossibleResult as error:
        return _failed(finished, f"The results are impossible: {error}")
    except sqlite3.Error as error:
        return _failed(finished, f"The results cannot be read: {error}")
    except OSError as error:
        return result_of_full_disk(finished, error)
    results = dataclasses.replace(
        results, measure_remarks=remarks, quantities=quantities, missing=results.missing | missing
    )
    return dataclasses.replace(finished, results=results, series=series, series_columns=columns)


def _failed(finished: Finished, message: str) -> Finished:
    diagnosis = dataclasses.replace(finished.diagnosis, verdict=Verdict.FAILED, message=message)
    return dataclasses.replace(finished, diagnosis=diagnosis)


def _with_hourly_gwp(results: Results, factors: HourlyFactors | None, database: Path) -> Results:
    if factors is None:
        return results
    number, reason = electricity_gwp_kgco2e(database, factors, results.metrics)
    missing = {HOURLY_GWP: f"no operational_gwp_kgco2e: {reason}"} if reason else {}
    return dataclasses.replace(results, electricity_gwp_kgco2e=number, missing=results.missing | missing)


def _with_requested(results: Results, outputs: Outputs, database: Path) -> Results:
    monthly = read_monthly(database) if "monthly" in outputs.tables else ()
    results = dataclasses.replace(results, monthly=monthly)
    for found in (read_cells(database, outputs.cells), read_reduced(database, outputs.reduced)):
        results = dataclasses.replace(
            results,
            metrics=results.metrics | found.numbers,
            texts=results.texts | found.texts,
            missing=results.missing | found.missing,
        )
    return results


def _series(database: Path, outputs: Outputs, path: Path, index: int) -> tuple[Path | None, str, dict[str, str]]:
    """The requested series as a file, a hash of its columns, and a reason for each that the run does not have."""
    requested = (*outputs.meters, *outputs.variables)
    if not requested:
        return None, "", {}
    # pandas and pyarrow: only if series are requested
    from epsm.results.series import missing_series, read_series
    from epsm.results.series_parts import write_part

    series = read_series(database, outputs)
    assert series is not None
    columns = write_part(series, index, path)
    return path, columns, {f"series {name}": reason for name, reason in missing_series(series, requested).items()}
