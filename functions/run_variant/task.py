"""The same image as a task of Fargate: `python -m functions.run_variant.task` runs one variant, however long it takes.

Its exit code says whether it did its work: 0 if the variant's record says what became of the variant, anything else
for a fault that is worth a retry.
"""

import json
import math
import os
import signal
import sys

from epsm.pipeline.task_errors import SimulationFailed, StudyCancelled
from functions.run_variant.runner import logger, metrics, run, settings


def main() -> int:
    """Run the variant that the variables SIMULATION_ID and VARIANT name, VARIANT being an item of items.json."""
    # A task is stopped when its study is cancelled: the run notices within seconds, ends its engine and records that it
    # was stopped, within the 30 seconds that ECS gives it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run(
            os.environ["SIMULATION_ID"],
            json.loads(os.environ["VARIANT"]),
            seconds_left=lambda: math.inf,
            memory_mb=settings.variant_memory_mb,
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
