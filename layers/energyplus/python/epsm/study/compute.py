"""Where the variants of a study run: in functions, in containers, or in containers on Fargate Spot.

Amazon ECS Developer Guide, "Task CPU and memory": 1, 2 and 4 vCPUs may have 2 GB of memory each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Compute = Literal["function", "container", "spot"]
COMPUTES: tuple[Compute, ...] = ("function", "container", "spot")
DEFAULT_COMPUTE: Compute = "function"
LAMBDA_AT_A_TIME = 1000
"""Lambda's default concurrency limit of an account."""
DEFAULT_FARGATE_VCPUS = 6
"""Amazon ECS endpoints and quotas: vCPUs of Fargate, and as many of Fargate Spot, for an account and region."""
MB_PER_TASK_VCPU = 2048
STOP_TIMEOUT_S = 120
"""From the signal that stops a task to its end: the most that ECS allows, and the notice of Fargate Spot."""
TASK_START_S = 60.0
"""From the request of a task until its program starts; paid for from the image pull on. 57 s were published for an
image of 413 MB (elasticscale.com, "Reduce AWS Fargate pull times with SOCI", April 2024)."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Containers that run batches of a stack.

    Attributes:
        vcpus: Of one task; it runs as many engines.
        at_a_time: Number of tasks that the account's quota allows at a time.
    """

    vcpus: int
    at_a_time: int

    @classmethod
    def within(cls, quota_vcpus: int) -> Self:
        """The tasks of an account.

        Args:
            quota_vcpus: vCPUs that its tasks may have together.

        >>> [Tasks.within(quota) for quota in (1, 6, 4000)]
        [Tasks(vcpus=1, at_a_time=1), Tasks(vcpus=2, at_a_time=3), Tasks(vcpus=4, at_a_time=1000)]
        """
        vcpus = 4 if quota_vcpus >= 16 else 2 if quota_vcpus >= 2 else 1
        return cls(vcpus, max(1, quota_vcpus // vcpus))

    @property
    def memory_mb(self) -> int:
        """Memory of one task, MiB."""
        return self.vcpus * MB_PER_TASK_VCPU


def compute_of(options: Mapping[str, Any]) -> Compute:
    """Where the variants of a study run, by the options in its record."""
    compute: Compute = options.get("compute", DEFAULT_COMPUTE)
    return compute
