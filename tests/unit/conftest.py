"""AWS in this process, empty for each test: moto without a server, so a call takes a millisecond or two."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from epsm.settings import Settings
from epsm.store import attributes, keys
from epsm.store.accounts import Accounts
from epsm.store.files import Files
from epsm.store.inputs import InputsBucket
from epsm.store.records import Records
from epsm.store.stack import Stack

INPUTS, RESULTS, TABLE = "inputs", "results", "studies"


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Clients of nobody's account; what they are made from is read once."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")


@pytest.fixture(scope="session")
def clients(session: boto3.Session) -> Stack:
    """What the stack makes its clients with; they are made once for all tests."""
    settings = Settings(inputs_bucket=INPUTS, results_bucket=RESULTS, table_name=TABLE)
    return Stack(settings, session.client, session.resource)


@pytest.fixture
def aws(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """A session whose calls stay in this process."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield session


@pytest.fixture
def table(aws: boto3.Session) -> Any:
    """A table with the keys and indexes of the deployed one."""

    def schema(hash_key: str, range_key: str) -> Any:
        return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]

    def index(name: str, hash_key: str) -> Any:
        key_schema = schema(hash_key, attributes.CREATED_AT)
        return {"IndexName": name, "KeySchema": key_schema, "Projection": {"ProjectionType": "ALL"}}

    key_attributes = (
        keys.PARTITION_KEY,
        keys.SORT_KEY,
        attributes.RECORD_TYPE,
        attributes.OWNER,
        attributes.CREATED_AT,
    )
    return aws.resource("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=schema(keys.PARTITION_KEY, keys.SORT_KEY),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in key_attributes],
        GlobalSecondaryIndexes=[
            index(keys.BY_CREATED_AT, attributes.RECORD_TYPE),
            index(keys.BY_OWNER, attributes.OWNER),
        ],
    )


@pytest.fixture
def records(table: Any) -> Records:
    return Records(table)


@pytest.fixture
def accounts(table: Any) -> Accounts:
    return Accounts(table)


@pytest.fixture
def s3(aws: boto3.Session, clients: Stack) -> Any:
    """Both buckets; that for inputs keeps versions, as the deployed one does."""
    for bucket in (INPUTS, RESULTS):
        clients.s3.create_bucket(Bucket=bucket)
    clients.s3.put_bucket_versioning(Bucket=INPUTS, VersioningConfiguration={"Status": "Enabled"})
    return clients.s3


@pytest.fixture
def files(s3: Any) -> Files:
    return Files(s3, RESULTS)


@pytest.fixture
def inputs(s3: Any) -> InputsBucket:
    return InputsBucket(s3, INPUTS)
