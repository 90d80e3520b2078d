"""The files of a study's results. Aggregate writes them, the API and clients read them, and infra grants the access."""

from collections.abc import Mapping

_BINARY = "application/octet-stream"
_CSV = "text/csv; charset=utf-8"
_JSON = "application/json"

PARETO_FILE = "pareto.json"
"""Pareto ranks by index, beside the table: rows that are read one by one do not have the others."""
RANKS_FILE = "pareto-ranks.bin"
"""The same in four bytes for each variant, little-endian, 0 for none: the API reads those of a page. Not downloaded."""
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
COLLECTED_FILES: Mapping[str, str] = {**RESULT_FILES, RANKS_FILE: _BINARY}
"""All that are written at a study's end."""
MANIFEST, ERRORS = "manifest.json", "errors.json"
"""Written by submit."""
