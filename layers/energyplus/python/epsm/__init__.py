"""EnergyPlus parametric studies, on AWS or on this machine.

```
import epsm

study = epsm.Study(models=["office.idf"], weather=["chicago.epw"])
study = study.vary("insulation_m", "Material", "Wall Insulation", "Thickness", values=[0.1, 0.2])
print(study.check())                  # raises epsm.StudyRejected with every problem
run = study.run()                     # on this machine; study.run("epsm-dev") on AWS
table = run.wait().results()          # a pandas DataFrame, one row per variant
```

Everything here is loaded when it is first used: importing the package alone takes a millisecond, since functions on
AWS import it too. All exceptions are in one tree below `EpsmError` (`epsm.errors`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from epsm.client.check import Check
    from epsm.client.connection import Connection, connect
    from epsm.client.frames import read_design, read_monthly, read_results, read_zones
    from epsm.client.run import Run
    from epsm.client.sensitivity import sensitivity
    from epsm.client.series import read_series
    from epsm.client.shortcuts import check, load, run, submit
    from epsm.client.study import Study
    from epsm.errors import (
        CannotWrite,
        DamagedResults,
        EngineMissing,
        EpsmError,
        FolderBusy,
        MissingPackage,
        NoStack,
        NotEnded,
        NotFound,
        NotPickedUp,
        OverLimit,
        StackError,
        StudyFailed,
        StudyRejected,
        WaitTimeout,
    )
    from epsm.problems import Problem
    from epsm.study.parameters import Parameter
    from epsm.study.records import StudyStatus
    from epsm.study.schema import Options, Outputs

__all__ = [
    "CannotWrite",
    "Check",
    "Connection",
    "DamagedResults",
    "EngineMissing",
    "EpsmError",
    "FolderBusy",
    "MissingPackage",
    "NoStack",
    "NotEnded",
    "NotFound",
    "NotPickedUp",
    "Options",
    "Outputs",
    "OverLimit",
    "Parameter",
    "Problem",
    "Run",
    "StackError",
    "Study",
    "StudyFailed",
    "StudyRejected",
    "StudyStatus",
    "WaitTimeout",
    "__version__",
    "check",
    "connect",
    "load",
    "read_design",
    "read_monthly",
    "read_results",
    "read_series",
    "read_zones",
    "run",
    "sensitivity",
    "submit",
]

_ELSEWHERE = {
    "Check": "client.check",
    "Connection": "client.connection",
    "Options": "study.schema",
    "Outputs": "study.schema",
    "Parameter": "study.parameters",
    "Problem": "problems",
    "Run": "client.run",
    "Study": "client.study",
    "StudyStatus": "study.records",
    "check": "client.shortcuts",
    "connect": "client.connection",
    "load": "client.shortcuts",
    "read_design": "client.frames",
    "read_monthly": "client.frames",
    "read_zones": "client.frames",
    "read_results": "client.frames",
    "read_series": "client.series",
    "run": "client.shortcuts",
    "sensitivity": "client.sensitivity",
    "submit": "client.shortcuts",
}
"""Where the names are that are not exceptions."""


def __getattr__(name: str) -> Any:
    """A public name, from its module (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
