"""Presigned addresses that the API gives to callers."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from epsm.store.stack import Stack
print(Stack.from_environment().files.presigned_download("runs/a/results.csv", 900))
"""


@pytest.mark.parametrize("region", ["eu-central-1", "eu-south-1"])
def test_a_presigned_address_names_the_bucket_s_region(region: str) -> None:
    """S3's global address redirects, which no signature survives, and refuses the newer regions."""
    names = {"INPUTS_BUCKET": "some", "RESULTS_BUCKET": "results", "TABLE_NAME": "some", "AWS_ACCESS_KEY_ID": "some"}
    environment = os.environ | names | {"AWS_SECRET_ACCESS_KEY": "some", "AWS_DEFAULT_REGION": region}
    environment.pop("AWS_ENDPOINT_URL", None)
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"https://results.s3.{region}.amazonaws.com/runs/a/results.csv?")
