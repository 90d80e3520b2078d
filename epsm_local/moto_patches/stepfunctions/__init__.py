"""Step Functions as this project needs it. Completes moto/stepfunctions, which has an ASL interpreter.

`interpreter`: state machines created by CloudFormation use the interpreter; clients are cached. `map_run`: Distributed
Map. `item_reader`: items that cannot be read. `result_writer`: result files. `executions`: names, stopping, events of
executions, children of map runs. `history`: pages of events, details of descriptions, errors that are never retried.
"""

from epsm_local.moto_patches.stepfunctions import executions, history, interpreter, item_reader, map_run, result_writer


def install() -> None:
    for module in (interpreter, map_run, item_reader, result_writer, executions, history):
        module.install()
