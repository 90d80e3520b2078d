"""The image as a Fargate task: `python -m functions.run_variant.task` runs a variant, or a batch, without a time
limit.

Exit code: 0 if the records of its variants have their outcomes, 75 if it was stopped before that, anything else for an
infrastructure error that can be retried.
"""

import json
import os
import signal
import sys

from epsm.pipeline.batch import BatchOutcome
from epsm.pipeline.container_run import StopNotice, run_to_exit_code
from epsm.pipeline.run_variant import Outcome
from functions.run_variant.runner import logger, metrics, run, settings


def main() -> int:
    """Run the variant of the environment variables SIMULATION_ID and VARIANT, an item of items.json."""
    simulation, item = os.environ["SIMULATION_ID"], json.loads(os.environ["VARIANT"])
    # A task is stopped when Fargate Spot interrupts it, or when its study is cancelled: then the run also notices that
    # within seconds, ends its engines and records that they were stopped.
    notice = StopNotice(settings.stop_timeout_s)
    signal.signal(signal.SIGTERM, notice)

    def run_with(engines: int) -> Outcome | BatchOutcome:
        return run(
            simulation,
            item,
            seconds_left=notice.seconds_left,
            memory_mb=settings.variant_memory_mb,
            engines=engines,
            repeatable=True,
        )

    try:
        code = run_to_exit_code(run_with, settings.task_vcpus, notice)
    finally:
        metrics.flush_metrics()
    logger.info("task ends", extra={"stopped": notice.given, "exit_code": code})
    return code


if __name__ == "__main__":
    sys.exit(main())
