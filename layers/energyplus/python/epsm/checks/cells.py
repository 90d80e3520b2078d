"""Whether the cells that a study wants as columns can have the names that it gives them."""

from collections.abc import Iterator

from epsm.problems import Problem
from epsm.results.columns import RESERVED
from epsm.study.schema import MANIFEST_NAME, Study


def check_cells(study: Study) -> Iterator[Problem]:
    """The entries of `outputs.cells` whose name is that of another column."""
    parameters = {parameter.name for parameter in study.parameters}
    for index, cell in enumerate(study.outputs.cells):
        if cell.name in RESERVED or cell.name in parameters:
            whose = "a parameter" if cell.name in parameters else "a column that every results table has"
            yield Problem(
                f"{MANIFEST_NAME}: outputs.cells[{index}].name", f"'{cell.name}' is the name of {whose}", "another name"
            )
