"""The packaged template of the local stack: `python -m infra.tools.product` writes it, with ``--check`` it compares.

The state machine is written next to it, as readable JSON. Both show reviewers the effect of a change in `infra/`:
hashes of assets, which every change of code alters, are replaced by the assets' names, and metadata are left out.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from epsm_local import product
from infra.tools.check import definitions
from infra.tools.packaging import ROOT
from infra.tools.synthesised import synthesise

STATE_MACHINE = product.TEMPLATE.with_name("state_machine.json")


def template_text(context: Mapping[str, str] | None = None) -> str:
    """The template for the local stage, with names of assets; `context` adds choices to the stage's own."""
    return _normalised(synthesise({**product.CONTEXT, **(context or {})}))


def _normalised(cloud_assembly: Path) -> str:
    path = cloud_assembly / f"{product.STACK_NAME}.template.json"
    template = json.loads(path.read_text(encoding="utf-8"))
    template["Resources"] = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template["Resources"].items()
    }
    text = json.dumps(template, indent=1, ensure_ascii=False) + "\n"
    for tag, name, _ in _assets(cloud_assembly):
        text = text.replace(tag, f"asset-{name}")
    if unresolved := re.findall(r"\b[0-9a-f]{64}\b", text):
        raise ValueError(f"the template refers to content that is not an asset: {sorted(set(unresolved))}")
    return text


def _assets(cloud_assembly: Path) -> Iterator[tuple[str, str, Path]]:
    """Hash, name and staged folder of each asset but the template."""
    manifest = json.loads((cloud_assembly / f"{product.STACK_NAME}.assets.json").read_text(encoding="utf-8"))
    sources = [
        *((tag, asset, asset["source"]["path"]) for tag, asset in manifest["files"].items()),
        *((tag, asset, asset["source"]["directory"]) for tag, asset in manifest.get("dockerImages", {}).items()),
    ]
    for tag, asset, source in sources:
        if asset["source"].get("packaging") != "file":
            yield tag, _name(asset["displayName"]), cloud_assembly / source


def _name(display_name: str) -> str:
    """``Pipeline/Functions/RunVariant/Code`` is called ``run_variant``."""
    title = display_name.removesuffix("/Code").rsplit("/", 1)[-1]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", title).lower()


def faults() -> Iterator[str]:
    """Differences between the package and the output of `infra/`: files, and staged code."""
    for path, text in _files().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(ROOT)} is out of date. Run: python -m infra.tools.product"
    for _, name, staged in _assets(synthesise(product.CONTEXT)):
        if name != product.DEPENDENCIES and (different := sorted(_different(staged, product.files(name)))):
            yield f"epsm_local/product does not package what infra/ stages for {name}: {', '.join(different[:5])}"


def _different(staged: Path, packaged: Mapping[str, Path]) -> set[str]:
    # The local stack runs the library with a Python of its own, and has no use for what is compiled for Lambda's.
    found = (path for path in staged.rglob("*") if path.is_file() and path.suffix != ".pyc")
    staged_files = {path.relative_to(staged).as_posix(): path for path in found}
    return {
        name
        for name in staged_files.keys() | packaged.keys()
        if name not in staged_files
        or name not in packaged
        or staged_files[name].read_bytes() != packaged[name].read_bytes()
    }


def _files() -> dict[Path, str]:
    text = template_text()
    (machine,) = definitions(json.loads(text))
    readable: Any = json.loads(machine)
    return {product.TEMPLATE: text, STATE_MACHINE: json.dumps(readable, indent=1, ensure_ascii=False) + "\n"}


def main(arguments: list[str]) -> int:
    """Write the files of the package, or with ``--check`` only compare them and the code."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m infra.tools.product [--check]", file=sys.stderr)
        return 2
    if not arguments:
        for path, text in _files().items():
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} is written.")
    differences = list(faults())
    for fault in differences:
        print(fault, file=sys.stderr)
    return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
