"""The documents against what they describe."""

import re
from datetime import date
from pathlib import Path

import pytest

from epsm_cli.main import app
from infra.tools.packaging import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *ROOT.glob("benchmarks/*.md"),
]
COMMANDS = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z0-9-]+)", text)) <= TARGETS
    assert set(re.findall(r"(?m)(?:^|`|bin/)epsm ([a-z]+)", text)) <= COMMANDS


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert {path.name for path in folder.glob("0*.md")} <= listed


@pytest.mark.parametrize("decision", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=lambda path: path.stem)
def test_decisions_have_date_status_and_options(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    stated = re.search(r"^\*\*Date\.\*\* (\d{4}-\d\d-\d\d)\. \*\*Status\.\*\* (\w+)", text, re.MULTILINE)
    assert stated
    assert date.fromisoformat(stated[1])
    assert stated[2] in {"Proposed", "Accepted", "Rejected", "Superseded"}
    options = text.partition("**Options considered.**")[2].partition("**Why.**")[0]
    assert len(re.findall(r"^- ", options, re.MULTILINE)) >= 2
    assert stated[2] != "Accepted" or "(chosen)" in options


def test_every_choice_of_a_deployment_is_described() -> None:
    source = (ROOT / "infra" / "config.py").read_text(encoding="utf-8")
    choices = set(re.findall(r"^    ([a-z_]+): (?:str|int|float|bool) = ", source, re.MULTILINE))
    described = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")))
    assert choices
    assert choices <= described
