"""The HTTP API: one function behind API Gateway, every route behind an authorizer."""

import json

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from epsm.store import keys
from infra.cleanup import Cleanup
from infra.config import Config
from infra.functions import grant, log_group
from infra.pipeline import Pipeline
from infra.state_machine.machine import executions_and_map_runs
from infra.storage import Storage

_TIMEOUT = Duration.seconds(29)
"""API Gateway's timeout is 30 s."""
_MAX_AT_ONCE = 5000
"""API Gateway's burst quota for an account and region."""
_ACCESS_LOG = {
    "request": "$context.requestId",
    "time": "$context.requestTime",
    # Without the caller, who is in the function's records: session names and subjects of tokens are personal data.
    "account": "$context.identity.accountId",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}
_OWN = "the function decides by the record's owner what a caller may use; IAM knows no owners"


class Api(Construct):
    """The API and its function.

    Attributes:
        http: The API.
        function: The function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        config: Config,
        storage: Storage,
        pipeline: Pipeline,
        cleanup: Cleanup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self.function = self._function(storage, pipeline, cleanup)
        self.http = apigateway.HttpApi(
            self,
            "Http",
            api_name=f"{config.name}-api",
            description="EnergyPlus parametric studies: submit, query, change, cancel",
            create_default_stage=False,
        )
        self.http.add_routes(
            path="/{proxy+}",
            methods=[apigateway.HttpMethod.ANY],
            integration=integrations.HttpLambdaIntegration("Function", self.function),
            authorizer=self._authorizer(),
        )
        self._stage()

    def _authorizer(self) -> apigateway.IHttpRouteAuthorizer:
        """The authorizer: AWS identities (IAM), or tokens (JWT) if the context names an issuer."""
        config = self._config
        if not config.jwt_issuer:
            return authorizers.HttpIamAuthorizer()
        return authorizers.HttpJwtAuthorizer("Token", config.jwt_issuer, jwt_audience=config.jwt_audiences)

    def _stage(self) -> None:
        access = log_group(self, "AccessLogs", f"/aws/apigateway/{self._config.name}", self._config)
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.http,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=self._config.api_requests_per_s,
                burst_limit=min(_MAX_AT_ONCE, 2 * self._config.api_requests_per_s),
            ),
        )
        plain = stage.node.default_child
        assert isinstance(plain, apigateway.CfnStage)
        plain.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access.log_group_arn, format=json.dumps(_ACCESS_LOG)
        )

    def _function(self, storage: Storage, pipeline: Pipeline, cleanup: Cleanup) -> lambda_.Function:
        config, machine = self._config, pipeline.state_machine
        # One whole vCPU: checking a model of 50 MB takes up to 9 CPU seconds and 320 MB (`benchmarks.large_models`).
        function = pipeline.functions.zipped(
            "api", memory_mb=1769, timeout=_TIMEOUT, description="Answers the HTTP API"
        )
        for name, value in (
            ("STATE_MACHINE_ARN", machine.state_machine_arn),
            ("MAX_VARIANTS", str(config.max_variants)),
            ("LONGEST_RUN_S", str(config.longest_run_s)),
            ("LONGEST_RETENTION_DAYS", str(config.longest_retention_days)),
            ("CLEANUP_FUNCTION", cleanup.function.function_name),
            ("ADMINISTRATORS", config.administrators),
            ("TRUSTED_SESSION_ROLES", config.trusted_session_roles),
            ("VARIANT_MEMORY_MB", str(config.memory_mb)),
            ("VARIANT_CONCURRENCY", str(config.reserved_concurrency)),
            ("FARGATE_VCPUS", str(config.fargate_vcpus)),
            ("STAGE", config.stage),
            *config.owner_limits.items(),
        ):
            function.add_environment(name, value)
        inputs, results, table = storage.inputs, storage.results, storage.table
        # Without permission to list, S3 answers 403 instead of 404 for a missing object.
        grant(function, ["s3:ListBucket"], [inputs.bucket_arn, results.bucket_arn])
        grant(
            function,
            ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion"],
            [inputs.arn_for_objects("users/*"), inputs.arn_for_objects("uploads/*")],
            _OWN,
        )
        assert function.role is not None
        _deny_other_writers(inputs, function.role)
        grant(function, ["s3:GetObject"], [results.arn_for_objects("runs/*")], _OWN)
        # Items of a rerun, and copies of files of packs for downloads.
        written = [results.arn_for_objects(f"runs/*/{name}") for name in ("items-*.json", f"{keys.UNPACKED}*")]
        grant(function, ["s3:PutObject"], written, _OWN)
        grant(function, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], [table.table_arn])
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["dynamodb:DeleteItem"],
                resources=[table.table_arn],
                # Failed requests may be repeated with their idempotency key: only those items may be deleted.
                conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [keys.IDEMPOTENCY_PARTITION]}},
            )
        )
        indexes = [f"{table.table_arn}/index/{name}" for name in (keys.BY_OWNER, keys.BY_CREATED_AT)]
        grant(function, ["dynamodb:Query"], [table.table_arn, *indexes])
        grant(function, ["states:StartExecution", "states:DescribeStateMachine"], [machine.state_machine_arn])
        executions, map_runs = executions_and_map_runs(config)
        grant(function, ["states:StopExecution", "states:ListMapRuns"], [executions], _OWN)
        grant(function, ["states:DescribeMapRun", "states:UpdateMapRun"], [map_runs], _OWN)
        grant(function, ["lambda:InvokeFunction"], [cleanup.function.function_arn])
        grant(function, ["lambda:GetAccountSettings"], ["*"], "the account's settings are not a resource")
        return function


def _deny_other_writers(inputs: s3.Bucket, writer: iam.IRole) -> None:
    """Deny everyone but the API's function to write below the prefixes of its callers."""
    # Principals with write access to the bucket could otherwise upload studies in a caller's name, or replace a
    # caller's files. Uploads to presigned URLs are made with the function's identity.
    inputs.add_to_resource_policy(
        iam.PolicyStatement(
            sid="OnlyTheApiWritesForCallers",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[inputs.arn_for_objects(f"{keys.HOMES}*"), inputs.arn_for_objects(f"{keys.UPLOADS}*")],
            conditions={"ArnNotEquals": {"aws:PrincipalArn": writer.role_arn}},
        )
    )
