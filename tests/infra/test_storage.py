"""Buckets and table as they are deployed."""

import json

import pytest

from tests.infra.conftest import Template

BUCKETS = ("Inputs", "Results")


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private(template: Template, name: str) -> None:
    block = template.only("AWS::S3::Bucket", name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_encrypted(template: Template, name: str) -> None:
    assert "BucketEncryption" in template.only("AWS::S3::Bucket", name)


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_refuses_requests_without_tls(template: Template, name: str) -> None:
    policy = template.only("AWS::S3::BucketPolicy", name)["PolicyDocument"]["Statement"]
    denied = [each for each in policy if each["Effect"] == "Deny"]
    assert denied[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denied[0]["Action"] == "s3:*"


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_drops_unfinished_uploads(template: Template, name: str) -> None:
    rules = template.only("AWS::S3::Bucket", name)["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_inputs_keep_versions(template: Template) -> None:
    assert template.only("AWS::S3::Bucket", "Inputs")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_replaced_inputs_are_forgotten_after_the_chosen_time(other_template: Template) -> None:
    rules = other_template.only("AWS::S3::Bucket", "Inputs")["LifecycleConfiguration"]["Rules"]
    assert {"NoncurrentDays": 50} in [rule.get("NoncurrentVersionExpiration") for rule in rules]


@pytest.mark.parametrize("prefix", ["uploads/", "canary/"])
def test_what_has_expired_is_gone_a_day_later(template: Template, prefix: str) -> None:
    rules = template.only("AWS::S3::Bucket", "Inputs")["LifecycleConfiguration"]["Rules"]
    (rule,) = [each for each in rules if each.get("Prefix") == prefix]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_canaries_that_nobody_picked_up_are_forgotten(template: Template) -> None:
    rules = template.only("AWS::S3::Bucket", "Inputs")["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "canary/"] == [7]


def test_inputs_tell_eventbridge_without_a_custom_resource(template: Template) -> None:
    notification = template.only("AWS::S3::Bucket", "Inputs")["NotificationConfiguration"]
    assert notification == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert not [kind for kind in json.dumps(template.document).split('"') if kind.startswith("Custom::")]


def test_results_tell_nobody_so_that_nothing_triggers_itself(template: Template) -> None:
    assert "NotificationConfiguration" not in template.only("AWS::S3::Bucket", "Results")


def test_the_table_costs_nothing_while_idle(template: Template) -> None:
    assert template.only("AWS::DynamoDB::Table")["BillingMode"] == "PAY_PER_REQUEST"


def test_the_table_can_be_restored_to_a_point_in_time(template: Template) -> None:
    recovery = template.only("AWS::DynamoDB::Table")["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}


def test_records_expire(template: Template) -> None:
    expiry = template.only("AWS::DynamoDB::Table")["TimeToLiveSpecification"]
    assert expiry == {"AttributeName": "expires_at", "Enabled": True}


def test_studies_are_listed_by_creation_time_of_all_and_of_an_owner(template: Template) -> None:
    indexes = template.only("AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    keys = [[key["AttributeName"] for key in index["KeySchema"]] for index in indexes]
    assert keys == [["record_type", "created_at"], ["owner", "created_at"]]


@pytest.mark.parametrize("kind", ["AWS::S3::Bucket", "AWS::DynamoDB::Table"])
def test_data_outlives_the_stack(template: Template, kind: str) -> None:
    assert {each["DeletionPolicy"] for each in template.of_type(kind).values()} == {"Retain"}


@pytest.mark.parametrize("kind", ["AWS::S3::Bucket", "AWS::DynamoDB::Table"])
def test_data_goes_with_the_stack_if_that_is_chosen(other_template: Template, kind: str) -> None:
    assert {each["DeletionPolicy"] for each in other_template.of_type(kind).values()} == {"Delete"}


def test_only_the_api_writes_where_its_callers_files_are(template: Template) -> None:
    policy = template.only("AWS::S3::BucketPolicy", "Inputs")["PolicyDocument"]["Statement"]
    (rule,) = [each for each in policy if each.get("Sid") == "OnlyTheApiWritesForCallers"]
    assert (rule["Effect"], rule["Action"], rule["Principal"]) == ("Deny", "s3:PutObject", {"AWS": "*"})
    assert {"/users/*", "/uploads/*"} == {each["Fn::Join"][1][-1] for each in rule["Resource"]}
    assert list(rule["Condition"]) == ["ArnNotEquals"]
