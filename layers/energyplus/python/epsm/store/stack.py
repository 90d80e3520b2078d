"""A deployed stack: its settings and the objects that access its resources."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.utils import determine_content_length

from epsm.settings import Settings
from epsm.store.accounts import Accounts
from epsm.store.executions import Executions
from epsm.store.files import Files
from epsm.store.functions import Functions
from epsm.store.inputs import InputsBucket
from epsm.store.kept_results import KeptResults
from epsm.store.notifications import Notification, sns_notifier
from epsm.store.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client

_S3 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
"""Virtual-hosted addresses name the region. botocore's default for presigned ones is S3's global address, which sends
callers elsewhere while a bucket is new, and refuses them in the newer regions."""
_MAX_UNASKED_BYTES = 2**20
"""Size of the largest object that is sent to S3 without asking first whether S3 takes it."""


class Stack:
    """Access to a stack for functions, commands and scripts. Clients are created on first use.

    Args:
        settings: Names of the stack's resources.
        client, resource: Create boto3 clients and resources by service name.
    """

    def __init__(
        self,
        settings: Settings,
        client: Callable[..., Any] = boto3.client,
        resource: Callable[..., Any] = boto3.resource,
    ) -> None:
        self.settings = settings
        self._client = client
        self._resource = resource

    @classmethod
    def from_environment(cls) -> Self:
        """The stack that a function belongs to.

        Raises:
            pydantic.ValidationError: If a variable is missing or does not fit.
        """
        return cls(Settings.from_environment())

    @cached_property
    def s3(self) -> "S3Client":
        """A boto3 S3 client."""
        client: S3Client = self._client("s3", config=_S3)
        client.meta.events.register("before-call.s3", _ask_only_for_large)
        return client

    @cached_property
    def _table(self) -> "Table":
        table: Table = self._resource("dynamodb").Table(self.settings.table_name)
        return table

    @cached_property
    def files(self) -> Files:
        """Objects in S3."""
        return Files(self.s3, self.settings.results_bucket)

    @cached_property
    def inputs(self) -> InputsBucket:
        """The inputs bucket."""
        return InputsBucket(self.s3, self.settings.inputs_bucket)

    @cached_property
    def records(self) -> Records:
        """Records of studies and variants."""
        return Records(self._table)

    @cached_property
    def kept_results(self) -> KeptResults:
        """Where results of earlier runs are found again."""
        return KeptResults(self._table)

    @cached_property
    def accounts(self) -> Accounts:
        """Running studies and spending of owners."""
        return Accounts(self._table)

    @cached_property
    def executions(self) -> Executions:
        """Executions of the state machine."""
        return Executions(self._client("stepfunctions"), self.settings.state_machine_arn)

    @cached_property
    def functions(self) -> Functions:
        """Functions of the stack that others invoke."""
        return Functions(self._client("lambda"), self.settings.cleanup_function)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """A boto3 EventBridge client."""
        client: EventBridgeClient = self._client("events")
        return client

    @cached_property
    def notify(self) -> Callable[[Notification], None]:
        """Sends a notification to the stack's subscribers."""
        return sns_notifier(self._client("sns"), self.settings.topic_arn)


def _ask_only_for_large(params: dict[str, Any], **_: Any) -> None:
    """Send a small object at once. botocore adds `Expect: 100-continue` to every object, and sends the content after
    S3 has answered: two answers for each of the small files of a variant."""
    length = determine_content_length(params.get("body"))
    if length is not None and length <= _MAX_UNASKED_BYTES:
        params["headers"].pop("Expect", None)
