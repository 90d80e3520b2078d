"""A local AWS for functions that are measured in another process: buckets, table, a state machine that does nothing."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.handlers import INPUTS, RESULTS, STATE_MACHINE_ARN, TABLE
from epsm.store.files import Files
from epsm.store.records import Records
from epsm_local.aws.session import ACCOUNT, client, session

_SPOOL_BYTES = "65536"


@contextmanager
def local_aws() -> Iterator[str]:
    """Start moto with the local stack's completions, without which a query looks at every item of the
    table; gives its endpoint."""
    os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = _SPOOL_BYTES  # moto reads it when it is imported
    from moto.server import ThreadedMotoServer

    from epsm_local.moto_patches import dynamodb, dynamodb_answers, listings

    for completion in (dynamodb_answers, dynamodb, listings):
        completion.install()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        _set_up(endpoint)
        yield endpoint
    finally:
        server.stop()


def files_on(endpoint: str) -> Files:
    return Files(client("s3", endpoint), RESULTS)


def records_on(endpoint: str) -> Records:
    return Records(_dynamodb(endpoint).Table(TABLE))


def _set_up(endpoint: str) -> None:
    client("s3", endpoint).create_bucket(Bucket=INPUTS)
    client("s3", endpoint).create_bucket(Bucket=RESULTS)
    client("s3", endpoint).put_bucket_versioning(Bucket=INPUTS, VersioningConfiguration={"Status": "Enabled"})
    _dynamodb(endpoint).create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    client("stepfunctions", endpoint).create_state_machine(
        name=STATE_MACHINE_ARN.rsplit(":", 1)[-1],
        definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/benchmark",
    )


def _dynamodb(endpoint: str) -> Any:
    return session().resource("dynamodb", endpoint_url=endpoint)
