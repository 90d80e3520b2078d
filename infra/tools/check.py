"""Static checks of what is deployed: `python -m infra.tools.check`, part of `make check`.

Synthesises with CDK's validation and cdk-nag on, then cfn-lint over the template and statelint over the state machine.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.tools.packaging import ROOT
from infra.tools.synth import run_app

FALSE_ALARMS = (
    'Field "Label" not allowed in State Machine.States.Run variants',
    'Field "InputType" not allowed in State Machine.States.Run variants.ItemReader.ReaderConfig',
)
"""statelint knows the published States Language, without the fields of Distributed Map."""


def definitions(template: Mapping[str, Any]) -> list[str]:
    """The state machines of a template as JSON texts, references replaced by an ARN of their shape."""
    return [
        _flat(resource["Properties"]["DefinitionString"])
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]


def _flat(value: Any) -> str:
    match value:
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_flat(part) for part in parts)
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case str():
            return value
        case _:
            return "arn:aws:service:region:account:resource"


def lint_definition(definition: str) -> list[str]:
    """statelint's findings on a state machine, without known false alarms."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(definition)
        file.flush()
        # FLOAT: it requires 2.0, although the language has a single number type.
        command = [_tool("statelint"), "--ignore=FLOAT", file.name]
        printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = [line.strip() for line in printed.splitlines()]
    return [line for line in lines if line and not line.endswith(("errors:", "error:")) and line not in FALSE_ALARMS]


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def main() -> int:
    # With default settings, and with optional features.
    failed = _has_faults(ROOT / "cdk.out", {})
    with tempfile.TemporaryDirectory() as folder:
        failed |= _has_faults(Path(folder), {"fargate": "true"})
    print("template and state machine: " + ("faults found" if failed else "no faults"))
    return int(failed)


def _has_faults(outdir: Path, context: Mapping[str, str]) -> bool:
    run_app(outdir, context)
    template = next(outdir.glob("*.template.json"))
    failed = subprocess.run([_tool("cfn-lint"), str(template)], cwd=ROOT, check=False).returncode != 0
    for definition in definitions(json.loads(template.read_text(encoding="utf-8"))):
        for line in lint_definition(definition):
            failed = True
            print(f"state machine: {line}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
