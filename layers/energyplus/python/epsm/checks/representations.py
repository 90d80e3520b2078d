"""Files in ASHRAE 205's format, which describe chillers and DX coils: whether EnergyPlus can read them.

Behaviour of the engine (libtk205 in 25.2, confirmed by runs): the file extension, in lower case, selects CBOR or JSON;
files with any other extension are not read. A file of another kind or a newer schema, or without a field that the
standard requires, crashes the engine without a message (segmentation fault). Of the required fields, the performance
maps are checked here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from epsm.checks import cbor
from epsm.checks.cbor import under
from epsm.checks.table_text import Read, field_text
from epsm.energyplus.model_reader import ModelOutline
from epsm.problems import Problem

KINDS = {
    "Chiller:Electric:ASHRAE205": ("RS0001", "a liquid-cooled chiller"),
    "Coil:DX:ASHRAE205:Performance": ("RS0004", "a direct expansion system"),
}
"""The representation that each class reads."""
_FIELD = "Representation File Name"
_NEWEST = (1, 0, 0)
"""Schema version in the library of EnergyPlus 25.2; no other supported engine has a higher one."""
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-.*)?")
_MAPS = [
    ("performance", name, part)
    for name in ("performance_map_cooling", "performance_map_standby")
    for part in ("grid_variables", "lookup_variables")
]


def check_representations(outline: ModelOutline, read: Read) -> Iterator[Problem]:
    """Faults of the ASHRAE 205 files that a model names.

    Args:
        outline: The model.
        read: Returns the content of a file that the model names.
    """
    for class_name, (kind, meaning) in KINDS.items():
        for model_object in outline.of_class(class_name):
            name = field_text(model_object, _FIELD)
            if name and (found := read(name)):
                yield from _check(
                    *found, f"{class_name} '{model_object.name}'", kind, f"{kind}, {meaning}, of ASHRAE 205"
                )


def _check(path: str, content: bytes, reader: str, kind: str, needed: str) -> Iterator[Problem]:
    ending = path.rpartition(".")[2]
    if ending not in ("cbor", "json"):
        message = f"is read by {reader}, and EnergyPlus derives the format from the file extension"
        yield Problem(path, message, "a name that ends in .cbor or .json, in lower case")
        return
    try:
        document = cbor.outline(content) if ending == "cbor" else json.loads(content)
    except (cbor.NotCbor, ValueError, RecursionError) as fault:
        reason = str(fault) if isinstance(fault, cbor.NotCbor) else "it cannot be parsed"
        yield Problem(path, f"is not {ending.upper()}, which {reader} reads: {reason}", needed)
        return
    found, version = under(document, "metadata", "schema"), under(document, "metadata", "schema_version")
    if found != kind:
        shown = f"has metadata.schema '{found}'" if isinstance(found, str) else "has no metadata.schema"
        yield Problem(path, f"{shown}, and {reader} reads {kind}", needed)
    elif not _is_supported(version):
        shown = f"is '{version}'" if isinstance(version, str) else "is missing"
        allowed = f"at most {'.'.join(map(str, _NEWEST))}, as three numbers"
        yield Problem(path, f"metadata.schema_version {shown}; {reader} reads it", allowed)
    elif missing := [".".join(keys) for keys in _MAPS if not isinstance(under(document, *keys), dict)]:
        yield Problem(path, f"has no {', '.join(missing)}, which {reader} reads", needed)


def _is_supported(version: Any) -> bool:
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    return match is not None and tuple(map(int, match.groups()[:3])) <= _NEWEST
