"""Lambda behind the EventBridge rule for uploaded study.json files."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import S3EventBridgeNotificationEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

from epsm.pipeline.owner_limits import OwnerLimits
from epsm.pipeline.submit import Submitter
from epsm.store import keys
from epsm.store.stack import Stack
from epsm.study.manifest import Source

logger = Logger()
tracer = Tracer(patch_modules=("botocore",))
metrics = Metrics()

stack = Stack.from_environment()
submitter = Submitter(stack, limits=OwnerLimits(stack.accounts, stack.records, stack.settings.allowance))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@event_source(data_class=S3EventBridgeNotificationEvent)
def handler(event: S3EventBridgeNotificationEvent, context: LambdaContext) -> dict[str, str | int]:
    """Submit the uploaded study; errors are raised only if a redelivery of the event may succeed."""
    # The raw key of the event: EventBridge does not encode it, and Powertools' property would decode it, so that
    # "100%+.idf" would be searched under another name.
    uploaded = event.raw_event["detail"]["object"]
    source = Source(bucket=event.detail.bucket.name, key=uploaded["key"], version_id=uploaded["version-id"])
    logger.set_correlation_id(keys.simulation_id(source.bucket, source.key, source.version_id))
    submission = submitter.submit(source)
    metrics.add_metric("StudiesRejected" if submission.problems else "StudiesSubmitted", MetricUnit.Count, 1)
    metrics.add_metric("VariantsSubmitted", MetricUnit.Count, submission.variants if submission.started else 0)
    logger.info("submitted", extra={"status": submission.status.value, "variants": submission.variants})
    return {
        "simulation_id": submission.simulation_id,
        "status": submission.status.value,
        "variants": submission.variants,
        "problems": len(submission.problems),
    }
