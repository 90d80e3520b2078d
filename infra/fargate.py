"""Runs in containers: Fargate tasks from the image of the functions, and their network.

No cost while no task runs: tasks have public addresses instead of a NAT gateway, and the gateway endpoints, the cluster
and the task definition are free.
"""

from collections.abc import Mapping

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from epsm.study.compute import STOP_TIMEOUT_S, Tasks
from infra.config import Config
from infra.functions import log_group
from infra.nag import accept, accept_wildcards

MEMORY_MB = 4096
_VCPU = 1024
"""One whole vCPU, in ECS's units: a run uses one core. A task for a batch has more."""
_CONTAINER = "run-variant"


class Containers(Construct):
    """The task definition that runs a variant or a batch, and where it runs.

    Args:
        image: The image of the functions.
        environment: Variables of the container.

    Attributes:
        cluster, task, container, security_group: For a state machine that runs a task.
        role: The role of the task; without permissions yet.
        for_batches: Size of a task that runs a batch.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        config: Config,
        *,
        image: ecr_assets.DockerImageAsset,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        network = self._network()
        self.security_group = ec2.SecurityGroup(
            self,
            "NothingComesIn",
            vpc=network,
            description="Tasks that run a variant: no inbound traffic, outbound to AWS only",
            allow_all_outbound=False,
        )
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "ECR, S3, DynamoDB, CloudWatch")
        self.for_batches = Tasks.within(config.account_fargate_vcpus)
        self.cluster = ecs.Cluster(
            self, "Cluster", cluster_name=config.name, vpc=network, enable_fargate_capacity_providers=True
        )
        # For tasks that name no launch type. Step Functions documents no strategy among the parameters of ecs:runTask.
        spot = ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)
        self.cluster.add_default_capacity_provider_strategy([spot])
        accept(
            self.cluster,
            "AwsSolutions-ECS4",
            "Container Insights costs money for every task. What a run took is in its record and in EMF metrics.",
        )
        self.role = self._role("Task", "what the container of a variant may do")
        self.task = ecs.FargateTaskDefinition(
            self,
            "RunVariant",
            family=f"{config.name}-{_CONTAINER}",
            cpu=_VCPU,
            memory_limit_mib=MEMORY_MB,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            task_role=self.role,
            execution_role=self._role("Execution", "what ECS itself may do to start the container of a variant"),
        )
        self.container = self._container(image, environment)

    def _network(self) -> ec2.Vpc:
        network = ec2.Vpc(
            self,
            "Network",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)],
            # With these, models and results stay in AWS's network, without transfer costs.
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
        )
        accept(
            network,
            "AwsSolutions-VPC7",
            "Flow logs cost money for every record. Tasks live for one run, listen on nothing and let nothing in.",
        )
        return network

    def _role(self, name: str, description: str) -> iam.Role:
        return iam.Role(
            self,
            f"{name}Role",
            assumed_by=iam.ServicePrincipal(
                "ecs-tasks.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            description=f"{self._config.name}: {description}",
        )

    def _container(self, image: ecr_assets.DockerImageAsset, environment: Mapping[str, str]) -> ecs.ContainerDefinition:
        group = log_group(self, "Logs", f"/aws/ecs/{self._config.name}-{_CONTAINER}", self._config)
        container = self.task.add_container(
            "Container",
            container_name=_CONTAINER,
            image=ecs.ContainerImage.from_ecr_repository(image.repository, image.image_tag),
            entry_point=["/opt/epsm/bin/python"],
            command=["-m", "functions.run_variant.task"],
            environment={
                **environment,
                "AWS_DEFAULT_REGION": Stack.of(self).region,
                "VARIANT_MEMORY_MB": str(MEMORY_MB),
                "STOP_TIMEOUT_S": str(STOP_TIMEOUT_S),
            },
            # Fargate Spot gives two minutes from the signal to the end, but only if a container asks for them.
            stop_timeout=Duration.seconds(STOP_TIMEOUT_S),
            # An init process: forwards the stop signal of a task, and reaps processes of the engine.
            linux_parameters=ecs.LinuxParameters(self, "Linux", init_process_enabled=True),
            logging=ecs.LogDriver.aws_logs(stream_prefix=_CONTAINER, log_group=group),
        )
        accept(self.task, "AwsSolutions-ECS2", "Names of buckets and of the table, known from the stack: no secrets.")
        execution_role = self.task.execution_role
        assert execution_role is not None
        accept_wildcards(execution_role, {"*": "ecr:GetAuthorizationToken knows no resources"})
        return container

    def grant_running(self, role: iam.Role) -> None:
        """Let a state machine run the task and wait for its end."""
        execution_role = self.task.execution_role
        assert execution_role is not None
        ecs_arn = f"arn:{Aws.PARTITION}:ecs:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        revisions = f"{ecs_arn}:task-definition/{self.task.family}:*"
        tasks = f"{ecs_arn}:task/{self._config.name}/*"
        rule = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/StepFunctionsGetEventsForECSTaskRule"
        to_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        in_cluster = {"ArnEquals": {"ecs:cluster": self.cluster.cluster_arn}}
        for actions, resources, conditions in (
            (["ecs:RunTask"], [revisions], in_cluster),
            (["ecs:StopTask", "ecs:DescribeTasks"], [tasks], None),
            (["iam:PassRole"], [self.role.role_arn, execution_role.role_arn], to_ecs),
            # Step Functions observes the end of a task through a managed rule.
            (["events:PutTargets", "events:PutRule", "events:DescribeRule"], [rule], None),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))
        accept_wildcards(
            role,
            {
                revisions: "a study that runs during a deployment continues with the next revision",
                tasks: "tasks are named when they are started; the cluster is this stack's own",
            },
        )
