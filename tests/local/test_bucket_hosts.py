"""Bucket names in the host name, as clients with virtual-hosted addressing send them."""

import http.client
import socket
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from epsm_local.aws.session import CREDENTIALS, REGION
from epsm_local.stack import LocalStack
from tests.moto_fixtures import unique

KEYS = ["a.idf", "folder/b c ü+%.idf", "moto-api/x"]


@pytest.fixture
def bucket(stack: LocalStack) -> str:
    name = unique("host")
    stack.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def virtual(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client that puts buckets into the host name; all names below localhost are this machine, as in browsers."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **kw: resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **kw),
    )
    return boto3.client(
        "s3",
        endpoint_url=stack.endpoint.replace("127.0.0.1", "localhost"),
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "virtual"}, signature_version="s3v4"),
    )


def sent(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request(method, target, body, {"Host": parts.netloc, **(headers or {})})
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("key", KEYS)
def test_objects_are_put_read_listed_and_removed(stack: LocalStack, virtual: Any, bucket: str, key: str) -> None:
    virtual.put_object(Bucket=bucket, Key=key, Body=b"content")
    assert stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"content"
    assert virtual.get_object(Bucket=bucket, Key=key)["Body"].read() == b"content"
    assert [each["Key"] for each in virtual.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    virtual.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in virtual.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("key", KEYS)
def test_presigned_urls_name_the_bucket_in_the_host(virtual: Any, bucket: str, key: str) -> None:
    where = {"Bucket": bucket, "Key": key}
    put, get = (virtual.generate_presigned_url(each, Params=where) for each in ("put_object", "get_object"))
    assert urlsplit(put).netloc.startswith(f"{bucket}.localhost:")
    assert sent("PUT", put, b"content")[0] == 200
    assert sent("GET", get) == (200, b"content")


def test_a_presigned_form_is_taken(stack: LocalStack, virtual: Any, bucket: str) -> None:
    form = virtual.generate_presigned_post(bucket, "folder/a.idf")
    assert urlsplit(form["url"]).netloc.startswith(f"{bucket}.localhost:")
    fields = [*form["fields"].items(), ("file", "content")]
    body = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields) + "--x--\r\n"
    status, _ = sent("POST", form["url"], body.encode(), {"Content-Type": "multipart/form-data; boundary=x"})
    assert status in (200, 204)
    assert stack.client("s3").get_object(Bucket=bucket, Key="folder/a.idf")["Body"].read() == b"content"
