"""The local account: who and where it is, and clients onto it."""

import threading
from typing import Any

import boto3
from botocore.config import Config

OWNER = "local"
"""Who asks the local API without a signature: the name of the user, and the access key id."""
ACCOUNT = "123456789012"
REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""moto takes any; these are no secret and open nothing."""

_lock = threading.Lock()
_clients: dict[tuple[str, str], Any] = {}


def session() -> boto3.Session:
    """A session with the local account's credentials, whatever the user's own are."""
    return boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=CREDENTIALS["AWS_SESSION_TOKEN"],
        region_name=REGION,
    )


def client(service: str, endpoint: str) -> Any:
    """A boto3 client of the local account. Kept: making one takes 25 ms, and they can be shared by threads."""
    with _lock:
        if (service, endpoint) not in _clients:
            _clients[service, endpoint] = session().client(
                service,
                endpoint_url=endpoint,
                config=Config(
                    retries={"total_max_attempts": 1},
                    read_timeout=3600,
                    max_pool_connections=64,
                    inject_host_prefix=False,
                    s3={"addressing_style": "path"},
                ),
            )
        return _clients[service, endpoint]
