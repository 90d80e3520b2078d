"""The files around the code agree with each other: Makefile, pre-commit, workflows, versions, changelog."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

import epsm
from infra.tools.packaging import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CODE = ("benchmarks", "docs", "epsm_cli", "epsm_local", "examples", "functions", "infra", "layers", "tests")
MAX_LINES = 350
"""Of a file of code. Where one would pass it, split it by topic; tests mirror what they test."""
GROUPS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(workflow: Path) -> list[dict[str, Any]]:
    return list(loaded(workflow)["jobs"].values())


def command(line: str) -> str:
    """A command without what differs between a Makefile and a hook: the path, quietness, "everything"."""
    left_out = ("--quiet", ".", "env")
    return " ".join(word for word in line.split() if word not in left_out).replace(".venv/bin/", "$(BIN)/")


def test_only_unit_tests_mock_aws_in_their_process() -> None:
    # mock_aws resets moto, and with it the running stack that all other tests of a process share.
    tests = ROOT / "tests"
    using = [path for path in tests.rglob("*.py") if "mock_aws" in path.read_text(encoding="utf-8")]
    assert not [path for path in using if tests / "unit" not in path.parents]


def test_pre_commit_runs_the_checks_of_make_check() -> None:
    (parts,) = re.findall(r"^check:.*\n\t@\$\(MAKE\) .* -j2 (.+)\n", MAKEFILE, re.MULTILINE)
    recipes = dict(re.findall(r"^(check-\w+):.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE))
    assert set(parts.split()) == set(recipes)
    checks = {command(line) for recipe in recipes.values() for line in recipe.splitlines()}
    (local,) = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"  # nothing is downloaded, and versions are those of uv.lock
    assert checks == {command(hook["entry"]) for hook in local["hooks"] if hook["language"] == "system"}


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("Refuse lookup variables that do not rise\n\nWhy.\n", True),
        ("Refuse lookup variables that do not rise\n# Please enter the commit message\n", True),
        ("x" * 10 + "\n", False),
        ("Refuse " + "x" * 66 + "\n", False),
        ("Refuse " + "x" * 65 + "\n", True),
        ("Refuse variables.\n", False),
        ("Refuse variables\nthat do not rise\n", False),
    ],
)
def test_subjects_of_commits_are_checked(message: str, *, passes: bool) -> None:
    hooks = loaded(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    (pattern,) = [hook["entry"] for hook in hooks if hook["language"] == "pygrep"]
    # As pre-commit's pygrep does with --multiline.
    assert bool(re.search(pattern, message, re.MULTILINE | re.DOTALL)) is passes


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_have_few_permissions(workflow: Path) -> None:
    assert loaded(workflow)["permissions"] == {"contents": "read"}
    for job in jobs(workflow):
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]) for step in job["steps"] if "uses" in step)
        # A token for AWS only behind an environment, whose protection GitHub enforces.
        assert "id-token" not in job.get("permissions", {}) or job["environment"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_targets_that_are_there(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
    scripts = "\n".join(step.get("run", "") for job in jobs(workflow) for step in job["steps"])
    assert set(re.findall(r"\bmake ([a-z0-9-]+)", scripts)) <= targets


def test_the_oldest_python_and_that_of_the_functions_are_tested() -> None:
    (matrix,) = [job["strategy"]["matrix"] for job in jobs(ROOT / ".github/workflows/test.yml") if "strategy" in job]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert matrix["python"] == [oldest, "3.13"]


def test_no_file_of_code_is_too_long() -> None:
    files = (path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".js", ".css"))
    lengths = {str(path.relative_to(ROOT)): path.read_bytes().count(b"\n") for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == epsm.__version__
    assert _releases()[0] == epsm.__version__


def test_the_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])
    numbers = [tuple(map(int, version.split("."))) for version in _releases()]
    assert all(newer > older for newer, older in pairwise(numbers))
    for heading, section in zip(headings, re.split(r"^## .*$", text, flags=re.MULTILINE)[1:], strict=True):
        groups = re.findall(r"^### (.*)$", section, re.MULTILINE)
        assert groups or heading == "[Unreleased]"
        assert set(groups) <= GROUPS
        assert len(groups) == len(set(groups))
        assert not re.search(r"^- ", section.split("### ")[0], re.MULTILINE), "an entry outside a group"


def _releases() -> list[str]:
    return re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
