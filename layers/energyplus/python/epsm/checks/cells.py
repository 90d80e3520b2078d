"""Whether the cells and reduced series of a study fit its other columns and its models."""

from collections.abc import Iterator

from epsm.energyplus.model_reader import ModelOutline
from epsm.problems import Problem
from epsm.results.columns import RESERVED
from epsm.results.comparison import own_columns
from epsm.study.limits import MAX_TABLES_VARIANTS
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.text import fold_name, nearest

_SCHEDULES = ("Schedule:Compact", "Schedule:Year", "Schedule:Constant", "Schedule:File")

_MAX_ZONE_ROWS = 10_000_000
"""Of a model in zones.parquet: what the function that writes it can read within its time."""


def check_cells(study: Study) -> Iterator[Problem]:
    """Names in `outputs.cells` and `outputs.reduced` that are already the name of another column; too many variants for
    `outputs.tables`."""
    if study.outputs.tables and study.variant_count > MAX_TABLES_VARIANTS:
        tables = " and ".join(study.outputs.tables)
        fault = f"asks for {tables} of {study.variant_count:,} variants"
        yield Problem(f"{MANIFEST_NAME}: outputs.tables", fault, f"at most {MAX_TABLES_VARIANTS:,}, or no tables")
    parameters = {parameter.name for parameter in study.parameters}
    cells = [cell.name for cell in study.outputs.cells]
    taken = RESERVED | own_columns(study)
    names = [(f"cells[{index}]", name) for index, name in enumerate(cells)]
    names += [(f"reduced[{index}]", series.name) for index, series in enumerate(study.outputs.reduced)]
    for place, name in names:
        where = f"{MANIFEST_NAME}: outputs.{place}.name"
        if name in taken or name in parameters:
            column = "a column that every results table has" if name in RESERVED else "another column"
            owner = "a parameter" if name in parameters else column
            yield Problem(where, f"'{name}' is the name of {owner}", "another name")
        elif place.startswith("reduced") and name in cells:
            yield Problem(where, f"'{name}' is the name of an entry of outputs.cells", "another name")


def check_reduced_on(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    """Schedules of `outputs.reduced` that a model does not have, where EnergyPlus stops; too many rows of zones."""
    zones = len(outline.of_class("Zone")) * study.variant_count // len(study.models)
    if "zones" in study.outputs.tables and zones > _MAX_ZONE_ROWS:
        fault = f"asks for {zones:,} rows of zones of {source}"
        yield Problem(f"{MANIFEST_NAME}: outputs.tables", fault, f"at most {_MAX_ZONE_ROWS:,}, or no 'zones'")
    names = {
        fold_name(model_object.name): model_object.name
        for kind in _SCHEDULES
        for model_object in outline.of_class(kind)
    }
    for index, series in enumerate(study.outputs.reduced):
        if series.schedule is not None and fold_name(series.schedule) not in names:
            where = f"{MANIFEST_NAME}: outputs.reduced[{index}].schedule"
            yield Problem(
                where, f"{source} has no schedule '{series.schedule}'", nearest(series.schedule, names.values())
            )
