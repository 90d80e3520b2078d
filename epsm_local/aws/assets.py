"""Publishing assets: zips in the bucket that `cdk bootstrap` creates, where the template expects them."""

from collections.abc import Mapping
from typing import Any

from epsm_local.aws.session import ACCOUNT, REGION

BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
"""CDK's default name."""


def publish_files(files: Mapping[str, bytes], s3: Any) -> None:
    """Upload every file to the bucket under its key."""
    if BUCKET not in (bucket["Name"] for bucket in s3.list_buckets()["Buckets"]):
        s3.create_bucket(Bucket=BUCKET)
    for key, content in files.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
