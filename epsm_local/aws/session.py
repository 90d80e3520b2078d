"""The local account: its identity and region, and clients for it."""

import os
import threading
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConstantProvider

OWNER = "local"
"""Caller of the local API without a signature: the name of the user, and the access key id."""
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
"""moto accepts any credentials; these are not secret and give no access."""

_lock = threading.Lock()
_clients: dict[tuple[str, str], Any] = {}


_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def leave_user_settings() -> None:
    """Remove the user's AWS settings, and proxies for this machine, from the environment of this process, which serves
    a local stack.

    moto and libraries create their own boto3 sessions, for which an unknown profile or a broken file would be fatal.
    Proxies are kept for downloads.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ[name] = os.devnull
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), *_LOOPBACK)))


def session() -> boto3.Session:
    """A session with the local account's credentials, independent of the user's settings (variables, files, proxies).

    A broken config file, an unknown profile, S3 acceleration or a proxy must not affect a stack on this machine.
    """
    core = botocore.session.Session()
    settings = core.get_component("config_store")
    defaults = {"config_file": os.devnull, "credentials_file": os.devnull, "region": REGION}
    for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        settings.set_config_provider(name, ConstantProvider(defaults.get(name, default)))
    core.set_default_client_config(Config(proxies={}, inject_host_prefix=False, s3={"addressing_style": "path"}))
    return boto3.Session(
        botocore_session=core,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=CREDENTIALS["AWS_SESSION_TOKEN"],
        region_name=REGION,
    )


def client(service: str, endpoint: str) -> Any:
    """A boto3 client of the local account. Cached: creating one takes 25 ms, and clients can be shared by threads."""
    with _lock:
        if (service, endpoint) not in _clients:
            any_service: Any = session()
            _clients[service, endpoint] = any_service.client(
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
