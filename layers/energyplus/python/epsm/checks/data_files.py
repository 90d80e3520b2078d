"""Other files that a model reads: lookup tables, imported shading, WINDOW data files, ASHRAE 205 representations.

Behaviour of the engine (CurveManager.cc, ScheduleManager.cc, HeatBalanceManager.cc, 25.2, confirmed by runs): from a
cell of a lookup table it reads the leading number and skips cells without one; the number of grid points must match the
number of outputs. Imported shading has exactly a year of rows after one line of surface names; a surface without a
column is not shaded. A WINDOW data file begins with "Window5" and names the construction.
"""

from collections.abc import Iterator, Sequence

from epsm.checks.representations import KINDS, check_representations
from epsm.checks.table_text import Read, begins_with_number, field_text, is_number, lines_of, place_in, shown
from epsm.checks.time_steps import time_steps
from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldPlace
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.problems import Problem
from epsm.study.parameters import Dimension
from epsm.text import fold_name

_YEAR_H, _LEAP_YEAR_H = 8_760, 8_784
_VARIABLE, _LOOKUP, _LIST = "Table:IndependentVariable", "Table:Lookup", "Table:IndependentVariableList"
_SHADING, _WINDOW = "Schedule:File:Shading", "Construction:WindowDataFile"
CLASSES = (_VARIABLE, _LOOKUP, _SHADING, _WINDOW, *KINDS)


def check_data_files(
    outline: ModelOutline, source: str, read: Read, parameters: Sequence[Dimension] = ()
) -> list[Problem]:
    """Faults of the files that a model's tables, shading, WINDOW constructions, chillers and coils read.

    Args:
        outline: The model.
        source: Its path in the study.
        read: Returns the content of a file that the model names.
        parameters: The parameters of the study.
    """
    varied = {fold_name(target.class_name) for parameter in parameters for target in parameter.all_targets}
    problems: list[Problem] = []
    if not varied & {fold_name(name) for name in (_VARIABLE, _LOOKUP, _LIST)}:
        problems += _check_lookup_tables(outline, source, read)
    for model_object in outline.of_class(_SHADING):
        if found := read(field_text(model_object, "File Name")):
            problems += _check_shading(*found, time_steps(outline, parameters))
    for model_object in outline.of_class(_WINDOW):
        name = field_text(model_object, "File Name")
        if name and (found := read(name)):
            problems += _check_window(*found, model_object.name)
    problems += check_representations(outline, read)
    return problems


def _check_lookup_tables(outline: ModelOutline, source: str, read: Read) -> Iterator[Problem]:
    columns: dict[str, list[float]] = {}
    for table_object in [*outline.of_class(_VARIABLE), *outline.of_class(_LOOKUP)]:
        name = field_text(table_object, "External File Name")
        if not name:
            columns[_key(table_object)] = _own_values(table_object)
        elif found := read(name):
            values = _column(table_object, *found)
            if isinstance(values, Problem):
                yield values
                continue
            ascending = list(dict.fromkeys(values)) == sorted(set(values))
            if table_object.class_name.casefold() == _VARIABLE.casefold() and not ascending:
                # The engine sorts the values but not the outputs: at x = 1 it returns the output for x = 3.
                number = field_text(table_object, "External File Column Number") or 1
                fault = (
                    f"column {number}, which {table_object.class_name} '{table_object.name}' reads, is not ascending"
                )
                yield Problem(found[0], fault, "values in ascending order")
            else:
                columns[_key(table_object)] = values
    for model_object in outline.of_class(_LOOKUP):
        variables = _variables(model_object, outline)
        outputs = columns.get(_key(model_object))
        grid = [columns.get(f"{fold_name(_VARIABLE)} {name}") for name in variables]
        if not variables or outputs is None or not field_text(model_object, "External File Name"):
            continue
        needed = 1
        for points in grid:
            needed *= len(set(points or ()))
        if needed and len(outputs) != needed:
            points_and_outputs = f"{len(outputs):,} outputs, and its variables have {needed:,} grid points"
            fault = f"{_LOOKUP} '{model_object.name}' has {points_and_outputs}"
            yield Problem(place_in(model_object, source), fault, f"{needed:,} outputs")


def _key(model_object: ModelObject) -> str:
    return f"{fold_name(model_object.class_name)} {fold_name(model_object.name)}"


def _variables(lookup: ModelObject, outline: ModelOutline) -> list[str]:
    list_name = fold_name(field_text(lookup, "Independent Variable List Name"))
    for model_object in outline.of_class(_LIST):
        if fold_name(model_object.name) == list_name:
            return [fold_name(str(value)) for value in _repeated(model_object) if str(value).strip()]
    return []


def _own_values(model_object: ModelObject) -> list[float]:
    return [float(value) for value in _repeated(model_object) if is_number(str(value))]


def _repeated(model_object: ModelObject) -> Iterator[float | str]:
    """The values of a class's repeated field."""
    rule = dictionary.load().find_class(model_object.class_name)
    assert rule is not None
    for group in range(model_object.group_count(rule)):
        place = FieldPlace(rule.repeats[0], len(rule.fields) + group, group)
        value = model_object.value(place)
        if value is not None:
            yield value


def _column(model_object: ModelObject, path: str, content: bytes) -> list[float] | Problem:
    """The numbers of a lookup table's column, or its faults."""
    owner = f"{model_object.class_name} '{model_object.name}'"
    try:
        column = int(float(field_text(model_object, "External File Column Number") or 1))
        start = int(float(field_text(model_object, "External File Starting Row Number") or 1))
    except (ValueError, OverflowError):
        return Problem(path, f"{owner} does not say which column and row it reads", "whole numbers")
    lines = lines_of(content)
    width = max((len(line.split(",")) for line in lines), default=0)
    if column > width:
        return Problem(path, f"has {width} columns, and {owner} reads column {column}", "columns separated by commas")
    if start > len(lines):
        return Problem(path, f"has {len(lines):,} rows, and {owner} starts at row {start:,}", "an existing row")
    values = []
    for number, line in enumerate(lines[start - 1 :], start=start):
        if not line.strip():
            continue
        cells = line.split(",")
        cell = cells[column - 1].strip() if column <= len(cells) else ""
        if is_number(cell):
            values.append(float(cell))
        elif number > start or begins_with_number(cell):
            return Problem(f"{path}: line {number}", f"column {column}, which {owner} reads, {shown(cell)}", "a number")
    return values


def _check_shading(path: str, content: bytes, steps: Sequence[int]) -> Iterator[Problem]:
    lines = lines_of(content)
    header = [cell.strip() for cell in (lines[0] if lines else "").rstrip(",").split(",")]
    if len(header) < 2 or any(is_number(cell) for cell in header):
        found = f"begins with '{lines[0][:40]}'" if lines else "is empty"
        yield Problem(f"{path}: line 1", found, "a line of surface names, separated by commas, after a first column")
        return
    rows = lines[1:]
    for number in steps:
        needed = (_YEAR_H * number, _LEAP_YEAR_H * number)
        if len(rows) not in needed:
            fault = (
                f"has {len(rows):,} rows after its header, and {_SHADING} with Timestep {number} needs {needed[0]:,}"
            )
            yield Problem(path, fault, f"{needed[0]:,}, or {needed[1]:,} in a leap year")
            return
    for number, row in enumerate(rows, start=2):
        cells = row.split(",")
        if len(cells) < len(header):
            fault = f"has {len(cells)} columns, and the header has {len(header)}"
            yield Problem(f"{path}: line {number}", fault, f"{len(header)} columns")
            return
        for column, cell in enumerate(cells[1 : len(header)], start=2):
            if not is_number(cell.strip()):
                fault = f"column {column}, the sunlit fraction of {header[column - 1]}, {shown(cell.strip())}"
                yield Problem(f"{path}: line {number}", fault, "a number")
                return


def _check_window(path: str, content: bytes, construction: str) -> Iterator[Problem]:
    lines = lines_of(content)
    if not lines or not fold_name(lines[0]).startswith("window5"):
        found = f"begins with '{lines[0][:40]}'" if lines else "is empty"
        yield Problem(f"{path}: line 1", found, "a WINDOW data file for EnergyPlus: 'Window5 Data File for EnergyPlus'")
        return
    names = [line.partition(":")[2].strip() for line in lines if fold_name(line).startswith("window name")]
    if fold_name(construction) not in map(fold_name, names):
        listed = ", ".join(f"'{name}'" for name in names[:5])
        yield Problem(path, f"has no window called '{construction}', which {_WINDOW} reads", listed or "its window")
