"""The reference of the HTTP API as a document, made from openapi.json when the site is built."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LEFT_OUT = {"HTTPValidationError", "ValidationError", "ResponseValidationError"}
"""Schemas that Powertools adds and no answer of this API has."""


def reference(description: Mapping[str, Any]) -> str:
    """The reference in Markdown: every operation with parameters, body and answers, then every schema.

    Args:
        description: The API's OpenAPI document.
    """
    schemas = {name: schema for name, schema in description["components"]["schemas"].items() if name not in _LEFT_OUT}
    lines = ["# HTTP API reference", "", "Made from [openapi.json](openapi.json). [The HTTP API](api.md) explains it."]
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            lines += ["", f"## {method.upper()} {path}", "", f"{operation['summary']}.", *_operation(operation)]
    lines += ["", "## Schemas"]
    for name, schema in sorted(schemas.items()):
        lines += ["", f"### {name}", "", _one_line(schema.get("description", "")), *_fields(schema)]
    return "\n".join(lines) + "\n"


def _operation(operation: Mapping[str, Any]) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    yield from _table(
        ("parameter", "in", "type", "meaning"),
        [
            (
                f"`{parameter['name']}`",
                parameter["in"],
                _kind(parameter.get("schema", {})),
                parameter.get("description", ""),
            )
            for parameter in parameters
        ],
    )
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield from ("", f"Body, `{media_type}`: {_kind(content['schema'])}")
        yield from _fields(content["schema"])
    answers = []
    for status, answer in sorted(operation["responses"].items()):
        kinds = [_kind(content["schema"]) for content in answer.get("content", {}).values() if "schema" in content]
        answers.append((status, answer["description"], ", ".join(kinds)))
    yield from _table(("status", "meaning", "body"), answers)


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    required = schema.get("required", [])
    yield from _table(
        ("field", "type", "required", "meaning"),
        [
            (f"`{name}`", _kind(field), "yes" if name in required else "", field.get("description", ""))
            for name, field in schema.get("properties", {}).items()
        ],
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """A type in words, with a link where it is a schema of its own."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return name if name in _LEFT_OUT else f"[{name}](#{name.lower()})"
        case {"enum": list(words)}:
            return ", ".join(f"`{word}`" for word in words)
        case {"const": constant}:
            return f"`{constant}`"
        case {"anyOf": list(options)} | {"allOf": list(options)}:
            return " or ".join(_kind(option) for option in options)
        case {"type": "array", "items": dict(items)}:
            return f"list of {_kind(items)}"
        case {"type": str(kind)}:
            return kind
        case _:
            return "any"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield ""
        for row in (heads, ["---"] * len(heads), *rows):
            yield "| " + " | ".join(_one_line(cell).replace("|", "\\|") for cell in row) + " |"


def _one_line(text: str) -> str:
    return " ".join(text.split())
