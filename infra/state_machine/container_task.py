"""The state that runs a variant or a batch as a Fargate task."""

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.fargate import Containers
from infra.state_machine.retries import never_retry, retry

_NO_ROOM_FOR_A_TASK = ["ECS.AmazonECSException", "ECS.ServerException", "AmazonECS.Unknown"]
"""Fargate has no capacity, all Fargate vCPUs of the account are in use, or ECS throttles requests."""

_ENI_THROTTLED = ["ECS.InvalidParameterException"]
"""ECS reports EC2's throttling of network interfaces as InvalidParameterException, which also covers genuinely invalid
tasks; so it is retried a bounded number of times."""


def run_in_container(scope: Construct, name: str, containers: Containers, timeout: Duration) -> tasks.EcsRunTask:
    """A task that runs the item in `$.variant`; the state keeps its input.

    Args:
        scope: The states' construct.
        name: Name of the state.
        containers: Where it runs.
        timeout: Maximum time of the task.
    """
    run = tasks.EcsRunTask(
        scope,
        name,
        integration_pattern=sfn.IntegrationPattern.RUN_JOB,
        cluster=containers.cluster,
        task_definition=containers.task,
        launch_target=tasks.EcsFargateLaunchTarget(platform_version=ecs.FargatePlatformVersion.VERSION1_4),
        assign_public_ip=True,
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
        security_groups=[containers.security_group],
        container_overrides=[
            tasks.ContainerOverride(
                container_definition=containers.container,
                environment=[
                    tasks.TaskEnvironmentVariable(
                        name="SIMULATION_ID", value=sfn.JsonPath.string_at("$.simulation_id")
                    ),
                    tasks.TaskEnvironmentVariable(
                        name="VARIANT", value=sfn.JsonPath.json_to_string(sfn.JsonPath.object_at("$.variant"))
                    ),
                ],
            )
        ],
        result_path=sfn.JsonPath.DISCARD,
        task_timeout=sfn.Timeout.duration(timeout),
    )
    never_retry(run, "States.Timeout")
    # Other tasks may occupy the capacity for hours, so this is retried for most of a day.
    retry(run, _NO_ROOM_FOR_A_TASK, attempts=500, first_s=15, factor=2, longest_s=300)
    retry(run, _ENI_THROTTLED, attempts=20, first_s=15, factor=2, longest_s=300)
    # A host that died, an image that could not be pulled, or a bucket or a table that did not answer.
    retry(run, ["States.TaskFailed"], attempts=3, first_s=15, factor=3, longest_s=300)
    return run
