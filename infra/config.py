"""What a deployment may choose, from CDK context: `cdk deploy -c stage=prod -c memory_mb=3008`."""

from dataclasses import dataclass, fields
from typing import Any, Self

from constructs import Node

from epsm.shares import LAMBDA_AT_A_TIME
from epsm.study import LONGEST_IN_A_FUNCTION_S, LONGEST_RETENTION_DAYS, LONGEST_RUN_S, MOST_VARIANTS, Options

_ALWAYS_UNRESERVED = 100
"""Executions that Lambda keeps for functions without a reservation (Lambda Developer Guide, reserved concurrency)."""

_FROM_UPLOAD_TO_END_DAYS = 10
"""An execution ends within 7 days, and retention counts from there."""
_USUAL_RETENTION_DAYS = Options().retention_days


@dataclass(frozen=True, slots=True)
class Config:
    """Choices for one deployment; every field is a context key of that name.

    Attributes:
        stage: Names the stack, `epsm-<stage>`, so that several can stand side by side.
        memory_mb: Memory of a run_variant function; 1,769 MB is one whole vCPU, and a run uses one core.
        reserved_concurrency: Lambda executions set aside for variants; 0 reserves none and takes what the account has.
        account_concurrency: Lambda executions that the account may run at a time; AWS's own number where it was not
            asked for more. The alarm before that limit is set by it.
        max_variants: Largest study that is accepted.
        missing_file_grace_s: Submit gives a missing file up when none of the study has arrived for this long.
        log_retention_days: Days that logs are kept; one of CloudWatch's own steps.
        noncurrent_days: Days that a replaced or deleted input is still there, for the studies that were made of it; no
            study may be kept longer than ten days less.
        notify_email: Who is told when a study ends or an alarm goes off; empty for nobody.
        keep_data: Whether buckets and table stay when the stack is deleted.
        jwt_issuer: Issuer of the tokens that the API takes; empty for callers with AWS credentials (IAM).
        jwt_audience: Audiences of those tokens, with commas.
        administrators: Who sees everybody's studies: ARNs of IAM users and roles, or groups in tokens, with commas.
        bucket_owner: Whose the studies are that are put into the bucket directly, as records name callers
            (`iam:` and an ARN, for one); empty for nobody's but the administrators'.
        api_requests_per_s: Requests to the API, a second, over all callers; twice as many at once.
        fargate: Whether a variant that needs longer than Lambda gives it is run by a task of Fargate.
        canary_every_hours: Hours from one canary, a tiny study through the whole stack, to the next; 0 for none.
    """

    stage: str = "dev"
    memory_mb: int = 1769
    reserved_concurrency: int = 0
    account_concurrency: int = LAMBDA_AT_A_TIME
    max_variants: int = MOST_VARIANTS
    missing_file_grace_s: float = 10.0
    log_retention_days: int = 30
    noncurrent_days: int = 365
    notify_email: str = ""
    keep_data: bool = True
    jwt_issuer: str = ""
    jwt_audience: str = ""
    administrators: str = ""
    bucket_owner: str = ""
    api_requests_per_s: int = 50
    fargate: bool = False
    canary_every_hours: int = 1

    def __post_init__(self) -> None:
        most = self.account_concurrency - _ALWAYS_UNRESERVED
        if self.reserved_concurrency and self.reserved_concurrency > most:
            raise ValueError(
                f"context reserved_concurrency: {self.reserved_concurrency} is more than {max(0, most)}, the most that "
                f"Lambda sets aside of {self.account_concurrency}; account_concurrency says what the account has"
            )
        if self.longest_retention_days < _USUAL_RETENTION_DAYS:
            least = _USUAL_RETENTION_DAYS + _FROM_UPLOAD_TO_END_DAYS
            raise ValueError(
                f"context noncurrent_days: {self.noncurrent_days} is less than {least}; a study is kept for "
                f"{_USUAL_RETENTION_DAYS} days unless it says otherwise, and what it was made of must be there as long"
            )
        if self.jwt_issuer and not self.jwt_audiences:
            raise ValueError("context jwt_issuer: needs jwt_audience, whom its tokens are for")

    @property
    def longest_retention_days(self) -> int:
        """Longest that a study may be kept: its inputs, replaced the moment it began, must be there until it goes."""
        return min(self.noncurrent_days - _FROM_UPLOAD_TO_END_DAYS, LONGEST_RETENTION_DAYS)

    @property
    def jwt_audiences(self) -> list[str]:
        """Each of `jwt_audience`."""
        return [each.strip() for each in self.jwt_audience.split(",") if each.strip()]

    @property
    def name(self) -> str:
        return f"epsm-{self.stage}"

    @property
    def longest_run_s(self) -> int:
        """Longest time limit of a run that is accepted, seconds."""
        return LONGEST_RUN_S if self.fargate else LONGEST_IN_A_FUNCTION_S

    @classmethod
    def from_context(cls, node: Node) -> Self:
        """Read the context; values from the command line are texts.

        Raises:
            ValueError: If a value does not fit.
        """
        given: dict[str, Any] = {}
        for field in fields(cls):
            value = node.try_get_context(field.name)
            if value is None:
                continue
            default: Any = field.default
            if isinstance(default, bool):
                if str(value).lower() not in ("true", "false"):
                    raise ValueError(f"context {field.name}: {value!r} is neither true nor false")
                given[field.name] = str(value).lower() == "true"
            else:
                given[field.name] = type(default)(value)
        return cls(**given)
