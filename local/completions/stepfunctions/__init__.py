"""Step Functions as this project needs it. Completes moto/stepfunctions, which brings an ASL interpreter.

`interpreter`: machines made by CloudFormation reach the interpreter; clients are kept. `map_run`: Distributed Map.
`result_writer`: its result files. `executions`: names, stopping, events of executions, children of map runs.
"""

from local.completions.stepfunctions import executions, interpreter, map_run, result_writer


def install() -> None:
    for module in (interpreter, map_run, result_writer, executions):
        module.install()
