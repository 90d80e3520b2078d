"""Resources and properties that moto's CloudFormation ignores.

Completes moto/cloudformation/parsing.py: a type that moto lacks gets a class here (moto finds types among the direct
subclasses of CloudFormationModel); a type that moto reads only in part is completed after moto has created it.
"""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda.models import ImageConfig, LambdaFunction, LayerVersion
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel
from moto.dynamodb.models.table import Table
from moto.ec2.models.vpcs import VPC
from moto.ecs.models import TaskDefinition
from moto.s3.models import FakeBucket
from moto.stepfunctions.models import StateMachine

from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.aws.template_support import NotSupported
from epsm_local.moto_patches import local_aws

_keep: list[type] = []


def install() -> None:
    for kind, create in (
        ("AWS::S3::BucketPolicy", _bucket_policy),
        ("AWS::SQS::QueuePolicy", _queue_policy),
        ("AWS::SNS::TopicPolicy", lambda properties, name: name),
        ("AWS::Lambda::EventInvokeConfig", _event_invoke_config),
        ("AWS::ECS::ClusterCapacityProviderAssociations", _capacity_providers),
    ):
        add_type(kind, create)
    add_type(
        "AWS::CloudWatch::Alarm",
        _alarm,
        delete=lambda name: local_aws().client("cloudwatch").delete_alarms(AlarmNames=[name]),
        attributes={"Arn": lambda name: f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"},
    )
    _finish(FakeBucket, _bucket)
    _finish(Table, _table)
    _finish(LambdaFunction, _function)
    _finish(StateMachine, _state_machine)
    _finish(VPC, _network)
    _finish(TaskDefinition, _task_definition)
    LayerVersion.physical_resource_id = property(lambda self: self.arn)  # in moto, Ref returns the object itself
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def add_type(
    kind: str,
    create: Callable[[dict[str, Any], str], str],
    *,
    attributes: Mapping[str, Callable[[str], str]] | None = None,
    delete: Callable[[str], object] = lambda physical_id: None,
    idempotent: bool = True,
) -> None:
    """Register a CloudFormation type with moto.

    Args:
        kind: `AWS::Service::Type`.
        create: Creates a resource from its properties and name, and returns its physical id.
        attributes: Returns the attributes for Fn::GetAtt, from the physical id.
        delete: Deletes the resource with a physical id; omitted if it is deleted with another resource.
        idempotent: Whether creating it again updates it. Updates of other types are refused.
    """
    get_attributes = attributes or {}

    def create_from_cloudformation_json(
        cls: Any, /, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Any:
        resource = cls.__new__(cls)
        resource.physical_resource_id = create(cloudformation_json.get("Properties", {}), resource_name)
        return resource

    def update_from_cloudformation_json(
        cls: Any, /, original_resource: Any, new_resource_name: str, cloudformation_json: Any, **where: str
    ) -> Any:
        if not idempotent:
            raise NotSupported(f"{kind} cannot be updated on the local stack: deploy it again")
        return create_from_cloudformation_json(cls, new_resource_name, cloudformation_json, **where)

    def get_cfn_attribute(self: Any, attribute_name: str) -> str:
        if attribute_name not in get_attributes:
            raise UnformattedGetAttTemplateException
        return get_attributes[attribute_name](self.physical_resource_id)

    _keep.append(
        type(
            kind.replace("::", ""),
            (CloudFormationModel,),
            {
                "cloudformation_name_type": staticmethod(lambda: ""),
                "cloudformation_type": staticmethod(lambda: kind),
                "has_cfn_attr": classmethod(lambda cls, attr: attr in get_attributes),
                "get_cfn_attribute": get_cfn_attribute,
                "create_from_cloudformation_json": classmethod(create_from_cloudformation_json),
                "update_from_cloudformation_json": classmethod(update_from_cloudformation_json),
                "delete_from_cloudformation_json": classmethod(lambda cls, physical_id, *_, **__: delete(physical_id)),
                "physical_resource_id": "",
            },
        )
    )


def _finish(model: Any, finish: Callable[[Any, dict[str, Any], str], None]) -> None:
    """Let `finish` complete the resource that `model` creates from a template's properties."""
    stock = model.create_from_cloudformation_json.__func__

    def create(
        cls: Any, /, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any
    ) -> Any:
        properties = copy.deepcopy(cloudformation_json.get("Properties", {}))
        resource = stock(cls, resource_name, cloudformation_json, account_id, region_name, **more)
        finish(resource, properties, resource_name)
        return resource

    model.create_from_cloudformation_json = classmethod(create)


def _lower_first(properties: Any) -> Any:
    """A template's properties with the API's names, at every depth."""
    if isinstance(properties, Mapping):
        return {name[0].lower() + name[1:]: _lower_first(value) for name, value in properties.items()}
    return [_lower_first(property_) for property_ in properties] if isinstance(properties, list) else properties


# --- resource types that moto lacks


def _bucket_policy(properties: dict[str, Any], name: str) -> str:
    document = copy.deepcopy(properties["PolicyDocument"])
    # moto ignores Condition: "deny without TLS", or "deny unless it is that role", would deny everything. The local
    # endpoint is on loopback, and has one user.
    document["Statement"] = [
        statement
        for statement in document["Statement"]
        if statement["Effect"] != "Deny" or not statement.get("Condition")
    ]
    if document["Statement"]:
        local_aws().client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=json.dumps(document))
    return str(properties["Bucket"])


def _queue_policy(properties: dict[str, Any], name: str) -> str:
    for url in properties["Queues"]:
        policy = {"Policy": json.dumps(properties["PolicyDocument"])}
        local_aws().client("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
    return name


def _capacity_providers(properties: dict[str, Any], name: str) -> str:
    """AWS::ECS::ClusterCapacityProviderAssociations."""
    local_aws().client("ecs").put_cluster_capacity_providers(**_lower_first(properties))
    return str(properties["Cluster"])


def _event_invoke_config(properties: dict[str, Any], name: str) -> str:
    supported = ("FunctionName", "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    given = {name: properties[name] for name in supported if name in properties}
    local_aws().client("lambda").put_function_event_invoke_config(**given)
    return name


def _alarm(properties: dict[str, Any], name: str) -> str:
    """An alarm that is listed but never evaluated: it keeps CloudWatch's initial state."""
    parameters = {"AlarmName": name, **_numbers(properties)}
    cloudwatch = local_aws().client("cloudwatch")
    cloudwatch.put_metric_alarm(**parameters)
    cloudwatch.set_alarm_state(
        AlarmName=parameters["AlarmName"],
        StateValue="INSUFFICIENT_DATA",
        StateReason="Unchecked: Initial alarm creation. The local stack does not evaluate alarms.",
    )
    return str(parameters["AlarmName"])


_INTEGERS = {"EvaluationPeriods", "DatapointsToAlarm", "Period"}


def _numbers(properties: Any) -> Any:
    """Numbers and booleans of a template may be texts."""
    if isinstance(properties, Mapping):
        return {
            name: int(value)
            if name in _INTEGERS
            else float(value)
            if name == "Threshold"
            else str(value).lower() == "true"
            if name in ("ReturnData", "ActionsEnabled")
            else _numbers(value)
            for name, value in properties.items()
        }
    return [_numbers(property_) for property_ in properties] if isinstance(properties, list) else properties


# --- properties that moto ignores


def _bucket(bucket: FakeBucket, properties: dict[str, Any], name: str) -> None:
    s3 = local_aws().client("s3")
    if versioning := properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    if block := properties.get("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    if "EventBridgeConfiguration" in properties.get("NotificationConfiguration", {}):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )


def _table(table: Table, properties: dict[str, Any], name: str) -> None:
    dynamodb = local_aws().client("dynamodb")
    if expiry := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=table.name, TimeToLiveSpecification=expiry)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        dynamodb.update_continuous_backups(TableName=table.name, PointInTimeRecoverySpecification=recovery)


def _function(function: LambdaFunction, properties: dict[str, Any], name: str) -> None:
    function.package_type = properties.get("PackageType", "Zip")
    function.image_config = ImageConfig(properties.get("ImageConfig", {}))
    function.tracing_config = properties.get("TracingConfig", function.tracing_config)
    function.layers = function._get_layers_data(properties.get("Layers", []))
    function.timeout, function.memory_size = int(function.timeout), int(function.memory_size)
    if "EphemeralStorage" in properties:
        function.ephemeral_storage = int(properties["EphemeralStorage"]["Size"])
    if "Architectures" in properties:
        function.architectures = properties["Architectures"]
    if group := properties.get("LoggingConfig", {}).get("LogGroup"):
        function.logs_group_name = group


def _network(network: VPC, properties: dict[str, Any], name: str) -> None:
    network.enable_dns_hostnames = bool(properties.get("EnableDnsHostnames", False))
    network.enable_dns_support = bool(properties.get("EnableDnsSupport", True))


def _task_definition(task: TaskDefinition, properties: dict[str, Any], name: str) -> None:
    task.cpu, task.requires_compatibilities = properties.get("Cpu"), properties.get("RequiresCompatibilities")
    task.network_mode = properties.get("NetworkMode", task.network_mode)
    task.task_role_arn, task.execution_role_arn = properties.get("TaskRoleArn"), properties.get("ExecutionRoleArn")
    for container in task.container_definitions:
        # On Fargate a container has the task's memory by default; moto runs no container without its own memory.
        container.setdefault("memory", int(properties.get("Memory", 0)))


def _state_machine(machine: StateMachine, properties: dict[str, Any], name: str) -> None:
    machine.type = machine.sm_type = properties.get("StateMachineType", "STANDARD")
    if "LoggingConfiguration" in properties:
        machine.loggingConfiguration = _lower_first(properties["LoggingConfiguration"])
    if "TracingConfiguration" in properties:
        machine.tracingConfiguration = _lower_first(properties["TracingConfiguration"])
