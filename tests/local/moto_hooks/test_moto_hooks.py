"""The parts of moto that the completions patch: does each still exist, in the same form?

moto's source is read, not imported: the running stack has replaced what this is about. When a test fails after an
upgrade of moto, the completion that it names has to be read again beside moto's new file.
"""

import ast
import functools
import importlib.metadata
import importlib.util
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from epsm_local.moto_patches import MOTO_VERSION
from tests.local.moto_hooks.hooks import Hook
from tests.local.moto_hooks.relied_on import RELIED_ON
from tests.local.moto_hooks.replaced import REPLACED

ROOT = Path(__file__).parents[3]
COMPLETIONS = ROOT / "epsm_local" / "moto_patches"


@functools.cache
def parsed(file: str) -> ast.Module:
    """The syntax tree of a file of the installed moto."""
    spec = importlib.util.find_spec("moto")
    assert spec is not None
    assert spec.submodule_search_locations
    return ast.parse((Path(spec.submodule_search_locations[0]) / file).read_text(encoding="utf-8"))


def found(tree: ast.AST, name: str) -> ast.AST | None:
    """Where a name is defined in a module or a class: a function, a class, an assignment, an import."""
    own, _, rest = name.partition(".")
    for node in ast.iter_child_nodes(tree):
        if own in defined_by(node):
            return found(node, rest) if rest else node
    if isinstance(tree, ast.ClassDef) and not rest:
        return next((node for node in ast.walk(tree) if is_own_attribute(node, own)), None)
    return None


def defined_by(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name for alias in names}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def is_own_attribute(node: ast.AST, name: str) -> bool:
    """Whether `self.<name>` is set there."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=attr, ctx=ast.Store()):
            return attr == name
    return False


def replaced_by(path: Path) -> Iterator[str]:
    """What a completion's `install` assigns to or finishes, as it is written there."""
    install = found(ast.parse(path.read_text(encoding="utf-8")), "install")
    for node in ast.walk(install) if install else ():
        match node:
            case ast.Assign(targets=[ast.Attribute() as target]):
                yield ast.unparse(target)
            case ast.Call(func=ast.Name(id="_finish"), args=[ast.Name(id=model), _]):
                yield f"{model}.create_from_cloudformation_json"


@pytest.mark.parametrize("hook", [*REPLACED, *RELIED_ON], ids=str)
def test_moto_still_has_what_is_completed(hook: Hook) -> None:
    node = found(parsed(hook.file), hook.name)
    assert node is not None, (
        f"epsm_local/moto_patches/{hook.completion} needs {hook.name}, which moto/{hook.file} has not"
    )
    if hook.signature is not None:
        assert isinstance(node, ast.FunctionDef), (
            f"epsm_local/moto_patches/{hook.completion}: {hook.name} is no function"
        )
        assert ast.unparse(node.args) == hook.signature, f"read epsm_local/moto_patches/{hook.completion} again"


def test_a_layer_still_gives_itself_as_its_physical_id() -> None:
    """What `LayerVersion.physical_resource_id` in epsm_local/moto_patches/cloudformation.py mends."""
    assert found(parsed("awslambda/models.py"), "LayerVersion.physical_resource_id") is None


def test_every_replacement_is_looked_after_here() -> None:
    known = {hook.name for hook in REPLACED}
    # moto lacks the first; the others are names in modules, written with the module's name there.
    known |= {"LayerVersion.physical_resource_id", "models.stepfunctions_backends", "boto_client.boto3"}
    known |= {"backends.list_of_moto_modules", "StepFunctionResponse.redrive_execution", "kind._from_error"}
    known |= {"state.StateData", "execution_worker.ExecutionData", "extension.make_after_request_function"}
    known |= {"responses.method_names_from_class", "responses.gen_amzn_requestid_long"}
    known |= {"BackendRequest._load_form_data"}
    known |= {"lambda_eval_utils._invoke_lambda_function", "program.TMP_THREADS", "parsing.generate_resource_name"}
    made = {name for path in COMPLETIONS.rglob("*.py") for name in replaced_by(path)}
    assert made - known == set()


def test_the_installed_moto_is_the_one_that_is_completed() -> None:
    assert importlib.metadata.version("moto") == MOTO_VERSION


def test_the_project_asks_for_the_moto_that_is_completed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (requirement,) = (each for each in project["optional-dependencies"]["local"] if each.startswith("moto["))
    assert requirement.partition("==")[2] == MOTO_VERSION
