"""AWS's list prices for us-east-1, Linux on x86, in US dollars.

Fargate: AWS Price List, offer AmazonECS of 11 September 2026. Fargate Spot: the table of aws.amazon.com/fargate/pricing
on 28 September 2026, 68 % below Fargate's price; it changes with supply and demand. The others: AWS's pricing pages;
the latest change was that of DynamoDB in November 2024.
"""

FUNCTION_GB_S = 0.0000166667
"""Lambda, a gigabyte second."""
FUNCTION_REQUEST = 0.20 / 1e6
TASK_VCPU_H, TASK_GB_H = 0.04048, 0.004445
"""Fargate, an hour of a vCPU and of a gigabyte; at least a minute of a task."""
SPOT_VCPU_H, SPOT_GB_H = 0.01288871, 0.00141527
PUBLIC_ADDRESS_H = 0.005
"""A public IPv4 address for an hour: a task has one."""
TRANSITION = 25 / 1e6
"""A state transition of Step Functions Standard."""
PUT, GET = 5 / 1e6, 0.4 / 1e6
"""An S3 request: PUT, COPY or LIST; GET."""
WRITE, READ = 0.625 / 1e6, 0.125 / 1e6
"""DynamoDB on demand: a write of 1 KB, a read of 4 KB."""
STORED_GB_MONTH = 0.023
"""S3 Standard."""
LOGGED_GB = 0.50
"""CloudWatch Logs, a gigabyte that is written."""
MIN_TASK_S = 60.0


def usd_per_second(memory_mb: float) -> float:
    """Cost of a second of a function with that much memory."""
    return memory_mb / 1024 * FUNCTION_GB_S


def container_usd_per_second(memory_mb: float, vcpus: int = 1, *, spot: bool = False) -> float:
    """Cost of a second of a Fargate task, with its public address.

    Args:
        memory_mb: Its memory, MiB.
        vcpus: Its vCPUs.
        spot: Whether it runs on Fargate Spot.
    """
    vcpu_h, gb_h = (SPOT_VCPU_H, SPOT_GB_H) if spot else (TASK_VCPU_H, TASK_GB_H)
    return (vcpus * vcpu_h + memory_mb / 1024 * gb_h + PUBLIC_ADDRESS_H) / 3600
