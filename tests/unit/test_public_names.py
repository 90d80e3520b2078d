"""What `import epsm` gives, and what it costs."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import epsm
from epsm import errors
from infra.tools.packaging import ROOT

SETTINGS = dict.fromkeys(("INPUTS_BUCKET", "RESULTS_BUCKET", "TABLE_NAME", "STATE_MACHINE_ARN"), "x") | {
    "AWS_DEFAULT_REGION": "us-east-1"
}
"""What a function is given, so that its handler can be imported."""
HEAVY = ("boto3", "botocore", "eppy", "numpy", "pandas", "pyarrow", "pydantic", "rich", "moto")


def loaded(statement: str) -> set[str]:
    """Modules that a new interpreter has loaded after a statement."""
    code = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, **SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    return set(json.loads(done.stdout))


def test_all_is_sorted_and_what_dir_shows() -> None:
    assert epsm.__all__ == sorted(epsm.__all__)
    assert dir(epsm) == epsm.__all__


@pytest.mark.parametrize("name", epsm.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(epsm, name)
    assert name == "__version__" or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="studdy"):
        _ = epsm.studdy


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(epsm.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen | {"__version__"} == set(epsm.__all__)


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(epsm.__file__).parent / "py.typed").is_file()


def test_importing_the_package_loads_nothing_else() -> None:
    modules = loaded("import epsm")
    assert {name for name in modules if name.partition(".")[0] == "epsm"} == {"epsm"}
    assert not modules & set(HEAVY)


def test_putting_a_study_together_needs_no_pandas() -> None:
    assert not loaded("import epsm; epsm.Study") & {"pandas", "pyarrow", "eppy", "moto", "rich"}


def test_reading_results_loads_pandas_only_when_something_is_read() -> None:
    assert not loaded("import epsm; epsm.read_results") & {"pandas", "pyarrow", "boto3"}


@pytest.mark.parametrize("function", ["submit", "api", "cleanup", "canary", "run_variant", "aggregate"])
def test_functions_load_nothing_of_what_is_for_programs(function: str) -> None:
    assert not {name for name in loaded(f"import functions.{function}.handler") if name.startswith("epsm.client")}


def test_every_exception_of_the_tree_is_public_and_drawn() -> None:
    public = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.EpsmError)
    }
    assert public <= set(epsm.__all__)
    drawn = {line.strip("│├└─ ").split()[0] for line in (errors.__doc__ or "").split("```")[1].strip().splitlines()}
    assert drawn == public


@pytest.mark.parametrize("document", ["README.md", "docs/python.md"])
def test_the_documents_use_names_that_exist(document: str) -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert blocks
    owners = {"epsm": epsm, "study": epsm.Study, "run": epsm.Run}
    for node in ast.walk(ast.parse("\n".join(blocks))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in owners:
            assert hasattr(owners[node.value.id], node.attr), ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner = node.func.value
            owner = owners.get(inner.id) if isinstance(inner, ast.Name) else None
            if owner is not None:
                first = [] if owner is epsm else [None]
                signature = inspect.signature(getattr(owner, node.func.attr))
                signature.bind(*first, *node.args, **{each.arg or "": each.value for each in node.keywords})


def test_a_worker_starts_without_the_packages_that_only_some_variants_need() -> None:
    """pandas is for series, eppy for the first IDF that is edited; a finished model is neither."""
    assert not loaded("import functions.run_variant.handler") & {"pandas", "numpy", "pyarrow", "eppy", "scipy"}
