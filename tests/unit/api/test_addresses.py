"""Where the API sends callers to: presigned addresses."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from epsm.api.app import s3
print(s3.generate_presigned_url("get_object", Params={"Bucket": "results", "Key": "runs/a/results.csv"}))
"""


@pytest.mark.parametrize("region", ["eu-central-1", "eu-south-1"])
def test_a_presigned_address_names_the_bucket_s_region(region: str) -> None:
    """S3's global address redirects, which no signature survives, and refuses the newer regions."""
    names = dict.fromkeys(("INPUTS_BUCKET", "RESULTS_BUCKET", "TABLE_NAME", "AWS_ACCESS_KEY_ID"), "some")
    environment = os.environ | names | {"AWS_SECRET_ACCESS_KEY": "some", "AWS_DEFAULT_REGION": region}
    environment.pop("AWS_ENDPOINT_URL", None)
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"https://results.s3.{region}.amazonaws.com/runs/a/results.csv?")
