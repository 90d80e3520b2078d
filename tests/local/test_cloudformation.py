"""The resources of a template exist after create_stack. The completion is epsm_local/moto_patches/cloudformation.py."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from epsm_local.aws.session import ACCOUNT, REGION
from tests.moto_fixtures import Aws, Deployed, unique, zipped

HANDLER = "def handler(event, context):\n    print('hello')\n    return 'done'"
PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/assets:tag"


def deny_without_tls(service: str, resource: Any) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Action": f"{service}:*",
        "Principal": {"AWS": "*"},
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def resources(code: dict[str, str], layer: dict[str, str]) -> dict[str, Any]:
    """One resource of each kind that is completed."""
    objects = {"Fn::Join": ["", [arn("Bucket"), "/*"]]}
    allow = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Resource": objects,
    }
    send = {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Principal": {"Service": "events.amazonaws.com"},
        "Resource": arn("Queue"),
    }
    assume = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": assume}},
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
            },
        },
        "Plain": {"Type": "AWS::S3::Bucket"},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [deny_without_tls("s3", [arn("Bucket"), objects]), allow],
                },
            },
        },
        "PlainPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Plain"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [deny_without_tls("s3", arn("Plain"))]},
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [deny_without_tls("sqs", arn("Queue")), send],
                },
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic"},
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": {"Statement": [deny_without_tls("sns", {"Ref": "Topic"})]},
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            },
        },
        "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": layer}},
        "LogGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": unique("/own/group")}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": code,
                "Handler": "handler.handler",
                "Runtime": "python3.13",
                "Role": arn("Role"),
                "Timeout": 30,
                "MemorySize": 512,
                "Layers": [{"Ref": "Layer"}],
                "LoggingConfig": {"LogGroup": {"Ref": "LogGroup"}},
                "TracingConfig": {"Mode": "Active"},
                "EphemeralStorage": {"Size": 1024},
                "Architectures": ["arm64"],
                "Environment": {"Variables": {"BUCKET": {"Ref": "Bucket"}}},
            },
        },
        "FromImage": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ImageUri": IMAGE},
                "PackageType": "Image",
                "ImageConfig": {"Command": ["functions.run_variant.handler.handler"]},
                "Role": arn("Role"),
            },
        },
        "InvokeConfig": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 1,
                "MaximumEventAgeInSeconds": 3600,
                "DestinationConfig": {"OnFailure": {"Destination": arn("Queue")}},
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": json.dumps(PASS),
                "RoleArn": arn("Role"),
                "StateMachineType": "STANDARD",
                "TracingConfiguration": {"Enabled": True},
                "LoggingConfiguration": {"Level": "ERROR", "IncludeExecutionData": True},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.s3"], "detail": {"bucket": {"name": [{"Ref": "Bucket"}]}}},
                "Targets": [{"Id": "1", "Arn": arn("Queue")}],
            },
        },
    }


def uploaded(aws: Aws) -> tuple[dict[str, str], dict[str, str]]:
    """A function's code and a layer's content in S3."""
    bucket = aws.bucket()
    contents = {"code.zip": {"handler.py": HANDLER}, "layer.zip": {"python/epsm/__init__.py": ""}}
    for key, files in contents.items():
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=zipped(files))
    return {"S3Bucket": bucket, "S3Key": "code.zip"}, {"S3Bucket": bucket, "S3Key": "layer.zip"}


@pytest.fixture(scope="module")
def deployed(aws: Aws) -> Deployed:
    return aws.deploy(resources(*uploaded(aws)))


def configuration(aws: Aws, function: str) -> dict[str, Any]:
    return dict(aws.client("lambda").get_function_configuration(FunctionName=function))


# --- S3


def test_a_bucket_is_versioned(aws: Aws, deployed: Deployed) -> None:
    assert aws.client("s3").get_bucket_versioning(Bucket=deployed.ids["Bucket"])["Status"] == "Enabled"


def test_a_bucket_that_says_nothing_is_not_versioned(aws: Aws, deployed: Deployed) -> None:
    assert "Status" not in aws.client("s3").get_bucket_versioning(Bucket=deployed.ids["Plain"])


def test_a_bucket_tells_eventbridge_and_the_rule_the_queue(aws: Aws, deployed: Deployed) -> None:
    aws.client("s3").put_object(Bucket=deployed.ids["Bucket"], Key="a.txt", Body=b"")
    name = deployed.ids["Queue"].rpartition("/")[2]
    url = aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    body = json.loads(aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"])
    assert body["detail"]["object"]["key"] == "a.txt"


def test_a_bucket_blocks_public_access(aws: Aws, deployed: Deployed) -> None:
    found = aws.client("s3").get_public_access_block(Bucket=deployed.ids["Bucket"])
    assert found["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] is True


@pytest.mark.parametrize("bucket", ["Bucket", "Plain"])
def test_a_policy_against_plain_http_does_not_lock_out(aws: Aws, deployed: Deployed, bucket: str) -> None:
    s3, where = aws.client("s3"), {"Bucket": deployed.ids[bucket], "Key": "kept.txt"}
    s3.put_object(**where, Body=b"kept")
    assert s3.get_object(**where)["Body"].read() == b"kept"


def test_the_rest_of_a_policy_is_there(aws: Aws, deployed: Deployed) -> None:
    policy = json.loads(aws.client("s3").get_bucket_policy(Bucket=deployed.ids["Bucket"])["Policy"])
    assert [statement["Effect"] for statement in policy["Statement"]] == ["Allow"]


# --- SQS, SNS, DynamoDB


def test_the_policy_of_a_queue_is_there(aws: Aws, deployed: Deployed) -> None:
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=deployed.ids["Queue"], AttributeNames=["Policy"])
    statements = json.loads(attributes["Attributes"]["Policy"])["Statement"]
    assert "sqs:SendMessage" in [statement["Action"] for statement in statements]


def test_a_queue_with_a_policy_against_plain_http_takes_messages(aws: Aws, deployed: Deployed) -> None:
    assert aws.client("sqs").send_message(QueueUrl=deployed.ids["Queue"], MessageBody="{}")["MessageId"]


def test_a_topic_with_a_policy_against_plain_http_takes_messages(aws: Aws, deployed: Deployed) -> None:
    assert aws.client("sns").publish(TopicArn=deployed.ids["Topic"], Message="m")["MessageId"]


def test_items_of_a_table_expire(aws: Aws, deployed: Deployed) -> None:
    found = aws.client("dynamodb").describe_time_to_live(TableName=deployed.ids["Table"])
    assert found["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_a_table_can_be_recovered(aws: Aws, deployed: Deployed) -> None:
    found = aws.client("dynamodb").describe_continuous_backups(TableName=deployed.ids["Table"])
    recovery = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


# --- Lambda


def test_a_reference_to_a_layer_is_its_arn(deployed: Deployed) -> None:
    assert deployed.ids["Layer"].startswith(f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:")


def test_a_function_has_its_layers(aws: Aws, deployed: Deployed) -> None:
    found = configuration(aws, deployed.ids["Function"])
    assert [layer["Arn"] for layer in found["Layers"]] == [deployed.ids["Layer"]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Timeout", 30),
        ("MemorySize", 512),
        ("TracingConfig", {"Mode": "Active"}),
        ("EphemeralStorage", {"Size": 1024}),
        ("Architectures", ["arm64"]),
        ("PackageType", "Zip"),
    ],
)
def test_a_function_is_configured_as_the_template_says(aws: Aws, deployed: Deployed, key: str, value: Any) -> None:
    assert configuration(aws, deployed.ids["Function"])[key] == value


def test_a_function_runs(aws: Aws, deployed: Deployed) -> None:
    assert aws.invoke(deployed.ids["Function"]).value == "done"


def test_a_function_writes_into_the_log_group_of_the_template(aws: Aws, deployed: Deployed) -> None:
    aws.invoke(deployed.ids["Function"])
    events = aws.client("logs").filter_log_events(logGroupName=deployed.ids["LogGroup"])["events"]
    assert "hello" in [event["message"] for event in events]


def test_a_function_from_an_image_has_its_command(aws: Aws, deployed: Deployed) -> None:
    found = configuration(aws, deployed.ids["FromImage"])
    assert found["PackageType"] == "Image"
    assert found["ImageConfigResponse"]["ImageConfig"]["Command"] == ["functions.run_variant.handler.handler"]


def test_a_function_has_its_event_invoke_config(aws: Aws, deployed: Deployed) -> None:
    found = aws.client("lambda").get_function_event_invoke_config(FunctionName=deployed.ids["Function"])
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (1, 3600)
    assert found["DestinationConfig"]["OnFailure"]["Destination"].endswith(deployed.ids["Queue"].rpartition("/")[2])


# --- Step Functions


def test_a_machine_from_a_template_is_interpreted(aws: Aws, deployed: Deployed) -> None:
    assert json.loads(aws.run(deployed.ids["Machine"], {"n": 1})["output"]) == {"n": 1}


def test_a_machine_from_a_template_is_listed(aws: Aws, deployed: Deployed) -> None:
    machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
    assert deployed.ids["Machine"] in [machine["stateMachineArn"] for machine in machines]


def test_a_machine_is_configured_as_the_template_says(aws: Aws, deployed: Deployed) -> None:
    found = aws.client("stepfunctions").describe_state_machine(stateMachineArn=deployed.ids["Machine"])
    assert (found["type"], found["tracingConfiguration"]) == ("STANDARD", {"enabled": True})
    assert found["loggingConfiguration"] == {"level": "ERROR", "includeExecutionData": True}


def test_a_machine_that_cannot_be_parsed_is_refused(aws: Aws) -> None:
    broken = {"StartAt": "A", "States": {"A": {"Type": "Nonsense"}}}
    properties = {"DefinitionString": json.dumps(broken), "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/any"}
    with pytest.raises(ResponseParserError, match="Nonsense"):
        aws.deploy({"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}})


# --- the stack


def test_a_stack_can_be_deleted(aws: Aws) -> None:
    stack = aws.deploy(resources(*uploaded(aws)))
    aws.client("cloudformation").delete_stack(StackName=stack.name)
    with pytest.raises(ClientError):
        aws.client("cloudformation").describe_stacks(StackName=stack.name)


def test_nothing_of_a_deleted_stack_is_left(aws: Aws) -> None:
    stack = aws.deploy(resources(*uploaded(aws)))
    aws.client("cloudformation").delete_stack(StackName=stack.name)
    names = [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]]
    assert stack.ids["Bucket"] not in names
