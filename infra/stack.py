"""The stack: storage, pipeline, API, monitoring and outputs."""

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Stack, Tags
from constructs import Construct

from infra.api import Api
from infra.canary import Canary
from infra.cleanup import Cleanup
from infra.config import Config
from infra.monitoring.alarms import Monitoring
from infra.pipeline import Pipeline
from infra.storage import Storage


class EpsmStack(Stack):
    """EnergyPlus parametric studies: everything in one stack."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(
            scope,
            config.name,
            description="EnergyPlus parametric studies, serverless",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        Tags.of(self).add("application", "epsm")
        Tags.of(self).add("stage", config.stage)
        storage = Storage(self, "Storage", config)
        pipeline = Pipeline(self, "Pipeline", config, storage)
        cleanup = Cleanup(self, "Cleanup", config, storage, pipeline)
        api = Api(self, "Api", config, storage, pipeline, cleanup)
        canary = Canary(self, "Canary", config, storage, pipeline, cleanup)
        monitoring = Monitoring(
            self,
            "Monitoring",
            config,
            pipeline,
            canary,
            functions=[cleanup.function, api.function],
            queues=[cleanup.lost],
            apis=[api.http],
        )
        for name, value, description in (
            ("InputsBucket", storage.inputs.bucket_name, "Upload studies here"),
            ("ResultsBucket", storage.results.bucket_name, "Results are below runs/"),
            ("TableName", storage.table.table_name, "Records of studies and variants"),
            ("StateMachineArn", pipeline.state_machine.state_machine_arn, "State machine; one execution per study"),
            ("ApiUrl", api.http.api_endpoint, "The HTTP API"),
            ("TopicArn", pipeline.topic.topic_arn, "SNS topic: notifications of studies' ends"),
            ("AlarmsTopicArn", monitoring.topic.topic_arn, "SNS topic: alarms of the stack"),
            *(
                [("FargateVcpus", str(config.fargate_vcpus), "vCPUs of Fargate tasks at a time")]
                if config.fargate
                else []
            ),
        ):
            CfnOutput(self, name, value=value, description=description)
