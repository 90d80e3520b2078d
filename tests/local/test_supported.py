"""Which templates the local stack accepts; others are refused by name: template_support.py."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from epsm_local.aws.template_support import SUPPORTED, NotSupported, check_template
from epsm_local.stack import LocalStack

BUCKET = "AWS::S3::Bucket"


def template(*resources: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"Resources": {f"R{n}": {"Type": kind, "Properties": given} for n, (kind, given) in enumerate(resources)}}


def test_what_is_known_is_taken() -> None:
    check_template(template((BUCKET, {"VersioningConfiguration": {"Status": "Enabled"}, "BucketEncryption": {}})))


def test_a_resource_without_properties_is_taken() -> None:
    check_template({"Resources": {"Bucket": {"Type": BUCKET}}})


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(NotSupported, match=r"AWS::Kinesis::Stream\b"):
        check_template(template(("AWS::Kinesis::Stream", {})))


def test_an_unknown_property_is_refused_by_name() -> None:
    with pytest.raises(NotSupported, match=r"AWS::S3::Bucket\.WebsiteConfiguration\b"):
        check_template(template((BUCKET, {"WebsiteConfiguration": {}})))


@pytest.mark.parametrize(
    ("kind", "properties", "fault"),
    [
        ("Api", {"ProtocolType": "WEBSOCKET"}, "ProtocolType=WEBSOCKET"),
        ("Authorizer", {"AuthorizerType": "REQUEST"}, "AuthorizerType=REQUEST"),
        ("Authorizer", {"IdentitySource": ["$request.querystring.token"]}, "IdentitySource="),
        ("Integration", {"IntegrationType": "HTTP_PROXY"}, "IntegrationType=HTTP_PROXY"),
        ("Integration", {"PayloadFormatVersion": "1.0"}, "PayloadFormatVersion=1.0"),
        ("Integration", {"IntegrationType": "AWS_PROXY"}, "PayloadFormatVersion=None"),
        ("Route", {"AuthorizationType": "CUSTOM"}, "AuthorizationType=CUSTOM"),
    ],
)
def test_a_value_that_is_not_emulated_is_refused(kind: str, properties: dict[str, Any], fault: str) -> None:
    with pytest.raises(NotSupported, match=re.escape(f"AWS::ApiGatewayV2::{kind}.{fault}")):
        check_template(template((f"AWS::ApiGatewayV2::{kind}", properties)))


@pytest.mark.parametrize("properties", [{}, {"AuthorizationType": "AWS_IAM"}, {"AuthorizationType": "JWT"}])
def test_a_value_that_is_emulated_is_taken(properties: dict[str, Any]) -> None:
    check_template(template(("AWS::ApiGatewayV2::Route", properties)))


def test_everything_unknown_is_named_once() -> None:
    unknown = template(("B::B::B", {}), (BUCKET, {"Y": 1, "X": 1}), ("B::B::B", {}), (BUCKET, {"X": 1, "Tags": []}))
    with pytest.raises(NotSupported) as refused:
        check_template(unknown)
    assert str(refused.value).endswith(": AWS::S3::Bucket.X, AWS::S3::Bucket.Y, B::B::B")


def test_no_property_is_both_emulated_and_accepted() -> None:
    assert {kind: support.emulated & support.accepted for kind, support in SUPPORTED.items()} == {
        kind: frozenset() for kind in SUPPORTED
    }


def test_only_values_of_emulated_properties_are_judged() -> None:
    assert {kind: support.values.keys() - support.emulated for kind, support in SUPPORTED.items()} == {
        kind: set() for kind in SUPPORTED
    }


@pytest.mark.usefixtures("stack")
def test_every_supported_type_can_be_made() -> None:
    from moto.cloudformation import parsing  # with the completions' types, once a stack runs

    assert SUPPORTED.keys() - parsing.get_model_map().keys() == set()


NOT_USED_YET = {"AWS::ApiGatewayV2::Authorizer"}
"""What only another context uses: tokens instead of IAM."""


def test_the_products_template_uses_every_type_that_is_supported(stack: LocalStack) -> None:
    """So that the list does not grow old; take out what nothing uses any more."""
    body = stack.client("cloudformation").get_template(StackName="epsm-local")["TemplateBody"]
    resources = (json.loads(body) if isinstance(body, str) else body)["Resources"]
    assert SUPPORTED.keys() - {resource["Type"] for resource in resources.values()} == NOT_USED_YET
