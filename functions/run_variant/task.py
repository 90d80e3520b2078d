"""The image as a Fargate task: `python -m functions.run_variant.task` runs a variant, or a batch, without a time
limit.

Exit code: 0 if the records of its variants have their outcomes, anything else for an infrastructure error that can be
retried.
"""

import json
import math
import os
import signal
import sys

from epsm.pipeline.task_errors import SimulationFailed, StudyCancelled
from functions.run_variant.runner import logger, metrics, run, settings


def main() -> int:
    """Run the variant of the environment variables SIMULATION_ID and VARIANT, an item of items.json."""
    # A task is stopped when its study is cancelled: the run notices within seconds, ends its engine and records that it
    # was stopped, within the 30 seconds that ECS gives it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run(
            os.environ["SIMULATION_ID"],
            json.loads(os.environ["VARIANT"]),
            seconds_left=lambda: math.inf,
            memory_mb=settings.variant_memory_mb,
            engines=1,  # the task has one vCPU
        )
    except SimulationFailed:
        pass  # its record says why
    except StudyCancelled:
        logger.info("the study was cancelled")
    finally:
        metrics.flush_metrics()
    return 0


if __name__ == "__main__":
    sys.exit(main())
