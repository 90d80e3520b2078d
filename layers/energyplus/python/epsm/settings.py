"""Settings of a function from its environment. The only module that reads environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.study.compute import STOP_TIMEOUT_S
from epsm.study.limits import Limits
from epsm.study.schema import (
    MAX_FUNCTION_RUN_S,
    MAX_RETENTION_DAYS,
    MAX_VARIANTS,
)


def _listed(text: object) -> object:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits of each owner.

    Attributes:
        running_studies: Studies that have not ended; 0 for any number.
        usd_per_month: Maximum cost of their studies; 0 for any amount.
    """

    running_studies: int = 0
    usd_per_month: float = 0.0


class Settings(BaseModel):
    """Configuration of the deployed functions; each field comes from the variable of that name in capitals.

    Attributes:
        inputs_bucket: Bucket that studies are uploaded to.
        results_bucket: Bucket that runs are written to.
        table_name: DynamoDB table of records.
        state_machine_arn: ARN of the study state machine; set only for functions that start or query executions.
        aggregate_function: Name of the function that collects results; set only for functions that invoke it.
        max_variants: Maximum number of variants of a study.
        longest_run_s: Maximum time limit of a run, seconds; beyond a function's only with Fargate.
        longest_retention_days: Maximum retention of a study; replaced inputs must be kept as long.
        missing_file_grace_s: Seconds without any new upload after which submit stops waiting for missing files.
        image_id: Content hash of the container image, written into the run's manifest.
        cleanup_function: Name of the function that removes studies; set only for the API and the canary.
        administrators: Callers that see all studies: ARNs of IAM users and roles, or groups in tokens.
        trusted_session_roles: ARNs of roles whose session names callers cannot choose; set only for the API.
        bucket_owner: Owner of studies uploaded directly to the bucket; set only for submit.
        topic_arn: SNS topic for study notifications; set only for functions that publish to it.
        variant_concurrency: Lambda executions reserved for variants; 0 for none.
        variant_memory_mb: Memory of the function that runs a variant, for estimates of cost; in a container its own.
        fargate_vcpus: vCPUs that tasks may have at a time, in containers and again on Fargate Spot; 0 without Fargate.
        task_vcpus: vCPUs of the task that runs a batch; set only in containers.
        capacity: ``spot`` in a task on Fargate Spot.
        stop_timeout_s: Seconds from the signal that stops a container to its end; set only in containers.
        owner_max_running_studies: Maximum number of one owner's studies that have not ended; 0 for any number.
        owner_max_usd_per_month: Maximum cost of one owner's studies in a month; 0 for any amount.
        stage: Stage of the stack, part of its name.
    """

    model_config = ConfigDict(frozen=True)

    inputs_bucket: str
    results_bucket: str
    table_name: str
    state_machine_arn: str = ""
    aggregate_function: str = ""
    max_variants: int = Field(default=MAX_VARIANTS, ge=1)
    longest_run_s: int = Field(default=MAX_FUNCTION_RUN_S, ge=1)
    longest_retention_days: int = Field(default=MAX_RETENTION_DAYS, ge=1)
    missing_file_grace_s: float = Field(default=10.0, ge=0, allow_inf_nan=False)
    image_id: str = "unknown"
    cleanup_function: str = ""
    administrators: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    trusted_session_roles: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    bucket_owner: str = ""
    topic_arn: str = ""
    variant_concurrency: int = 0
    variant_memory_mb: int = DEFAULT_MEMORY_MB
    fargate_vcpus: int = Field(default=0, ge=0)
    task_vcpus: int = Field(default=1, ge=1)
    capacity: str = ""
    stop_timeout_s: int = Field(default=STOP_TIMEOUT_S, ge=1)
    owner_max_running_studies: int = Field(default=0, ge=0)
    owner_max_usd_per_month: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    stage: str = ""

    @property
    def limits(self) -> Limits:
        """Limits of studies."""
        return Limits(
            self.max_variants,
            self.longest_run_s,
            self.longest_retention_days,
            self.variant_memory_mb,
            containers=self.fargate_vcpus > 0,
        )

    @property
    def allowance(self) -> Allowance:
        """Limits of each owner."""
        return Allowance(self.owner_max_running_studies, self.owner_max_usd_per_month)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings.

        Raises:
            pydantic.ValidationError: If a variable is missing or does not fit.
        """
        known = {name: environment[name.upper()] for name in cls.model_fields if name.upper() in environment}
        return cls.model_validate(known)
