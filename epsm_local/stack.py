"""The local stack: start moto, deploy the template, run until closed. One process."""

import json
import logging
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Self

from epsm_local import moto_patches, product
from epsm_local.aws import assets, temporary_folders
from epsm_local.aws.code_store import CodeStore
from epsm_local.aws.containers import Containers
from epsm_local.aws.garbage import rarely_collected
from epsm_local.aws.http_server import HttpServer
from epsm_local.aws.janitor import Janitor
from epsm_local.aws.journal import Journal
from epsm_local.aws.session import client
from epsm_local.aws.template_support import check_template
from epsm_local.aws.workers import Workers
from epsm_local.cache import cache_folder
from epsm_local.energyplus.system_libraries import prepare
from epsm_local.moto_patches import LocalAws
from epsm_local.product import STACK_NAME, Deployment

logger = logging.getLogger(__name__)

_OF_A_STUDY = ("submit", "run-variant", "aggregate", "cleanup")
"""Functions in the order in which a study needs them; the last one runs beside it."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The stack's outputs, as CloudFormation reports them."""

    inputs_bucket: str
    results_bucket: str
    table_name: str
    state_machine_arn: str
    topic_arn: str


class PortTaken(Exception):
    """A port is used by another program; the message names the port."""


class LocalStack:
    """The deployed stack on this machine. Use it as a context manager, or call `close`.

    Args:
        port: Port on 127.0.0.1; 0 picks a free one.
        engines: Maximum number of engines at a time; None for one per core.
        template: Template to deploy, with names of assets (`infra.tools.product`); None for the packaged one.
        api_port: Port of the HTTP API on 127.0.0.1; 0 picks a free one.
        data: Folder in which buckets and table are persisted for the next stack; None for no persistence.
        fresh: Discard existing data in `data`.

    Raises:
        PortTaken: If another program uses a port.
        CannotKeep: If another stack uses the data folder, or another version of moto wrote it.

    Attributes:
        endpoint: URL to use as AWS_ENDPOINT_URL.
        api_url: URL of the HTTP API, instead of the stack's output ApiUrl; None if the template has no API.
        outputs: The stack's outputs.
    """

    @rarely_collected()
    def __init__(
        self,
        port: int = 0,
        engines: int | None = None,
        template: str | None = None,
        api_port: int = 0,
        data: Path | None = None,
        fresh: bool = False,
    ) -> None:
        started = time.monotonic()
        for requested_port in filter(None, (port, api_port)):
            _check_free(requested_port)
        self.journal = Journal(data, f"moto {moto_patches.MOTO_VERSION}", fresh=fresh) if data else None
        prepare()
        number = engines or os.cpu_count() or 1
        deployed = product.deployment(number, template)
        temporary_folders.remove_leftovers()
        self._folder = temporary_folders.TemporaryFolder()
        folder = self._folder.path
        self._janitor = Janitor(folder)
        port = port or _free_port()
        # moto reads this when it is imported.
        os.environ["MOTO_PORT"] = str(port)
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from epsm_local.aws.http_api.gateway import HttpApi
        from epsm_local.aws.scheduler import Scheduler
        from epsm_local.aws.wsgi import answers_of
        from epsm_local.moto_patches import objects, persistence

        # The interpreter logs every error that a state machine catches, with the whole definition, a screenful each.
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
        self.endpoint = f"http://127.0.0.1:{port}"
        self.workers = Workers(folder / "workers", self.endpoint)
        self.containers = Containers(folder / "containers", self.endpoint)
        code = CodeStore(cache_folder() / "code", deployed.images)
        slots = BoundedSemaphore(number)
        aws = LocalAws(self.endpoint, self.workers, self.containers, code, number, slots, self.journal)
        self._stopping = aws.stopping
        moto_patches.use(aws)
        objects.use_folder(self.journal.objects if self.journal else folder / "objects", self.journal)
        self._server = HttpServer(answers_of(DomainDispatcherApplication(create_backend_app), port), port)
        self._scheduler = Scheduler()
        self._api: HttpApi | None = None
        try:
            self.outputs = self._deploy(deployed)
            persistence.restore((self.outputs.inputs_bucket, self.outputs.results_bucket), self.outputs.table_name)
            if api_id := self._deployed_api():
                self._api = HttpApi(api_id, api_port)
            self._scheduler.start()
        except BaseException:
            self.close()
            raise
        self.api_url = self._api.url if self._api else None
        logger.info("local stack ready in %.1f s at %s", time.monotonic() - started, self.endpoint)

    def client(self, service: str) -> Any:
        """A boto3 client for the local stack."""
        return client(service, self.endpoint)

    def start_workers(self) -> None:
        """Start a worker of each function that a study needs, in the background, and return at once: the first study
        does not wait for their imports."""
        from epsm_local.moto_patches import functions, in_background

        in_background(lambda: functions.start_workers(f"{STACK_NAME}-{name}" for name in _OF_A_STUDY))

    def _deploy(self, deployed: Deployment) -> Outputs:
        """Deploy the template unchanged.

        Raises:
            NotSupported: If it has parts that the local stack does not support.
            RuntimeError: If CloudFormation fails.
        """
        assets.publish_files(deployed.files, self.client("s3"))
        check_template(json.loads(deployed.template))
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK_NAME, TemplateBody=deployed.template, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise RuntimeError(f"the local deployment ended as {stack['StackStatus']}")
        values = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        return Outputs(
            inputs_bucket=values["InputsBucket"],
            results_bucket=values["ResultsBucket"],
            table_name=values["TableName"],
            state_machine_arn=values["StateMachineArn"],
            topic_arn=values["TopicArn"],
        )

    def _deployed_api(self) -> str | None:
        """Id of the HTTP API in the stack.

        Raises:
            RuntimeError: If there are several: only one port is available.
        """
        resources = self.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        ids = [
            resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == "AWS::ApiGatewayV2::Api"
        ]
        if len(ids) > 1:
            raise RuntimeError("the local stack serves one HTTP API; the template has several")
        return str(ids[0]) if ids else None

    def fire(self, rule_name: str) -> None:
        """Fire a scheduled rule now, in addition to its due times.

        Raises:
            ValueError: If there is no such rule, it has no schedule, or it is disabled.
        """
        self._scheduler.fire(rule_name)

    def close(self) -> None:
        """Stop everything. The content of the buckets is lost, unless there is a data folder."""
        self._stopping.set()
        self._scheduler.close()
        if self._api is not None:
            self._api.close()
        # Failures caused by stopping the workers must not be recorded: the next stack resumes from the current state.
        self._server.close()
        if self.journal is not None:
            from epsm_local.moto_patches import objects

            with self.journal.lock:  # nothing is written meanwhile, and the next stack has not started
                objects.remove_unkept(self.journal.objects)
                self.journal.close()
        self.workers.close()
        self.containers.close()
        self._janitor.close()
        self._folder.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        # As servers do: a port that has just been closed is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(f"Port {port} on 127.0.0.1 is not available: {error.strerror}") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
