"""Construction of Lambda functions: runtime, layers, logs, tracing, and a separate role for each."""

from collections.abc import Sequence
from typing import TypedDict

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import Config
from infra.config_rules import LOG_RETENTION_DAYS
from infra.nag import accept, accept_wildcards
from infra.tools.packaging import IMAGE_CONTEXT, IMAGE_EXCLUDE, ROOT, dependencies_folder, library_folder

_RUNTIME = lambda_.Runtime.PYTHON_3_13


class _RoleAndLogs(TypedDict):
    role: iam.Role
    log_group: logs.LogGroup


class Functions(Construct):
    """Builds the stack's Lambda functions.

    Args:
        environment: Variables of every function.
    """

    def __init__(self, scope: Construct, construct_id: str, config: Config, environment: dict[str, str]) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._environment = environment
        # Two layers: the dependencies change with the lock file, the library with every commit.
        self._layers = [
            lambda_.LayerVersion(
                self,
                "Dependencies",
                code=lambda_.Code.from_asset(str(dependencies_folder())),
                compatible_runtimes=[_RUNTIME],
                compatible_architectures=[lambda_.Architecture.X86_64],
                description="Locked third-party packages of the epsm functions",
            ),
            lambda_.LayerVersion(
                self,
                "Library",
                code=lambda_.Code.from_asset(str(library_folder())),
                compatible_runtimes=[_RUNTIME],
                description="The epsm library",
            ),
        ]
        self.image = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(IMAGE_CONTEXT),
            file="functions/run_variant/Dockerfile",
            exclude=IMAGE_EXCLUDE,
            build_args={"BASE_IMAGE": config.base_image},
            platform=ecr_assets.Platform.LINUX_AMD64,
        )

    def zipped(self, name: str, *, memory_mb: int, timeout: Duration, description: str) -> lambda_.Function:
        """A function from `functions/<name>/`, with the library and its dependencies as layers."""
        function = lambda_.Function(
            self,
            _title(name),
            function_name=self._name(name),
            description=description,
            runtime=_RUNTIME,
            architecture=lambda_.Architecture.X86_64,
            code=lambda_.Code.from_asset(str(ROOT / "functions" / name), exclude=["**/__pycache__"]),
            handler="handler.handler",
            layers=self._layers,
            memory_size=memory_mb,
            timeout=timeout,
            environment=self.variables(name),
            tracing=lambda_.Tracing.ACTIVE,
            **self._role_and_logs(name),
        )
        accept(
            function,
            "AwsSolutions-L1",
            "One Python for the zip functions and the image: 3.13, the newest that the image is tested with.",
        )
        return function

    def from_image(
        self,
        name: str,
        *,
        memory_mb: int,
        timeout: Duration,
        disk: Size,
        description: str,
        reserved_concurrency: int | None = None,
    ) -> lambda_.DockerImageFunction:
        """A function from the container image, with `functions/<name>/` as its command."""
        return lambda_.DockerImageFunction(
            self,
            _title(name),
            function_name=self._name(name),
            description=description,
            code=lambda_.DockerImageCode.from_ecr(
                self.image.repository,
                tag_or_digest=self.image.image_tag,
                cmd=[f"functions.{name}.handler.handler"],
            ),
            architecture=lambda_.Architecture.X86_64,
            memory_size=memory_mb,
            timeout=timeout,
            ephemeral_storage_size=disk,
            environment=self.variables(name),
            tracing=lambda_.Tracing.ACTIVE,
            **self._role_and_logs(name),
            reserved_concurrent_executions=reserved_concurrency,
        )

    def _name(self, name: str) -> str:
        return f"{self._config.name}-{name.replace('_', '-')}"

    def variables(self, name: str) -> dict[str, str]:
        """The environment of the code in `functions/<name>/`."""
        costs = {"OWNER_MAX_USD_PER_MONTH": str(self._config.owner_max_usd_per_month)}
        return {
            **self._environment,
            **(costs if name == "run_variant" else {}),
            "POWERTOOLS_SERVICE_NAME": name,
            "POWERTOOLS_METRICS_NAMESPACE": self._config.name,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def _role_and_logs(self, name: str) -> _RoleAndLogs:
        """A role for this function only, which may write to its own log group, and nothing else yet."""
        role = iam.Role(
            self,
            f"{_title(name)}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Role of {self._name(name)}",
        )
        group = log_group(self, f"{_title(name)}Logs", f"/aws/lambda/{self._name(name)}", self._config)
        group.grant_write(role)
        accept_wildcards(role, {"*": "X-Ray's PutTraceSegments and PutTelemetryRecords know no resources"})
        return {"role": role, "log_group": group}


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def log_group(scope: Construct, construct_id: str, name: str, config: Config) -> logs.LogGroup:
    """A log group that keeps lines for as long as the context says, and is deleted with the stack."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=_retention_of(config.log_retention_days),
        removal_policy=RemovalPolicy.DESTROY,
    )


def _retention_of(days: int) -> logs.RetentionDays:
    """CloudWatch's retention step of that many days, one of `LOG_RETENTION_DAYS`."""
    return logs.RetentionDays[LOG_RETENTION_DAYS[days]]


def grant(
    to: lambda_.Function | iam.Role, actions: Sequence[str], resources: Sequence[str], why_wildcard: str = ""
) -> None:
    """Grant a function or a role `actions` on `resources`; a wildcard needs its reason."""
    role = to if isinstance(to, iam.Role) else to.role
    assert role is not None
    role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
    if why_wildcard:
        accept_wildcards(role, dict.fromkeys(resources, why_wildcard))
