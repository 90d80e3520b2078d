"""The states that run a variant or a batch as a Fargate task."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.study.compute import Tasks
from infra.fargate import Containers
from infra.state_machine.retries import never_retry, retry

_NO_ROOM_FOR_A_TASK = ["ECS.AmazonECSException", "ECS.ServerException", "AmazonECS.Unknown"]
"""Fargate has no capacity, all Fargate vCPUs of the account are in use, or ECS throttles requests."""

_ENI_THROTTLED = ["ECS.InvalidParameterException"]
"""ECS reports EC2's throttling of network interfaces as InvalidParameterException, which also covers genuinely invalid
tasks; so it is retried a bounded number of times."""


def run_in_container(scope: Construct, name: str, containers: Containers, timeout: Duration) -> tasks.EcsRunTask:
    """A task that runs the variant in `$.variant`; the state keeps its input.

    Args:
        scope: The states' construct.
        name: Name of the state.
        containers: Where it runs.
        timeout: Maximum time of the task.
    """
    return _with_retries(_task(scope, name, containers, timeout))


def run_batch_in_container(scope: Construct, name: str, containers: Containers, timeout: Duration) -> tasks.EcsRunTask:
    """The same for a batch, with an engine for each vCPU of the task."""
    return _with_retries(_task(scope, name, containers, timeout, containers.for_batches))


def run_batch_on_spot(scope: Construct, name: str, containers: Containers, timeout: Duration) -> tasks.EcsRunTask:
    """A task on Fargate Spot that runs the batch in `$.variant`.

    Only missing capacity is retried, for about half an hour: interruptions and faults have the same error name.
    """
    run = _task(scope, name, containers, timeout, containers.for_batches, spot=True)
    retry(run, _NO_ROOM_FOR_A_TASK, attempts=15, first_s=15, factor=2, longest_s=300)
    retry(run, _ENI_THROTTLED, attempts=15, first_s=15, factor=2, longest_s=300)
    return run


def _task(
    scope: Construct,
    name: str,
    containers: Containers,
    timeout: Duration,
    size: Tasks | None = None,
    *,
    spot: bool = False,
) -> tasks.EcsRunTask:
    """A task of the given size; without one, that of the task definition. The cluster's default is Fargate Spot."""
    variables: Mapping[str, str] = {
        "SIMULATION_ID": sfn.JsonPath.string_at("$.simulation_id"),
        "VARIANT": sfn.JsonPath.json_to_string(sfn.JsonPath.object_at("$.variant")),
        **({"VARIANT_MEMORY_MB": str(size.memory_mb), "TASK_VCPUS": str(size.vcpus)} if size else {}),
        **({"CAPACITY": "spot"} if spot else {}),
    }
    run = tasks.EcsRunTask(
        scope,
        name,
        integration_pattern=sfn.IntegrationPattern.RUN_JOB,
        cluster=containers.cluster,
        task_definition=containers.task,
        launch_target=tasks.EcsFargateLaunchTarget(
            platform_version=ecs.FargatePlatformVersion.VERSION1_4,
            capacity_provider_options=tasks.CapacityProviderOptions.default() if spot else None,
        ),
        cpu=str(1024 * size.vcpus) if size else None,
        memory_mib=str(size.memory_mb) if size else None,
        assign_public_ip=True,
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
        security_groups=[containers.security_group],
        container_overrides=[
            tasks.ContainerOverride(
                container_definition=containers.container,
                environment=[tasks.TaskEnvironmentVariable(name=key, value=value) for key, value in variables.items()],
            )
        ],
        result_path=sfn.JsonPath.DISCARD,
        task_timeout=sfn.Timeout.duration(timeout),
    )
    never_retry(run, "States.Timeout")
    return run


def _with_retries(run: tasks.EcsRunTask) -> tasks.EcsRunTask:
    # Other tasks may occupy the capacity for hours, so this is retried for most of a day.
    retry(run, _NO_ROOM_FOR_A_TASK, attempts=500, first_s=15, factor=2, longest_s=300)
    retry(run, _ENI_THROTTLED, attempts=20, first_s=15, factor=2, longest_s=300)
    # A host that died, an image that could not be pulled, or a bucket or a table that did not answer.
    retry(run, ["States.TaskFailed"], attempts=3, first_s=15, factor=3, longest_s=300)
    return run
