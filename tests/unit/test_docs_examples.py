"""The examples in the documents: JSON, `epsm` commands, requests to the API, AWS commands."""

import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
import typer
from botocore import xform_name

from docs.api_reference import reference
from epsm.study.parsing import parse_study
from epsm.study.variants import expand
from epsm_cli.main import app
from infra.tools.packaging import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
TEXT_OF_TWO_LINES = re.compile(r'"(?:[^"\\\n]|\\.)*\n(?:[^"\\]|\\.)*"')
OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
API = OPENAPI["paths"]
AWS_OPTIONS = {"--output", "--query", "--region", "--profile", "--cli-binary-format", "--cli-read-timeout"}
"""What every AWS command takes."""
RENAMED = {"--notification-endpoint": "--endpoint"}
"""The AWS command line's own names for parameters."""


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Code blocks of a language with the name of their document."""
    for document in DOCUMENTS:
        for _, its_language, text in BLOCK.findall(document.read_text(encoding="utf-8")):
            if its_language == language:
                yield str(document.relative_to(ROOT)), textwrap.dedent(text)


def shell_lines() -> Iterator[tuple[str, str]]:
    """Lines of code blocks, continued ones joined, and `literals` of one line."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        name = str(document.relative_to(ROOT))
        for _, language, block in BLOCK.findall(text):
            if language == "":
                joined = re.sub(r"\\\n\s*", "", block)
                joined = TEXT_OF_TWO_LINES.sub(lambda match: " ".join(match[0].split()), joined)
                for line in joined.splitlines():
                    yield name, line.strip()
        for literal in re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)):
            yield name, literal


def commands(program: str) -> list[tuple[str, str]]:
    """Every use of a program, also within another command, up to a comment or an explanation beside it."""
    found = []
    for document, line in shell_lines():
        rest = line
        while inner := re.search(r"\$\(([^()]*)\)", rest):
            found.append((document, inner[1]))
            rest = rest.replace(inner[0], "INNER")
        found.append((document, rest))
    return [
        (document, re.split(r" # | {2,}(?![-\"'])", text.strip())[0])
        for document, text in found
        if text.strip().startswith(f"{program} ")
    ]


STUDIES = [(document, text) for document, text in blocks("json") if '"models"' in text]
# In a table, the sign of a pipe is written with a backslash.
EPSM = sorted(
    {re.split(r" \\?\| ", text)[0].removesuffix(" --stack") for _, text in commands("epsm") if "..." not in text}
)
AWS = sorted({text for _, text in commands("aws") if not re.match(r"aws (?:s3|logs tail|configure|sso)\b", text)})
CURL = sorted({text for _, text in commands("curl") if "/api/" in text and "..." not in text})


@pytest.mark.parametrize(("document", "text"), list(blocks("json")))
def test_json_is_json(document: str, text: str) -> None:
    assert json.loads(text), document


@pytest.mark.parametrize(("document", "text"), STUDIES)
def test_studies_are_accepted(document: str, text: str) -> None:
    study = parse_study(text)
    said = re.search(r"has ([\d x(+)]+) = (\d+) variants", (ROOT / document).read_text(encoding="utf-8"))
    if said:
        assert sum(1 for _ in expand(study)) == int(said[2])


@pytest.mark.parametrize("text", EPSM)
def test_epsm_takes_the_words_of_its_examples(text: str) -> None:
    group: Any = typer.main.get_command(app)
    _, name, *words = shlex.split(text)
    command = group.commands[name]
    _, left_over, _ = command.make_parser(command.context_class(command)).parse_args(words)
    assert left_over == []


@pytest.mark.parametrize("text", CURL)
def test_requests_have_a_route_and_a_body_that_is_json(text: str) -> None:
    words = shlex.split(text)
    path = re.sub(r"^(?:\$API|(?:http://)?127\.0\.0\.1:8000)", "", next(word for word in words if "/api/" in word))
    flags = {flag: words[words.index(flag) + 1] for flag in ("-X", "-d") if flag in words}
    method = flags.get("-X", "POST" if {"-d", "-F"} & set(words) else "GET").lower()
    templates = [each for each in API if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path.partition("?")[0])]
    assert any(method in API[each] for each in templates)
    if "-d" in flags:
        assert json.loads(re.sub(r"INNER", "1", flags["-d"]))
        assert "content-type: application/json" in words


@pytest.mark.parametrize("text", AWS)
def test_aws_commands_have_operations_and_parameters_that_are_there(text: str) -> None:
    _, service, operation, *_ = text.split()
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names
    shape = model.operation_model(names[operation]).input_shape
    members = {f"--{xform_name(name, '-')}" for name in shape.members} if shape else set()
    without_texts = re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", text)
    used = re.findall(r"(?<= )--[a-z][a-z0-9-]*", without_texts)
    assert {RENAMED.get(option, option) for option in used} <= members | AWS_OPTIONS


def test_the_reference_has_every_operation_and_explains_every_schema_that_it_names() -> None:
    text = reference(OPENAPI)
    operations = {f"## {method.upper()} {path}" for path, methods in API.items() for method in methods}
    headings = set(re.findall(r"^##+ .*$", text, re.MULTILINE))
    assert operations <= headings
    assert {f"### {name}" for name in re.findall(r"\[(\w+)\]\(#", text)} <= headings


def test_there_are_examples_of_each_kind() -> None:
    assert all((STUDIES, EPSM, AWS, CURL))
    assert STUDIES[0][0] == "README.md"
