"""Tables that a model reads from files: whether Schedule:File finds all the rows and numbers that it needs.

Behaviour of the engine (ScheduleManager.cc and CsvParser.cc, 25.2): it reads 365 days of values from the column, or 366
if there are enough for a leap year, without a bounds check: after the last row it reads unrelated memory. Further rows
are ignored, so a file of quarter hours read as hours gives the first three months. A row shorter than the first ends
the run, and so does a value outside the schedule's limits. A file is parsed once, with the separator and the skipped
rows of the first object that names it; other objects get that table.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from epsm.checks.table_text import Read, field_text, is_number, lines_of, place_in, shown
from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.targets import selected_objects
from epsm.problems import Problem
from epsm.study.parameters import Dimension
from epsm.study.targets import Target
from epsm.text import fold_name

_CLASS = "Schedule:File"
_YEAR_H, _LEAP_YEAR_H = 8_760, 8_784
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " "}
_NOT_TEXT = (".json", ".epjson", ".jsonin", ".cbor", ".msgpack", ".ubjson", ".bson")
"""Extensions of files that the engine reads as JSON or its binary forms; their tables are not checked here."""
_ITEMS_AN_HOUR = (2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
_FIELDS = ("Column Number", "Rows to Skip at Top", "Number of Hours of Data", "Column Separator", "Minutes per Item")
_MAX_USES = 100
_WHOLE_PAIR = re.compile(r"\s*[+-]?\d+,\d+\s*")


@dataclass(frozen=True, slots=True)
class _Use:
    """How one Schedule:File reads its file."""

    column: int
    skip: int
    hours: float
    separator: str
    minutes_per_item: int
    limits: tuple[float, float] | None = None

    @property
    def rows_needed(self) -> int:
        return math.ceil(max(self.hours, _YEAR_H) * 60 / self.minutes_per_item)

    @property
    def most_rows(self) -> int:
        """The most rows that the engine may read: those of a leap year."""
        return _LEAP_YEAR_H * 60 // self.minutes_per_item


def check_table_files(
    outline: ModelOutline, source: str, read: Read, parameters: Sequence[Dimension] = ()
) -> tuple[list[Problem], list[str]]:
    """Faults of the tables that a model's Schedule:File objects read, as they are and as a study varies them.

    Args:
        outline: The model.
        source: Its path in the study.
        read: Returns the content of a file that the model names.
        parameters: The parameters of the study.

    Returns:
        The problems, and remarks on tables that can be run but may not be intended.
    """
    problems: list[Problem] = []
    remarks: list[str] = []
    first_uses: dict[str, tuple[ModelObject, list[tuple[str, int]]]] = {}
    for model_object in outline.of_class(_CLASS):
        name = field_text(model_object, "File Name")
        uses = _uses(model_object, outline, parameters)
        found = read(name) if name and uses else None
        if found is None or name.casefold().endswith(_NOT_TEXT):
            continue
        path, content = found
        where = place_in(model_object, source)
        if odd := next((use for use in uses if 60 % use.minutes_per_item), None):
            fault = f"{_CLASS} '{model_object.name}' has {odd.minutes_per_item} Minutes per Item"
            problems.append(Problem(where, fault, "a number that divides 60"))
            continue
        ways = [(use.separator, use.skip) for use in uses]
        other, first = first_uses.setdefault(path, (model_object, ways))
        if first != ways:
            fault = f"{_CLASS} '{model_object.name}' reads {path} with another separator or Rows to Skip than "
            fault += f"'{other.name}'; EnergyPlus would use those of the first for both"
            problems.append(Problem(where, fault, "the same, or another file"))
            continue
        lines = lines_of(content)
        hint = "; its lines end in carriage returns alone" if b"\n" not in content and b"\r" in content else ""
        for use in dict.fromkeys(uses):
            owner = f"{_CLASS} '{model_object.name}'" + ("" if use == uses[0] else _variation(use, uses[0]))
            faults = list(_check(lines, use, owner, path, hint))
            problems += faults
            if not faults:
                about = (_extra_rows(len(lines), use, owner), _maybe_decimal_commas(lines, use, owner))
                remarks += [f"{path}: {remark}" for remark in about if remark]
    return problems, remarks


def _check(lines: list[str], use: _Use, owner: str, path: str, hint: str) -> Iterator[Problem]:
    rows = lines[use.skip :]
    if len(rows) < use.rows_needed:
        hours = max(use.hours, _YEAR_H)
        fault = f"has {len(rows):,} rows after the {use.skip} skipped, and {owner} needs {use.rows_needed:,}"
        per = f"{hours:,.0f} hours of {use.minutes_per_item} minutes per item"
        yield Problem(path, fault + hint, f"at least {use.rows_needed:,} ({per})")
        return
    if minutes := _matching_minutes(len(rows), use):
        fault = f"has {len(rows):,} rows, a whole year of {minutes} minutes each, and {owner} reads the first "
        fault += f"{use.rows_needed:,} as {use.minutes_per_item} minutes each"
        yield Problem(path, fault, f"{minutes} Minutes per Item, or {use.rows_needed:,} rows")
        return
    columns = len(rows[0].rstrip(use.separator if use.separator != " " else "").split(use.separator))
    if use.column > columns:
        fault = f"has {columns} columns, and {owner} reads column {use.column}"
        yield Problem(f"{path}: line {use.skip + 1}", fault, "another column or Column Separator")
        return
    if _surely_decimal_commas(lines, use):
        fault = (
            f"has numbers with a decimal comma ('{rows[0].strip()[:20]}'), of which {owner} would read only one part"
        )
        yield Problem(f"{path}: line {use.skip + 1}", fault, "decimal points, or another separator and decimal points")
        return
    for number, row in enumerate(islice(rows, use.most_rows), start=use.skip + 1):
        where = f"{path}: line {number}"
        cells = row.split(use.separator)
        cell = cells[use.column - 1].strip() if use.column <= len(cells) else ""
        if not is_number(cell):
            allowed = "a number with a decimal point" if "," in cell else "a number"
            yield Problem(where, f"column {use.column}, which {owner} reads, {shown(cell)}", allowed)
            return
        if use.limits is not None and not use.limits[0] <= float(cell) <= use.limits[1]:
            fault = f"column {use.column}, which {owner} reads, is {float(cell):g}"
            yield Problem(where, fault, f"{use.limits[0]:g} to {use.limits[1]:g}, by its Schedule Type Limits")
            return
        if len(cells) < columns:
            yield Problem(where, f"has {len(cells)} columns, and the first row has {columns}", f"{columns} columns")
            return


def _matching_minutes(rows: int, use: _Use) -> int | None:
    """The smaller Minutes per Item with which the table is exactly one year long, if any."""
    for items in _ITEMS_AN_HOUR:
        if 60 // items < use.minutes_per_item and rows in (_YEAR_H * items, _LEAP_YEAR_H * items):
            return 60 // items
    return None


def _extra_rows(lines: int, use: _Use, owner: str) -> str:
    rows = lines - use.skip
    if rows <= use.most_rows:
        return ""
    return f"has {rows:,} rows, and {owner} needs {use.rows_needed:,}; EnergyPlus reads the first and ignores the rest."


def _looks_like_decimal_commas(lines: list[str], use: _Use) -> list[list[str]]:
    """The rows' cells if all are pairs of whole numbers, as numbers with decimal commas would be split."""
    rows = [row.strip().rstrip(",") for row in lines[use.skip :]]
    if use.separator != "," or not _WHOLE_PAIR.match(rows[0]):
        return []
    cells = [row.split(",") for row in rows]
    width = len(cells[0])
    fits = width % 2 == 0 and all(
        len(row) == width
        and all(cell.strip().lstrip("+-").isdigit() for cell in row)
        and all(cell.isdigit() for cell in row[1::2])
        for row in cells
    )
    return cells if fits else []


def _surely_decimal_commas(lines: list[str], use: _Use) -> bool:
    """Whether the file must have decimal commas: two columns for each name in the header, or decimals such as 05."""
    cells = _looks_like_decimal_commas(lines, use)
    if not cells:
        return False
    header = lines[use.skip - 1].rstrip(",").split(",") if use.skip else []
    if len(header) > 1 and 2 * len(header) == len(cells[0]) and not any(is_number(name) for name in header):
        return True
    behind = use.column - 1 | 1
    return any(len(row[behind]) > 1 and row[behind].startswith("0") for row in cells)


def _maybe_decimal_commas(lines: list[str], use: _Use, owner: str) -> str:
    if not _looks_like_decimal_commas(lines, use):
        return ""
    row = lines[use.skip].strip()[:20]
    return (
        f"every row is made of pairs of whole numbers such as '{row}'; if these are decimal commas, {owner} reads one "
        "part of each number: write decimal points."
    )


def _uses(model_object: ModelObject, outline: ModelOutline, parameters: Sequence[Dimension]) -> list[_Use]:
    """The object's own use first, then those of the variants; none if a field has a value that the dictionary does
    not allow: other checks or the engine report it."""
    own = {field: field_text(model_object, field) for field in _FIELDS}
    varied: dict[str, list[str]] = {}
    limits = _limits(model_object, outline)
    for varying, target in ((parameter, target) for parameter in parameters for target in parameter.all_targets):
        limits = None if fold_name(target.class_name) == "scheduletypelimits" else limits
        field = _field(target, model_object)
        limits = None if field == "Schedule Type Limits Name" else limits
        if field in own:
            varied.setdefault(field, []).extend(_level(target, level, own[field]) for level in varying.extremes)
    combinations = islice(product(*varied.values()), _MAX_USES) if varied else ()
    texts = [own, *(own | dict(zip(varied, values, strict=True)) for values in combinations)]
    uses = [use for text in texts if (use := _use(text)) is not None]
    return [replace(use, limits=limits) for use in uses] if len(uses) == len(texts) else []


def _field(target: Target, model_object: ModelObject) -> str:
    """The field of an object that a target writes to; empty if none."""
    rule = dictionary.load().find_class(target.class_name)
    place = rule.find_field(target.field) if rule else None
    if rule is None or place is None or rule.name != _CLASS or not selected_objects(target, rule, [model_object]):
        return ""
    return place.rule.name


def _level(target: Target, level: float | str, own: str) -> str:
    if isinstance(level, str) or (target.relative and not is_number(own)):
        return str(level)
    return f"{target.new_value(level, float(own) if target.relative else None):g}"


def _variation(use: _Use, own: _Use) -> str:
    parts = {
        "Column Number": (use.column, own.column),
        "Rows to Skip at Top": (use.skip, own.skip),
        "Number of Hours of Data": (use.hours, own.hours),
        "Column Separator": (use.separator, own.separator),
        "Minutes per Item": (use.minutes_per_item, own.minutes_per_item),
    }
    return f" with {', '.join(f'{name} {value!s}' for name, (value, base) in parts.items() if value != base)}"


def _limits(model_object: ModelObject, outline: ModelOutline) -> tuple[float, float] | None:
    """The limits of the schedule's type; the engine checks them only if both are given."""
    limits_name = fold_name(field_text(model_object, "Schedule Type Limits Name"))
    for limits in outline.of_class("ScheduleTypeLimits"):
        if fold_name(limits.name) == limits_name:
            least, most = field_text(limits, "Lower Limit Value"), field_text(limits, "Upper Limit Value")
            return (float(least), float(most)) if is_number(least) and is_number(most) else None
    return None


def _use(texts: dict[str, str]) -> _Use | None:
    column, skip, hours, separator, minutes = (texts[field] for field in _FIELDS)
    try:
        return _Use(
            column=int(column or 1),
            skip=int(skip or 0),
            hours=float(hours or _YEAR_H),
            separator=_SEPARATORS[(separator or "comma").casefold()],
            minutes_per_item=int(minutes or 60),
        )
    except (ValueError, KeyError):
        return None
