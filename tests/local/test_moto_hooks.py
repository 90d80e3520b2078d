"""Where the completions take hold of moto: is everything still there, and of the same form?

moto's source is read, not imported: the running stack has replaced what this is about. When a test fails after an
upgrade of moto, the completion that it names has to be read again beside moto's new file.
"""

import ast
import functools
import importlib.metadata
import importlib.util
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from epsm_local.moto_patches import MOTO_VERSION

ROOT = Path(__file__).parents[2]
COMPLETIONS = ROOT / "epsm_local" / "moto_patches"


@dataclass(frozen=True, slots=True)
class Hook:
    """A name in moto that a completion replaces or relies on.

    Attributes:
        completion: Module in epsm_local/moto_patches.
        file: File of moto.
        name: `function`, `Class.method` or `Class.attribute`.
        signature: Its arguments as written; None for what is no function.
    """

    completion: str
    file: str
    name: str
    signature: str | None = None

    def __str__(self) -> str:
        return f"{self.completion}: {self.name}"


PARSER = "stepfunctions/parser/"
MAP = f"{PARSER}asl/component/state/exec/state_map/"
EXECUTE_STATE = f"{PARSER}asl/component/state/exec/execute_state.py"
FROM_CLOUDFORMATION = (
    "cls, resource_name: str, cloudformation_json: {}, account_id: str, region_name: str, **kwargs: Any"
)

REPLACED = (
    Hook("dispatch", "backends.py", "list_of_moto_modules", ""),
    Hook("objects", "s3/models.py", "FakeKey.value",
         "self"),
    Hook("objects", "s3/models.py", "FakeKey.etag",
         "self"),
    Hook("objects", "s3/models.py", "FakeKey.__getstate__",
         "self"),
    Hook("objects", "s3/models.py", "FakeKey.__setstate__",
         "self, state: dict[str, Any]"),
    Hook("objects", "s3/models.py", "FakeKey.__del__",
         "self"),
    Hook("objects", "core/common_models.py", "BaseModel.__new__",
         "cls, *args: Any, **kwargs: Any"),
    Hook("stepfunctions/history", EXECUTE_STATE, "ExecutionState._handle_retry",
         "self, env: Environment, failure_event: FailureEvent"),
    Hook("stepfunctions/history", EXECUTE_STATE, "ExecutionState._handle_catch",
         "self, env: Environment, failure_event: FailureEvent"),
    Hook("stepfunctions/history", EXECUTE_STATE, "ExecutionState._from_error",
         "self, env: Environment, ex: Exception"),
    Hook("uploads", "moto_server/werkzeug_app.py", "DomainDispatcherApplication.__call__",
         "self, environ: dict[str, Any], start_response: Any"),
    Hook("bucket_hosts", "moto_server/werkzeug_app.py", "DomainDispatcherApplication.__call__",
         "self, environ: dict[str, Any], start_response: Any"),
    Hook("functions", "awslambda/models.py", "LambdaFunction.invoke",
         "self, body: str, request_headers: Any, response_headers: Any"),
    Hook("events", "events/models.py", "Rule.send_to_targets",
         "self, original_event: EventMessageType, transform_input: bool=True"),
    Hook("events", "events/models.py", "EventsBackend.put_rule",
         "self, name: str, description: str | None=None, event_bus_arn: str | None=None, "
         "event_pattern: str | None=None, role_arn: str | None=None, scheduled_expression: str | None=None, "
         "state: str | None=None, managed_by: str | None=None, tags: list[dict[str, str]] | None=None"),
    Hook("persistence", "s3/models.py", "S3Backend.put_object",
         "self, bucket_name: str, key_name: str, value: bytes, storage: str | None=None, etag: str | "
         "None=None, multipart: FakeMultipart | None=None, encryption: str | None=None, kms_key_id: str | "
         "None=None, bucket_key_enabled: Any=None, lock_mode: str | None=None, lock_legal_status: str | "
         "None=None, lock_until: str | None=None, checksum_value: str | None=None, request_method: str | "
         "None='PUT', disable_notification: bool | None=False"),
    Hook("persistence", "s3/models.py", "S3Backend.delete_object",
         "self, bucket_name: str, key_name: str, version_id: str | None=None, bypass: bool=False"),
    Hook("persistence", "dynamodb/models/__init__.py", "DynamoDBBackend.put_item",
         "self, table_name: str, item_attrs: dict[str, Any], expected: dict[str, Any] | None=None, "
         "condition_expression: str | None=None, expression_attribute_names: dict[str, Any] | None=None, "
         "expression_attribute_values: dict[str, Any] | None=None, overwrite: bool=False, "
         "return_values_on_condition_check_failure: str | None=None"),
    Hook("persistence", "dynamodb/models/__init__.py", "DynamoDBBackend.update_item",
         "self, table_name: str, key: dict[str, dict[str, Any]], update_expression: str, "
         "expression_attribute_names: dict[str, Any], expression_attribute_values: dict[str, Any], "
         "attribute_updates: dict[str, Any] | None=None, expected: dict[str, Any] | None=None, "
         "condition_expression: str | None=None, return_values_on_condition_check_failure: str | None=None"),
    Hook("persistence", "dynamodb/models/__init__.py", "DynamoDBBackend.delete_item",
         "self, table_name: str, key: dict[str, Any], expression_attribute_names: dict[str, Any] | "
         "None=None, expression_attribute_values: dict[str, Any] | None=None, condition_expression: str | "
         "None=None, return_values_on_condition_check_failure: str | None=None"),
    Hook("persistence", "s3/responses.py", "S3Response.key_response",
         "self, request: Any, full_url: str, headers: dict[str, Any]"),
    Hook("persistence", "s3/responses.py", "S3Response.bucket_response",
         "self, request: Any, full_url: str, headers: Any"),
    Hook("persistence", "dynamodb/responses.py", "DynamoHandler.call_action",
         "self"),
    Hook("dynamodb", "dynamodb/responses.py", "DynamoHandler.call_action",
         "self"),
    Hook("persistence", "cloudformation/parsing.py", "generate_resource_name",
         "resource_type: str, stack_name: str, logical_id: str"),
    Hook("cloudformation", "s3/models.py", "FakeBucket.create_from_cloudformation_json",
         FROM_CLOUDFORMATION.format("Any")),
    Hook("cloudformation", "dynamodb/models/table.py", "Table.create_from_cloudformation_json",
         FROM_CLOUDFORMATION.format("dict[str, Any]")),
    Hook("cloudformation", "awslambda/models.py", "LambdaFunction.create_from_cloudformation_json",
         FROM_CLOUDFORMATION.format("dict[str, Any]")),
    Hook("cloudformation", "stepfunctions/models.py", "StateMachine.create_from_cloudformation_json",
         FROM_CLOUDFORMATION.format("Any")),
    Hook("cloudformation", "ec2/models/vpcs.py", "VPC.create_from_cloudformation_json",
         FROM_CLOUDFORMATION.format("Any")),
    Hook("cloudformation", "ecs/models.py", "TaskDefinition.create_from_cloudformation_json",
         FROM_CLOUDFORMATION.format("Any")),
    Hook("ecs", f"{PARSER}asl/component/state/exec/state_task/service/state_task_service_ecs.py",
         "StateTaskServiceEcs._eval_service_task",
         "self, env: Environment, resource_runtime_part: ResourceRuntimePart, normalised_parameters: dict, "
         "state_credentials: StateCredentials"),
    Hook("ecs", f"{PARSER}asl/component/state/exec/state_task/service/state_task_service_ecs.py",
         "StateTaskServiceEcs._build_sync_resolver",
         "self, env: Environment, resource_runtime_part: ResourceRuntimePart, normalised_parameters: dict, "
         "state_credentials: StateCredentials"),
    Hook("stepfunctions/interpreter", "stepfunctions/models.py", "stepfunctions_backends"),
    Hook("stepfunctions/interpreter", f"{PARSER}asl/utils/boto_client.py", "boto3"),
    Hook("stepfunctions/interpreter",
         f"{PARSER}asl/component/state/exec/state_task/lambda_eval_utils.py", "_invoke_lambda_function",
         "parameters: dict, region: str, state_credentials: StateCredentials"),
    Hook("stepfunctions/interpreter", f"{PARSER}asl/component/program/program.py", "TMP_THREADS"),
    Hook("stepfunctions/interpreter", f"{PARSER}asl/component/state/state.py", "StateData"),
    Hook("stepfunctions/interpreter", f"{PARSER}backend/execution_worker.py", "ExecutionData"),
    Hook("stepfunctions/map_run", f"{MAP}state_map.py", "StateMap.from_state_props", "self, state_props: StateProps"),
    Hook("stepfunctions/map_run", f"{MAP}iteration/distributed_iteration_component.py",
         "DistributedIterationComponent._map_run",
         "self, env: Environment, eval_input: DistributedIterationComponentEvalInput"),
    Hook("stepfunctions/map_run", f"{MAP}iteration/distributed_iteration_component.py",
         "DistributedIterationComponent._eval_body", "self, env: Environment"),
    Hook("stepfunctions/item_reader", f"{MAP}item_reader/item_reader_decl.py", "ItemReader._eval_body",
         "self, env: Environment"),
    Hook("stepfunctions/result_writer", f"{MAP}result_writer/result_writer_decl.py", "ResultWriter._eval_body",
         "self, env: Environment"),
    Hook("stepfunctions/executions", f"{PARSER}backend/execution.py",
         "BaseExecutionWorkerCommunication._reflect_execution_status", "self"),
    Hook("stepfunctions/result_writer", f"{MAP}state_map.py", "StateMap._eval_execution", "self, env: Environment"),
    Hook("stepfunctions/executions", f"{PARSER}asl/component/program/program.py", "Program.eval",
         "self, env: Environment"),
    Hook("stepfunctions/executions", f"{PARSER}backend/execution_worker.py",
         "ExecutionWorker._get_evaluation_environment", "self"),
    Hook("stepfunctions/executions", f"{PARSER}backend/execution.py", "Execution.__init__",
         "self, name: str, sm_type: StateMachineType, role_arn: Arn, exec_arn: Arn, account_id: str, "
         "region_name: str, state_machine: StateMachineInstance, start_date: Timestamp, "
         "cloud_watch_logging_session: CloudWatchLoggingSession | None, activity_store: dict[Arn, Activity], "
         "input_data: str, trace_header: TraceHeader | None=None"),
    Hook("stepfunctions/executions", f"{PARSER}backend/execution.py", "Execution.start", "self"),
    Hook("stepfunctions/executions", f"{PARSER}backend/execution.py", "Execution.stop",
         "self, stop_date: datetime.datetime, error: str | None, cause: str | None"),
    Hook("stepfunctions/executions", f"{PARSER}models.py", "StepFunctionsParserBackend.start_execution",
         "self, state_machine_arn: str, name: Name=None, execution_input: SensitiveData=None, "
         "trace_header: TraceHeader=None"),
    *(
        Hook("stepfunctions/executions", "stepfunctions/responses.py", f"StepFunctionResponse.{name}", "self")
        for name in ("stop_execution", "list_executions", "describe_execution", "get_execution_history")
    ),
)  # fmt: skip

RELIED_ON = (
    Hook("persistence", "s3/models.py", "S3Backend.copy_object",
         "self, src_key: FakeKey, dest_bucket_name: str, dest_key_name: str, storage: str | None=None, "
         "encryption: str | None=None, kms_key_id: str | None=None, bucket_key_enabled: Any=None, "
         "mdirective: str | None=None, metadata: Any | None=None, website_redirect_location: str | "
         "None=None, lock_mode: str | None=None, lock_legal_status: str | None=None, lock_until: str | "
         "None=None, provided_version_id: str | None=None"),
    Hook("persistence", "s3/models.py", "S3Backend.complete_multipart_upload",
         "self, bucket_name: str, multipart_id: str, body: Iterator[tuple[int, str]]"),
    Hook("persistence", "s3/models.py", "S3Backend.delete_objects",
         "self, bucket_name: str, objects: list[dict[str, Any]], bypass_retention: bool=False"),
    Hook("persistence", "s3/models.py", "FakeKey.__getstate__",
         "self"),
    Hook("persistence", "s3/models.py", "FakeKey.__setstate__",
         "self, state: dict[str, Any]"),
    Hook("persistence", "s3/utils.py", "_VersionedKeyStore.__setitem__",
         "self, key: str, value: Any"),
    Hook("persistence", "s3/utils.py", "_VersionedKeyStore.getlist",
         "self, key: str, default: Any=None"),
    Hook("persistence", "dynamodb/models/__init__.py", "DynamoDBBackend.transact_write_items",
         "self, transact_items: list[dict[str, Any]]"),
    Hook("persistence", "dynamodb/models/__init__.py", "DynamoDBBackend.get_item",
         "self, table_name: str, keys: dict[str, Any], projection_expressions: list[list[str]] | None=None"),
    Hook("persistence", "dynamodb/models/__init__.py", "DynamoDBBackend.get_table",
         "self, table_name: str"),
    *(
        Hook("persistence", file, name)
        for file, name in (
            ("s3/models.py", "FakeDeleteMarker.key"), ("s3/models.py", "FakeKey.multipart"),
            ("s3/models.py", "FakeKey.version_id"), ("dynamodb/models/table.py", "Table.items"),
            ("dynamodb/models/table.py", "Table.hash_key_attr"), ("dynamodb/models/table.py", "Table.range_key_attr"),
            ("dynamodb/models/dynamo_type.py", "Item.hash_key"), ("dynamodb/models/dynamo_type.py", "Item.range_key"),
        )
    ),
    *(
        Hook("functions", "awslambda/models.py", f"LambdaFunction.{name}")
        for name in (
            "code", "code_bytes", "environment_vars", "event_invoke_config", "function_arn", "function_name",
            "handler", "image_config", "layers", "logs_backend", "logs_group_name", "memory_size", "timeout", "version",
        )
    ),
    Hook("functions", "awslambda/models.py", "LambdaBackend.get_function",
         "self, function_name_or_arn: str, qualifier: str | None=None"),
    Hook("functions", "awslambda/models.py", "LambdaBackend.layers_versions_by_arn", "self, layer_version_arn: str"),
    Hook("functions", "awslambda/models.py", "LayerVersion.code_bytes"),
    Hook("functions", "awslambda/models.py", "EventInvokeConfig.config"),
    Hook("functions", "awslambda/models.py", "ImageConfig.cmd"),
    Hook("functions", "logs/models.py", "LogsBackend.ensure_log_group", "self, log_group_name: str"),
    Hook("functions", "logs/models.py", "LogsBackend.create_log_stream",
         "self, log_group_name: str, log_stream_name: str"),
    Hook("functions", "logs/models.py", "LogsBackend.put_log_events",
         "self, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]"),
    *(
        Hook("events", "events/models.py", f"Rule.{name}")
        for name in ("arn", "event_pattern", "name", "scheduled_expression", "state", "targets")
    ),
    Hook("events", "events/models.py", "EventsBackend.event_buses"),
    Hook("events", "events/models.py", "EventBus.rules"),
    Hook("events", "events/exceptions.py", "ValidationException.__init__", "self, message: str"),
    Hook("events", "events/models.py", "EventPattern.get_pattern", "self"),
    Hook("events", "events/models.py", "EventPattern.matches_event", "self, event: EventMessageType"),
    Hook("events", "events/utils.py", "EventTemplateParser.parse",
         "input_template: str, input_paths_map: dict[str, Any], event: EventMessageType"),
    # What epsm_local/aws/http_api reads of the APIs that this completion makes.
    Hook("http_apis", "apigatewayv2/models.py", "apigatewayv2_backends"),
    Hook("http_apis", "apigatewayv2/models.py", "ApiGatewayV2Backend.get_api", "self, api_id: str"),
    Hook("http_apis", "apigatewayv2/models.py", "Api.get_routes", "self"),
    Hook("http_apis", "apigatewayv2/models.py", "Api.get_integration", "self, integration_id: str"),
    Hook("http_apis", "apigatewayv2/models.py", "Api.get_authorizer", "self, authorizer_id: str"),
    *(
        Hook("http_apis", "apigatewayv2/models.py", name)
        for name in (
            "Api.api_id", "Api.cors_configuration", "Api.stages", "Authorizer.jwt_config",
            "Integration.integration_uri", "Integration.timeout_in_millis", "Route.authorization_scopes",
            "Route.authorization_type", "Route.authorizer_id", "Route.route_key", "Route.target",
        )
    ),
    *(
        Hook("cloudformation", "cloudformation/parsing.py", name, "")
        for name in ("get_model_list", "get_model_map", "get_name_type_map")
    ),
    *(
        Hook("cloudformation", "core/common_models.py", f"CloudFormationModel.{name}", signature)
        for name, signature in (
            ("cloudformation_name_type", ""),
            ("cloudformation_type", ""),
            ("has_cfn_attr", "cls, attr: str"),
        )
    ),
    Hook("cloudformation", "cloudformation/exceptions.py", "UnformattedGetAttTemplateException"),
    Hook("cloudformation", "awslambda/models.py", "LambdaFunction._get_layers_data",
         "self, layers_versions_arns: list[str]"),
    Hook("cloudformation", "awslambda/models.py", "ImageConfig.__init__", "self, config: dict[str, Any]"),
    Hook("cloudformation", "awslambda/models.py", "LayerVersion.arn", "self"),
    *(
        Hook("cloudformation", "stepfunctions/models.py", f"StateMachineInstance.{name}")
        for name in ("type", "sm_type", "loggingConfiguration", "tracingConfiguration")
    ),
    *(Hook("cloudformation", "ec2/models/vpcs.py", f"VPC.enable_dns_{what}") for what in ("hostnames", "support")),
    *(
        Hook("cloudformation", "ecs/models.py", f"TaskDefinition.{name}")
        for name in (
            "container_definitions", "cpu", "execution_role_arn", "network_mode", "requires_compatibilities",
            "task_role_arn",
        )
    ),
    *(
        Hook("ecs", "ecs/models.py", name)
        for name in (
            "ecs_backends", "EC2ContainerServiceBackend.tasks", "Task.cluster_arn", "Task.cluster_name",
            "Task.stopped_reason", "Task.task_definition_arn",
        )
    ),
    Hook("ecs", "ecs/models.py", "EC2ContainerServiceBackend.describe_task_definition",
         "self, task_definition_str: str"),
    Hook("ecs", "ecs/models.py", "EC2ContainerServiceBackend.stop_task",
         "self, cluster_str: str, task_str: str, reason: str"),
    *(
        Hook("ecs", f"{PARSER}asl/component/state/exec/state_task/service/state_task_service.py",
             f"StateTaskService.{name}", "self")
        for name in ("_get_sfn_resource", "_get_sfn_resource_type")
    ),
    Hook("stepfunctions/interpreter", "core/config.py", "default_user_config"),
    Hook("stepfunctions/interpreter", f"{PARSER}models.py", "stepfunctions_parser_backends"),
    *(
        Hook("stepfunctions/map_run", f"{PARSER}asl/eval/environment.py", f"Environment.{name}")
        for name in (
            "_frames", "_state_mutex", "activity_store", "aws_execution_details", "event_manager",
            "map_run_record_pool_manager", "stack", "states",
        )
    ),
    Hook("stepfunctions/map_run", f"{PARSER}asl/eval/environment.py", "Environment.__init__",
         "self, aws_execution_details: AWSExecutionDetails, execution_type: StateMachineType, "
         "context: ContextObjectData, event_history_context: EventHistoryContext, "
         "cloud_watch_logging_session: CloudWatchLoggingSession | None, activity_store: dict[Arn, Activity], "
         "variable_store: VariableStore | None=None, mock_test_case: MockTestCase | None=None"),
    *(
        Hook("stepfunctions/map_run", f"{PARSER}asl/eval/environment.py", f"Environment.{name}", signature)
        for name, signature in (
            ("is_running", "self"),
            ("program_state", "self"),
            ("open_inner_frame", "self, event_history_context: EventHistoryContext | None=None"),
            ("delete_frame", "self, frame: Environment"),
            ("set_stop", "self, stop_date: Timestamp, cause: str | None, error: str | None"),
        )
    ),
    *(
        Hook("stepfunctions/map_run", f"{MAP}iteration/itemprocessor/map_run_record.py", f"MapRunRecord.{name}")
        for name in (
            "execution_counter", "item_counter", "map_run_arn", "map_state_machine_arn", "max_concurrency",
            "tolerated_failure_count", "tolerated_failure_percentage",
        )
    ),
    Hook("stepfunctions/map_run", f"{MAP}iteration/itemprocessor/map_run_record.py", "MapRunRecord.set_stop",
         "self, status: MapRunStatus"),
    *(
        Hook("stepfunctions/map_run", f"{MAP}iteration/itemprocessor/map_run_record.py", f"ProgressCounter.{name}")
        for name in ("aborted", "failed", "pending", "running", "succeeded", "timed_out", "total")
    ),
    Hook("stepfunctions/map_run", f"{MAP}iteration/distributed_iteration_component.py",
         "DistributedIterationComponentEvalInput.map_run_record"),
    Hook("stepfunctions/map_run", f"{MAP}state_map.py", "StateMap.iteration_component"),
    Hook("stepfunctions/map_run", f"{PARSER}asl/component/program/program.py", "Program.eval",
         "self, env: Environment"),
    Hook("stepfunctions/result_writer", f"{MAP}result_writer/result_writer_decl.py", "ResultWriter.parargs"),
    Hook("stepfunctions/result_writer", f"{MAP}iteration/itemprocessor/map_run_record.py",
         "MapRunRecordPoolManager.get_all", "self"),
    *(
        Hook("stepfunctions/executions", f"{PARSER}backend/execution.py", f"Execution.{name}")
        for name in (
            "cause", "error", "exec_arn", "exec_status", "exec_worker", "execution_input", "name", "output",
            "start_date", "state_machine", "stop_date",
        )
    ),
    Hook("stepfunctions/executions", f"{PARSER}models.py", "StepFunctionsParserBackend._get_executions",
         "self, execution_status: ExecutionStatus | None=None"),
)  # fmt: skip


@functools.cache
def parsed(file: str) -> ast.Module:
    """The syntax tree of a file of the installed moto."""
    spec = importlib.util.find_spec("moto")
    assert spec is not None
    assert spec.submodule_search_locations
    return ast.parse((Path(spec.submodule_search_locations[0]) / file).read_text(encoding="utf-8"))


def found(tree: ast.AST, name: str) -> ast.AST | None:
    """Where a name is defined in a module or a class: a function, a class, an assignment, an import."""
    own, _, rest = name.partition(".")
    for node in ast.iter_child_nodes(tree):
        if own in defined_by(node):
            return found(node, rest) if rest else node
    if isinstance(tree, ast.ClassDef) and not rest:
        return next((node for node in ast.walk(tree) if is_own_attribute(node, own)), None)
    return None


def defined_by(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name for alias in names}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def is_own_attribute(node: ast.AST, name: str) -> bool:
    """Whether `self.<name>` is set there."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=attr, ctx=ast.Store()):
            return attr == name
    return False


def replaced_by(path: Path) -> Iterator[str]:
    """What a completion's `install` assigns to or finishes, as it is written there."""
    install = found(ast.parse(path.read_text(encoding="utf-8")), "install")
    for node in ast.walk(install) if install else ():
        match node:
            case ast.Assign(targets=[ast.Attribute() as target]):
                yield ast.unparse(target)
            case ast.Call(func=ast.Name(id="_finish"), args=[ast.Name(id=model), _]):
                yield f"{model}.create_from_cloudformation_json"


@pytest.mark.parametrize("hook", [*REPLACED, *RELIED_ON], ids=str)
def test_moto_still_has_what_is_completed(hook: Hook) -> None:
    node = found(parsed(hook.file), hook.name)
    assert node is not None, (
        f"epsm_local/moto_patches/{hook.completion} needs {hook.name}, which moto/{hook.file} has not"
    )
    if hook.signature is not None:
        assert isinstance(node, ast.FunctionDef), (
            f"epsm_local/moto_patches/{hook.completion}: {hook.name} is no function"
        )
        assert ast.unparse(node.args) == hook.signature, f"read epsm_local/moto_patches/{hook.completion} again"


def test_a_layer_still_gives_itself_as_its_physical_id() -> None:
    """What `LayerVersion.physical_resource_id` in epsm_local/moto_patches/cloudformation.py mends."""
    assert found(parsed("awslambda/models.py"), "LayerVersion.physical_resource_id") is None


def test_every_replacement_is_looked_after_here() -> None:
    known = {hook.name for hook in REPLACED}
    # moto lacks the first; the others are names in modules, written with the module's name there.
    known |= {"LayerVersion.physical_resource_id", "models.stepfunctions_backends", "boto_client.boto3"}
    known |= {"backends.list_of_moto_modules", "StepFunctionResponse.redrive_execution", "kind._from_error"}
    known |= {"state.StateData", "execution_worker.ExecutionData"}
    known |= {"lambda_eval_utils._invoke_lambda_function", "program.TMP_THREADS", "parsing.generate_resource_name"}
    made = {name for path in COMPLETIONS.rglob("*.py") for name in replaced_by(path)}
    assert made - known == set()


def test_the_installed_moto_is_the_one_that_is_completed() -> None:
    assert importlib.metadata.version("moto") == MOTO_VERSION


def test_the_project_asks_for_the_moto_that_is_completed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (requirement,) = (each for each in project["optional-dependencies"]["local"] if each.startswith("moto["))
    assert requirement.partition("==")[2] == MOTO_VERSION
