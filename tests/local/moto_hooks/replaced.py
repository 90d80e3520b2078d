"""What the completions replace in moto."""

from tests.local.moto_hooks.hooks import EXECUTE_STATE, FROM_CLOUDFORMATION, MAP, PARSER, Hook

REPLACED = (
    Hook("dispatch", "backends.py", "list_of_moto_modules", ""),
    Hook("dispatch", "core/utils.py", "method_names_from_class",
         "clazz: object"),
    Hook("dispatch", "core/responses.py", "method_names_from_class"),
    Hook("dispatch", "utilities/aws_headers.py", "gen_amzn_requestid_long",
         "headerdict: dict[str, Any] | None=None"),
    Hook("dispatch", "core/responses.py", "gen_amzn_requestid_long"),
    Hook("dispatch", "moto_server/werkzeug_app.py", "BackendRequest"),
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
    Hook("dynamodb_answers", "dynamodb/models/table.py", "Table.query",
         "self, hash_key: DynamoType | None, range_comparison: str | None, range_objs: list[DynamoType], limit: int, "
         "exclusive_start_key: dict[str, Any], scan_index_forward: bool, projection_expressions: list[list[str]] | "
         "None, index_name: str | None=None, consistent_read: bool=False, filter_expression: Any=None, "
         "hash_key_conditions: list[tuple[str, DynamoType]] | None=None, range_key_conditions: list[tuple[str, str, "
         "list[DynamoType]]] | None=None, **filter_kwargs: Any"),
    Hook("dynamodb_answers", "dynamodb/models/dynamo_type.py", "Item.__deepcopy__",
         "self, memo: dict[int, Any]"),
    Hook("dynamodb_answers", "dynamodb/models/dynamo_type.py", "Item.project",
         "self, projection_expressions: list[list[str]]"),
    Hook("dynamodb", "dynamodb/responses.py", "DynamoHandler.call_action",
         "self"),
    Hook("status_wait", "dynamodb/models/__init__.py", "DynamoDBBackend.put_item",
         "self, table_name: str, item_attrs: dict[str, Any], expected: dict[str, Any] | None=None, "
         "condition_expression: str | None=None, expression_attribute_names: dict[str, Any] | None=None, "
         "expression_attribute_values: dict[str, Any] | None=None, overwrite: bool=False, "
         "return_values_on_condition_check_failure: str | None=None"),
    Hook("status_wait", "dynamodb/models/__init__.py", "DynamoDBBackend.update_item",
         "self, table_name: str, key: dict[str, dict[str, Any]], update_expression: str, "
         "expression_attribute_names: dict[str, Any], expression_attribute_values: dict[str, Any], "
         "attribute_updates: dict[str, Any] | None=None, expected: dict[str, Any] | None=None, "
         "condition_expression: str | None=None, return_values_on_condition_check_failure: str | None=None"),
    Hook("status_wait", "moto_server/werkzeug_app.py", "DomainDispatcherApplication.__call__",
         "self, environ: dict[str, Any], start_response: Any"),
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
    Hook("stepfunctions/interpreter", f"{PARSER}asl/parse/asl_parser.py", "AmazonStateLanguageParser.parse",
         "definition: str"),
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
