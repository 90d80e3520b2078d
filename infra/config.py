"""Settings of a deployment, from CDK context: `cdk deploy -c stage=prod -c memory_mb=3008`.

Every value is checked when the stack is synthesised, and all faults are reported at once: values that CloudFormation
or a service would reject during the deployment, and values that would deploy but not work.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from constructs import Node

from epsm.study.compute import DEFAULT_FARGATE_VCPUS, LAMBDA_AT_A_TIME
from epsm.study.owners import IAM, owner_of
from epsm.study.schema import MAX_CONTAINER_RUN_S, MAX_FUNCTION_RUN_S, MAX_RETENTION_DAYS, MAX_VARIANTS, Options
from epsm.text import nearest
from infra.config_rules import BASE_IMAGE, LOG_RETENTION_DAYS, listed, texts_faults

_ALWAYS_UNRESERVED = 100
"""Executions that Lambda keeps for functions without a reservation (Lambda Developer Guide, reserved concurrency)."""

FROM_UPLOAD_TO_END_DAYS = 10
"""An execution ends within 7 days, and retention counts from there."""
_USUAL_RETENTION_DAYS = Options().retention_days

_RANGES: Mapping[str, tuple[float, float]] = {
    # Lambda offers 128 to 10,240 MB; below 512 the engine has less than 160 MB beside Python, eppy and a model.
    "memory_mb": (512, 10_240),
    "reserved_concurrency": (0, 1_000_000),
    "account_concurrency": (1, 1_000_000),
    "account_fargate_vcpus": (1, 1_000_000),
    "max_variants": (1, MAX_VARIANTS),
    # Submit polls for missing files sixty times, once a second.
    "missing_file_grace_s": (0, 60),
    "noncurrent_days": (_USUAL_RETENTION_DAYS + FROM_UPLOAD_TO_END_DAYS, 36_500),
    # Each is an entry in its owner's item, which DynamoDB limits to 400 KB.
    "owner_max_running_studies": (0, 1000),
    "owner_max_usd_per_month": (0, 1_000_000),
    # API Gateway's quota for an account and region, unless AWS raised it.
    "api_requests_per_s": (1, 10_000),
    # The longest period of a CloudWatch alarm is a day.
    "canary_every_hours": (0, 24),
}
"""Minimum and maximum of each number."""


class ConfigError(ValueError):
    """Context values that do not fit; the message has a line for each.

    Attributes:
        faults: The faults, each beginning with ``context <key>:``.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one deployment; every field is a context key of that name.

    Attributes:
        stage: Names the stack, `epsm-<stage>`, so that several can coexist.
        memory_mb: Memory of a run_variant function; 1,769 MB is one whole vCPU, and a run uses one core.
        reserved_concurrency: Lambda executions reserved for variants; 0 reserves none.
        account_concurrency: Lambda concurrency limit of the account; AWS's default unless it was raised. The alarm
            before that limit uses it.
        max_variants: Maximum number of variants of a study.
        missing_file_grace_s: Seconds without any new upload after which submit stops waiting for missing files.
        log_retention_days: Days that logs are kept; one of CloudWatch's own steps.
        noncurrent_days: Days that a replaced or deleted input is kept for the studies that use it; the maximum
            retention of a study is ten days less.
        notify_email: Address for notifications of studies' ends and for alarms; empty for none.
        keep_data: Whether buckets and table are retained when the stack is deleted.
        jwt_issuer: Issuer of the tokens that the API accepts; empty for callers with AWS credentials (IAM).
        jwt_audience: Audiences of those tokens, comma-separated.
        administrators: Callers that see all studies: ARNs of IAM users and roles, or groups in tokens, comma-separated.
        trusted_session_roles: ARNs, comma-separated, of IAM roles whose session names callers cannot choose; for other
            roles all sessions are one owner.
        bucket_owner: Owner of studies uploaded directly to the bucket (e.g. `iam:<ARN>`); if empty, only administrators
            can see them.
        owner_max_running_studies: Maximum number of one owner's studies that have not ended; 0 for no limit.
        owner_max_usd_per_month: Maximum cost of one owner's studies in a month (UTC), at list prices; 0 for no limit.
        api_requests_per_s: Rate limit of the API, requests per second over all callers; the burst limit is twice that.
        fargate: Whether variants can run as Fargate tasks: those that exceed Lambda's time limit, and all of studies
            that choose containers or Fargate Spot.
        account_fargate_vcpus: vCPUs that the account's Fargate tasks may have at a time, and those on Fargate Spot as
            well; AWS's default unless both quotas were raised.
        canary_every_hours: Hours between two canaries, tiny studies through the whole stack; 0 for none.
        base_image: Base of the container image, with its digest.
    """

    stage: str = "dev"
    memory_mb: int = 1769
    reserved_concurrency: int = 0
    account_concurrency: int = LAMBDA_AT_A_TIME
    max_variants: int = MAX_VARIANTS
    missing_file_grace_s: float = 10.0
    log_retention_days: int = 30
    noncurrent_days: int = 365
    notify_email: str = ""
    keep_data: bool = True
    jwt_issuer: str = ""
    jwt_audience: str = ""
    administrators: str = ""
    trusted_session_roles: str = ""
    bucket_owner: str = ""
    owner_max_running_studies: int = 0
    owner_max_usd_per_month: float = 0.0
    api_requests_per_s: int = 50
    fargate: bool = False
    account_fargate_vcpus: int = DEFAULT_FARGATE_VCPUS
    canary_every_hours: int = 1
    base_image: str = BASE_IMAGE

    def __post_init__(self) -> None:
        if faults := [f"context {name}: {fault}" for name, fault in self._faults()]:
            raise ConfigError(faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Each value that does not fit, with the reason and what is allowed."""
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                yield name, f"{value:,} is not between {least:,} and {most:,}"
        if self.log_retention_days not in LOG_RETENTION_DAYS:
            steps = ", ".join(map(str, LOG_RETENTION_DAYS))
            yield "log_retention_days", f"{self.log_retention_days} is not one of CloudWatch's steps: {steps}"
        most_reserved = self.account_concurrency - _ALWAYS_UNRESERVED
        if self.reserved_concurrency and self.reserved_concurrency > most_reserved:
            yield (
                "reserved_concurrency",
                f"{self.reserved_concurrency} is more than {max(0, most_reserved)}, the most that Lambda reserves of "
                f"{self.account_concurrency}; account_concurrency sets the account's limit",
            )
        yield from texts_faults(self)

    @property
    def longest_retention_days(self) -> int:
        """Maximum retention of a study: its inputs, even if replaced at its start, must be kept until it is deleted."""
        return min(self.noncurrent_days - FROM_UPLOAD_TO_END_DAYS, MAX_RETENTION_DAYS)

    @property
    def jwt_audiences(self) -> list[str]:
        """Each of `jwt_audience`."""
        return [part.strip() for part in self.jwt_audience.split(",") if part.strip()]

    @property
    def owner_limits(self) -> dict[str, str]:
        """Variables of the functions that hold owners to their limits."""
        return {
            "OWNER_MAX_RUNNING_STUDIES": str(self.owner_max_running_studies),
            "OWNER_MAX_USD_PER_MONTH": str(self.owner_max_usd_per_month),
        }

    @property
    def owner_of_uploads(self) -> str:
        """`bucket_owner` as the API names the same caller."""
        if not self.bucket_owner.startswith(IAM):
            return self.bucket_owner
        return owner_of(self.bucket_owner.removeprefix(IAM), listed(self.trusted_session_roles))

    @property
    def name(self) -> str:
        return f"epsm-{self.stage}"

    @property
    def longest_run_s(self) -> int:
        """Longest time limit of a run that is accepted, seconds."""
        return MAX_CONTAINER_RUN_S if self.fargate else MAX_FUNCTION_RUN_S

    @property
    def fargate_vcpus(self) -> int:
        """vCPUs that tasks may have at a time; 0 without Fargate."""
        return self.account_fargate_vcpus if self.fargate else 0

    @classmethod
    def from_context(cls, node: Node) -> Self:
        """Read the context; values from the command line are texts.

        Raises:
            ConfigError: If a key is unknown or a value does not fit, with every fault.
        """
        return cls.from_values(node.get_all_context())

    @classmethod
    def from_values(cls, context: Mapping[str, Any]) -> Self:
        """The same from a plain mapping. Keys of the CDK itself, which contain ``:`` or ``@``, are ignored.

        Raises:
            ConfigError: See `from_context`.
        """
        known = {field.name: field.default for field in fields(cls)}
        faults, values = [], {}
        for key, value in context.items():
            if key in known:
                try:
                    values[key] = _converted(value, known[key])
                except ValueError as error:
                    faults.append(f"context {key}: {error}")
            elif ":" not in key and "@" not in key:
                near = nearest(key, known, count=1)
                faults.append(f"context {key}: unknown key" + (f"; did you mean {near}?" if near else ""))
        try:
            config = cls(**values)
        except ConfigError as error:
            raise ConfigError([*faults, *error.faults]) from None
        if faults:
            raise ConfigError(faults)
        return config


def _converted(value: Any, default: Any) -> Any:
    """A context value converted to its field's type: from the command line it is a text, in cdk.json it may be typed.

    Raises:
        ValueError: If it cannot be converted; the message says what is expected.
    """
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"'{text}' is neither true nor false")
        return text.lower() == "true"
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ValueError(f"{text} is not a text")
        return text
    expected = "a whole number" if isinstance(default, int) else "a number"
    try:
        number = type(default)(text)
    except ValueError:
        raise ValueError(f"'{text}' is not {expected}") from None
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is not {expected}")
    return number
