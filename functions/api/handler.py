"""Lambda behind the HTTP API of API Gateway."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from epsm.api.description import app
from epsm.store.stack import Stack

logger = Logger()
tracer = Tracer(patch_modules=("botocore",))
metrics = Metrics()

stack = Stack.from_environment()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request, in API Gateway's payload format 2.0."""
    path = event["rawPath"]
    # The paths end with a slash, as in legacy EPSM; it is optional.
    event = {**event, "rawPath": path if path.endswith("/") or "." in path.rpartition("/")[2] else f"{path}/"}
    app.append_context(stack=stack)
    answer: dict[str, Any] = app.resolve(event, context)
    metrics.add_dimension("Method", event["requestContext"]["http"]["method"])
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    if answer["statusCode"] >= 500:
        metrics.add_metric("ServerErrors", MetricUnit.Count, 1)
    return answer
