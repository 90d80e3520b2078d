"""The parts of a template that the local stack emulates, and those that it accepts without effect; others are refused.

A property without effect on the local stack must be listed here, or the deployment fails: nothing is ignored silently.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Support:
    """Properties of one resource type.

    Attributes:
        emulated: Properties with the same effect as on AWS, within the limits described in docs/local-stack.md.
        accepted: Properties without effect.
        values: Supported values of some emulated properties; None stands for an omitted property.
    """

    emulated: frozenset[str]
    accepted: frozenset[str] = frozenset()
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def _support(emulated: str, accepted: str = "", **values: tuple[Any, ...]) -> Support:
    return Support(frozenset(emulated.split()), frozenset(accepted.split()), values)


SUPPORTED: Mapping[str, Support] = {
    "AWS::ApiGatewayV2::Api": _support("CorsConfiguration Description Name ProtocolType Tags", ProtocolType=("HTTP",)),
    "AWS::ApiGatewayV2::Authorizer": _support(
        "ApiId AuthorizerType IdentitySource JwtConfiguration Name",
        AuthorizerType=("JWT",),
        IdentitySource=(["$request.header.Authorization"],),
    ),
    "AWS::ApiGatewayV2::Integration": _support(
        "ApiId Description IntegrationType IntegrationUri PayloadFormatVersion TimeoutInMillis",
        "ConnectionType IntegrationMethod",
        IntegrationType=("AWS_PROXY",),
        PayloadFormatVersion=("2.0",),
    ),
    "AWS::ApiGatewayV2::Route": _support(
        "ApiId AuthorizationScopes AuthorizationType AuthorizerId OperationName RouteKey Target",
        AuthorizationType=(None, "NONE", "AWS_IAM", "JWT"),
    ),
    "AWS::ApiGatewayV2::Stage": _support(
        "ApiId Description StageName Tags", "AccessLogSettings AutoDeploy DefaultRouteSettings"
    ),
    "AWS::CloudWatch::Alarm": _support(
        "AlarmName",
        "AlarmActions AlarmDescription ComparisonOperator DatapointsToAlarm Dimensions EvaluationPeriods MetricName "
        "Metrics Namespace Period Statistic Tags Threshold TreatMissingData",
    ),
    "AWS::CloudWatch::Dashboard": _support("DashboardName", "DashboardBody Tags"),
    "AWS::DynamoDB::Table": _support(
        "AttributeDefinitions BillingMode GlobalSecondaryIndexes KeySchema TimeToLiveSpecification Tags",
        "PointInTimeRecoverySpecification SSESpecification",
    ),
    "AWS::EC2::InternetGateway": _support("Tags"),
    "AWS::EC2::Route": _support("DestinationCidrBlock GatewayId RouteTableId"),
    "AWS::EC2::RouteTable": _support("Tags VpcId"),
    "AWS::EC2::SecurityGroup": _support("GroupDescription SecurityGroupEgress Tags VpcId"),
    "AWS::EC2::Subnet": _support("AvailabilityZone CidrBlock MapPublicIpOnLaunch Tags VpcId"),
    "AWS::EC2::SubnetRouteTableAssociation": _support("RouteTableId SubnetId"),
    "AWS::EC2::VPC": _support("CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Tags"),
    "AWS::EC2::VPCEndpoint": _support("RouteTableIds ServiceName Tags VpcEndpointType VpcId"),
    "AWS::EC2::VPCGatewayAttachment": _support("InternetGatewayId VpcId"),
    "AWS::ECS::Cluster": _support("ClusterName", "Tags"),
    "AWS::ECS::ClusterCapacityProviderAssociations": _support(
        "CapacityProviders Cluster DefaultCapacityProviderStrategy"
    ),
    "AWS::ECS::TaskDefinition": _support(
        "ContainerDefinitions Family NetworkMode",
        "Cpu ExecutionRoleArn Memory RequiresCompatibilities RuntimePlatform Tags TaskRoleArn",
    ),
    "AWS::Events::Rule": _support("Description EventPattern Name ScheduleExpression State Tags Targets"),
    "AWS::IAM::Policy": _support("PolicyDocument PolicyName Roles"),
    "AWS::IAM::Role": _support("AssumeRolePolicyDocument Description ManagedPolicyArns Tags"),
    "AWS::Lambda::EventInvokeConfig": _support(
        "DestinationConfig FunctionName MaximumRetryAttempts", "MaximumEventAgeInSeconds Qualifier"
    ),
    "AWS::Lambda::Function": _support(
        "Code Description Environment FunctionName Handler ImageConfig Layers LoggingConfig MemorySize PackageType "
        "Role Runtime Timeout",
        "Architectures EphemeralStorage ReservedConcurrentExecutions Tags TracingConfig",
    ),
    "AWS::Lambda::LayerVersion": _support("Content Description", "CompatibleArchitectures CompatibleRuntimes"),
    "AWS::Lambda::Permission": _support("Action FunctionName Principal SourceArn"),
    "AWS::Logs::LogGroup": _support("LogGroupName Tags", "RetentionInDays"),
    "AWS::S3::Bucket": _support(
        "NotificationConfiguration PublicAccessBlockConfiguration Tags VersioningConfiguration",
        "BucketEncryption LifecycleConfiguration OwnershipControls",
    ),
    "AWS::S3::BucketPolicy": _support("Bucket PolicyDocument"),
    "AWS::SNS::Topic": _support("DisplayName Tags"),
    "AWS::SNS::TopicPolicy": _support("", "PolicyDocument Topics"),
    "AWS::SQS::Queue": _support("Tags", "MessageRetentionPeriod SqsManagedSseEnabled"),
    "AWS::SQS::QueuePolicy": _support("PolicyDocument Queues"),
    "AWS::StepFunctions::StateMachine": _support(
        "DefinitionString RoleArn StateMachineName StateMachineType Tags",
        "LoggingConfiguration TracingConfiguration",
    ),
}


class NotSupported(Exception):
    """The template has a resource, property or value that the local stack neither emulates nor deliberately ignores."""


def check_template(template: Mapping[str, Any]) -> None:
    """Refuse a template that the local stack does not support.

    Raises:
        NotSupported: If a resource type, property or value is not in `SUPPORTED`; the message lists all of them.
    """
    faults: set[str] = set()
    for resource in template["Resources"].values():
        kind = resource["Type"]
        support = SUPPORTED.get(kind)
        if support is None:
            faults.add(kind)
            continue
        known = support.emulated | support.accepted
        properties = resource.get("Properties", {})
        faults.update(f"{kind}.{name}" for name in properties if name not in known)
        values = {name: properties.get(name) for name in support.values}
        faults.update(f"{kind}.{name}={value}" for name, value in values.items() if value not in support.values[name])
    if faults:
        raise NotSupported(
            f"not known to the local stack (epsm_local/aws/template_support.py): {', '.join(sorted(faults))}"
        )
