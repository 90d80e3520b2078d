"""Buckets for inputs and results, and the table of records."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from epsm.store import attributes, keys
from infra.config import Config
from infra.nag import accept

UPLOADS_KEPT_DAYS = 30
CANARIES_KEPT_DAYS = 7
_AT_ONCE = Duration.days(1)
"""Expired objects are not restored, so old versions are deleted after a day; by default they would be kept like
replaced ones."""


class Storage(Construct):
    """The inputs bucket, the results bucket and the table of records."""

    def __init__(self, scope: Construct, construct_id: str, config: Config) -> None:
        super().__init__(scope, construct_id)
        removal = RemovalPolicy.RETAIN if config.keep_data else RemovalPolicy.DESTROY
        self.inputs = self._bucket("Inputs", removal, versioned=True)
        # The L1 property: the L2 one would deploy a custom resource with a Lambda function.
        inputs = self.inputs.node.default_child
        assert isinstance(inputs, s3.CfnBucket)
        inputs.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        self.inputs.add_lifecycle_rule(
            id="forget-replaced-inputs", noncurrent_version_expiration=Duration.days(config.noncurrent_days)
        )
        # Studies have their own copies of these files.
        self.inputs.add_lifecycle_rule(
            id="forget-uploads",
            prefix=keys.UPLOADS,
            expiration=Duration.days(UPLOADS_KEPT_DAYS),
            noncurrent_version_expiration=_AT_ONCE,
        )
        # Successful canaries are deleted at once, failed ones after their retention. One that was never picked up has
        # no record, and would stay forever.
        self.inputs.add_lifecycle_rule(
            id="forget-canaries",
            prefix=keys.CANARY,
            expiration=Duration.days(CANARIES_KEPT_DAYS),
            noncurrent_version_expiration=_AT_ONCE,
        )
        self.results = self._bucket("Results", removal, versioned=False)

        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=keys.PARTITION_KEY, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=keys.SORT_KEY, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=attributes.EXPIRES_AT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            removal_policy=removal,
        )
        self.table.add_global_secondary_index(
            index_name=keys.BY_CREATED_AT,
            partition_key=dynamodb.Attribute(name=attributes.RECORD_TYPE, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=attributes.CREATED_AT, type=dynamodb.AttributeType.STRING),
        )
        self.table.add_global_secondary_index(
            index_name=keys.BY_OWNER,
            partition_key=dynamodb.Attribute(name=attributes.OWNER, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=attributes.CREATED_AT, type=dynamodb.AttributeType.STRING),
        )

    def _bucket(self, name: str, removal: RemovalPolicy, *, versioned: bool) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            versioned=versioned,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal,
        )
        bucket.add_lifecycle_rule(
            id="drop-unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(2)
        )
        accept(
            bucket,
            "AwsSolutions-S1",
            "Access to objects is logged by CloudTrail (data events); a log bucket that fills "
            "while nothing runs would cost money while nothing runs.",
        )
        return bucket
