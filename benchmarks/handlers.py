"""Handlers as a benchmark loads them: each in its own process, with the environment that Lambda would set."""

import os

from epsm_local.aws.session import ACCOUNT, CREDENTIALS, REGION
from infra.tools.packaging import ROOT

INPUTS, RESULTS, TABLE = "benchmark-inputs", "benchmark-results", "benchmark-records"
STATE_MACHINE_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:benchmark"


def variables(endpoint: str) -> dict[str, str]:
    """Environment variables for a process that imports a handler.

    Args:
        endpoint: URL of the AWS that it is to use.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {
        **inherited,
        **CREDENTIALS,
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "LAMBDA_TASK_ROOT": str(ROOT),  # by which the X-Ray SDK knows that it runs in Lambda
        "AWS_XRAY_SDK_ENABLED": "false",
        "POWERTOOLS_SERVICE_NAME": "benchmark",
        "POWERTOOLS_METRICS_NAMESPACE": "benchmark",
        "INPUTS_BUCKET": INPUTS,
        "RESULTS_BUCKET": RESULTS,
        "TABLE_NAME": TABLE,
        "STATE_MACHINE_ARN": STATE_MACHINE_ARN,
    }
