"""What the completions rely on in moto."""

from tests.local.moto_hooks.hooks import MAP, PARSER, Hook

RELIED_ON = (
    Hook("dynamodb_answers", "core/serialize.py", "SERVICE_SPECIFIC_SERIALIZERS"),
    Hook("dynamodb_answers", "core/serialize.py", "BaseJSONSerializer._serialize_type_map",
         "self, serialized: Serialized, value: Any, shape: MapShape, key: str"),
    Hook("dynamodb_answers", "core/serialize.py", "ResponseSerializer._default_serialize",
         "self, serialized: Serialized, value: Any, shape: Shape, key: str"),
    Hook("dynamodb_answers", "dynamodb/models/table.py", "Table.all_items",
         "self"),
    Hook("dynamodb_answers", "dynamodb/models/table.py", "Table.all_indexes",
         "self"),
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
    *(Hook("cloudformation", "ec2/models/vpcs.py", f"VPC.enable_dns_{name}") for name in ("hostnames", "support")),
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
