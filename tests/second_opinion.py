"""A second opinion on the local stack: `python -m tests.second_opinion`, called by `make second-opinion`.

The packaged template is deployed on moto as `epsm_local` completes it, and on ministack, an emulation by others, which
is installed into an environment of its own. One study (a baseline, a variant that succeeds, one that crashes) runs to
its end on each; the program prints where the two differ. It exits with 1 only if ministack cannot be installed or a
study does not end: a difference is for a person to judge, by what AWS does.

Without Docker ministack runs no container images, so functions of an image are given as zips with the same code.
"""

import io
import json
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from epsm.client.connection import connection_to
from epsm.client.fetch import fetch
from epsm_local import product
from epsm_local.aws import assets
from epsm_local.aws.session import ACCOUNT, CREDENTIALS, leave_user_settings, session
from epsm_local.energyplus.system_libraries import prepare
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import DATA, ENGINE_FOLDER, study_document, with_run_period
from tests.observed import differences, observed, subscribe, upload
from tests.support import wait_for

MINISTACK = "ministack==1.5.33"
ENVIRONMENT = Path(__file__).resolve().parents[1] / "build" / "second-opinion"
ENGINES = 2
_LIBRARY = "layers/energyplus/python/"
_PARAMETER = {
    "name": "layer", "class": "Construction", "object": "Wall", "field": "Outside Layer",
    # The second is an object, but not a material: the engine refuses it.
    "values": ["Concrete", "Room"],
}  # fmt: skip
_STARTS_WITHIN_S = 60.0
_ENDS_WITHIN_S = 300.0


def main() -> int:
    """Run the study on both and print where they differ."""
    leave_user_settings()
    prepare()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = _study(folder / "second-opinion")
        with LocalStack(engines=ENGINES) as local:
            ours = _run(local.endpoint, study, folder / "ours")
        with _ministack(_installed(), folder / "ministack.log") as endpoint:
            _deploy(endpoint)
            theirs = _run(endpoint, study, folder / "theirs", send_event=True)
    found = differences(ours, theirs)
    print(f"\n{len(ours)} observations, {len(found)} differences" + (": ours | ministack" if found else ""))
    for difference in found:
        print(f"- {difference}")
    return 0


def _study(folder: Path) -> Path:
    """A study of three variants of one day, the last of which crashes."""
    folder.mkdir()
    model = (DATA / "one_zone.idf").read_text(encoding="utf-8")
    (folder / "room.idf").write_text(with_run_period(model, end=(1, 1)), encoding="utf-8")
    weather = ENGINE_FOLDER / "WeatherData" / "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw"
    for ending in (".epw", ".stat"):
        (folder / f"chicago{ending}").write_bytes(weather.with_suffix(ending).read_bytes())
    (folder / "study.json").write_text(json.dumps(study_document(parameters=[_PARAMETER])), encoding="utf-8")
    return folder


def _run(endpoint: str, study: Path, results: Path, *, send_event: bool = False) -> dict[str, Any]:
    """Run the study to its end; what there was to see.

    Args:
        endpoint: Where the stack is.
        study: The study's folder.
        results: Folder for its results.
        send_event: Whether to hand the event of the upload to submit as AWS writes it. ministack leaves out the
            version of the object, which S3 names for a bucket with versions.
    """
    connection = connection_to(STACK_NAME, session(), poll_s=0.3, endpoint=endpoint)
    queue = subscribe(connection)
    started = time.monotonic()
    simulation, event = upload(connection, study)
    if send_event:
        connection.client("lambda").invoke(
            FunctionName=f"{STACK_NAME}-submit", InvocationType="Event", Payload=json.dumps(event).encode()
        )

    def ended() -> bool:
        record = connection.stack.records.study(simulation)
        return record is not None and record.status.final

    wait_for(ended, f"the end of the study at {endpoint}", _ENDS_WITHIN_S)
    print(f"{endpoint}: {simulation} ended after {time.monotonic() - started:.1f} s")
    fetch(connection, simulation, results, with_variants=False, report=lambda done, total: None)
    return observed(connection, simulation, results, queue)


# --- ministack


def _installed() -> Path:
    """A Python with ministack, and behind it the packages of this environment, for the functions."""
    python = ENVIRONMENT / "bin" / "python"
    mark = ENVIRONMENT / MINISTACK
    if not mark.is_file():
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        install: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            MINISTACK,
        ]
        if subprocess.run(install, check=False).returncode:
            raise SystemExit(f"{MINISTACK} could not be installed")
        query = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = subprocess.run([python, "-c", query], check=True, capture_output=True, text=True).stdout.strip()
        (Path(packages) / "epsm_dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        mark.touch()
    return python


@contextmanager
def _ministack(python: Path, log: Path) -> Iterator[str]:
    """ministack on a free port of 127.0.0.1; its endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(log.parent),
        "TMPDIR": str(log.parent),
        **{name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_XRAY_SDK_ENABLED": "false",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [python, "-m", "ministack"], env=variables, stdout=out, stderr=subprocess.STDOUT, cwd=log.parent
        )
        try:
            wait_for(lambda: process.poll() is not None or _answers(port), "ministack", _STARTS_WITHIN_S)
            if process.poll() is not None:
                raise SystemExit(f"ministack did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")
            yield endpoint
        except BaseException:
            print(log.read_text(encoding="utf-8", errors="replace")[-20_000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _deploy(endpoint: str) -> None:
    """Deploy the packaged template there.

    Raises:
        SystemExit: If the deployment fails; with the reasons.
    """
    deployed = product.deployment(ENGINES)
    image_key = f"{next(iter(deployed.images))}.zip"
    own: Any = session()
    s3, cloudformation = (own.client(service, endpoint_url=endpoint) for service in ("s3", "cloudformation"))
    template = json.loads(deployed.template)
    _give_images_as_zips(template, image_key)
    left_out = _leave_out_metric_math(template)
    # As on AWS, a template of more than 51,200 bytes has to be in a bucket.
    text = json.dumps(template).encode()
    assets.publish_files({**deployed.files, image_key: _image_as_zip(), "template.json": text}, s3)
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateURL=f"{endpoint}/{assets.BUCKET}/template.json",
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    def status() -> str | None:
        found = str(cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["StackStatus"])
        return None if found.endswith("IN_PROGRESS") else found

    ended = wait_for(status, "the deployment", _ENDS_WITHIN_S)
    if ended != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
        reasons = [event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]]
        raise SystemExit(f"ministack: the deployment ended as {ended}: {reasons}")
    print(f"ministack: {len(template['Resources'])} resources deployed, without {', '.join(left_out)} (metric math)")


def _image_as_zip() -> bytes:
    """The code of the container image as a function's zip: `functions` and the library on the Python path."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, file in product.files(product.IMAGE).items():
            archive.writestr(path.removeprefix(_LIBRARY), file.read_bytes())
    return target.getvalue()


def _give_images_as_zips(template: dict[str, Any], key: str) -> None:
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if properties.get("PackageType") == "Image":
            del properties["PackageType"]
            properties["Handler"] = properties.pop("ImageConfig")["Command"][0]
            properties["Runtime"] = "python3.13"
            properties["Code"] = {"S3Bucket": assets.BUCKET, "S3Key": key}


def _leave_out_metric_math(template: dict[str, Any]) -> list[str]:
    """Remove the alarms that ministack refuses; their names."""
    resources = template["Resources"]
    names = [name for name, resource in resources.items() if "Metrics" in resource.get("Properties", {})]
    for name in names:
        del resources[name]
    return names


if __name__ == "__main__":
    sys.exit(main())
