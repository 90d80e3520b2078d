"""The content of the wheel. `make wheel-test` shows that it works in an otherwise empty environment."""

import json
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from epsm_local import product
from infra.tools.packaging import ROOT

FUNCTIONS = "epsm_local/product/functions/"
ENGINES = "epsm_local/product/engines/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return zipfile.ZipFile(path)


def sources(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in files}


def below(wheel: zipfile.ZipFile, prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in wheel.namelist() if name.startswith(prefix)}


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = [each for each in wheel.namelist() if re.fullmatch(rf"epsm-[^/]+\.dist-info/{name}", each)]
    return wheel.read(path).decode("utf-8")


def test_it_takes_no_names_but_its_own(wheel: zipfile.ZipFile) -> None:
    top_level = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {"epsm", "epsm_cli", "epsm_local"}


def test_it_has_the_whole_library(wheel: zipfile.ZipFile) -> None:
    assert below(wheel, "epsm/") == sources(ROOT / "layers" / "energyplus" / "python" / "epsm")


def test_it_has_what_the_template_deploys(wheel: zipfile.ZipFile) -> None:
    template = wheel.read("epsm_local/product/template.json").decode("utf-8")
    assets = set(re.findall(r"asset-(\w+)", template)) - {product.DEPENDENCIES, product.LIBRARY, product.IMAGE}
    assert assets | set(product.IN_IMAGE) == {name.split("/")[0] for name in below(wheel, FUNCTIONS) if "/" in name}
    assert below(wheel, FUNCTIONS) == sources(ROOT / "functions")
    assert below(wheel, ENGINES) == sources(ROOT / "layers" / "energyplus" / "engines")


def test_it_has_nothing_that_was_compiled_here(wheel: zipfile.ZipFile) -> None:
    assert not [name for name in wheel.namelist() if "__pycache__" in name or name.endswith(".pyc")]


def test_it_installs_the_command(wheel: zipfile.ZipFile) -> None:
    assert "epsm = epsm_cli.entry:main" in metadata(wheel, "entry_points.txt")


def test_the_library_alone_needs_what_the_layer_carries(wheel: zipfile.ZipFile) -> None:
    headers = Parser().parsestr(metadata(wheel, "METADATA"))
    assert set(headers.get_all("Provides-Extra", [])) == {"cli", "image", "local"}
    needed = [each for each in headers.get_all("Requires-Dist", []) if "extra ==" not in each]
    names = {re.split(r"[^\w-]", each)[0] for each in needed}
    assert names == {"aws-lambda-powertools", "boto3", "pydantic", "python-multipart"}


def test_a_template_for_more_engines_differs_only_in_their_number() -> None:
    one, four = (json.loads(product.deployment(number).template) for number in (1, 4))
    assert one != four
    assert product.with_engines(one, 4) == four


def test_the_same_code_has_the_same_names() -> None:
    first, second = product.deployment(1), product.deployment(1)
    assert first.files.keys() == second.files.keys()
    assert not re.search(r"asset-\w", first.template)
    assert all(key in first.template for key in (*first.files, *first.images))
