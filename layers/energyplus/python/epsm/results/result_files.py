"""The files of a study's results. Aggregate writes them, the API and clients read them, and infra grants the access."""

from collections.abc import Mapping

_BINARY = "application/octet-stream"
_CSV = "text/csv; charset=utf-8"
_JSON = "application/json"

PARETO_FILE = "pareto.json"
"""Pareto ranks by index, beside the table: rows that are read one by one do not have the others."""
OVERVIEW = "overview.json"
RESULT_FILES: Mapping[str, str] = {
    "results.parquet": _BINARY,
    "results.csv": _CSV,
    "sensitivity.json": _JSON,
    "sensitivity.csv": _CSV,
    "report.html": "text/html; charset=utf-8",
    OVERVIEW: _JSON,
    "design.parquet": _BINARY,
    "zones.parquet": _BINARY,
    "monthly.parquet": _BINARY,
    PARETO_FILE: _JSON,
}
"""Names and content types, in the order in which they are listed. Not every study has all of them."""
MANIFEST, ERRORS = "manifest.json", "errors.json"
"""Written by submit."""
