"""Dead-letter queues."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.nag import accept


def dead_letters(scope: Construct, name: str) -> sqs.Queue:
    """A dead-letter queue with a retention of two weeks."""
    queue = sqs.Queue(
        scope,
        name,
        retention_period=Duration.days(14),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
    )
    accept(queue, "AwsSolutions-SQS3", "This queue is the dead-letter queue of others.")
    return queue
