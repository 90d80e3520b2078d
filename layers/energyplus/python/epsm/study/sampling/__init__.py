"""Sampling: which combinations of its parameters' levels a study runs. A module a method; `design` is the way in.

Pure Python without numpy, because submit and the API are small functions (docs/decisions/0015).
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from epsm.study.sampling.base import Design, InUnitCube
from epsm.study.sampling.grid import Grid
from epsm.study.sampling.latin_hypercube import LatinHypercube
from epsm.study.sampling.listed import Listed
from epsm.study.sampling.morris import Morris
from epsm.study.sampling.one_at_a_time import OneAtATime
from epsm.study.sampling.random_points import RandomPoints
from epsm.study.sampling.sobol import Sobol

__all__ = [
    "METHODS",
    "Design",
    "Grid",
    "InUnitCube",
    "LatinHypercube",
    "Listed",
    "Morris",
    "OneAtATime",
    "RandomPoints",
    "Sampling",
    "Sobol",
]

Method = Grid | OneAtATime | Listed | LatinHypercube | RandomPoints | Sobol | Morris
METHODS: dict[str, type[Method]] = {
    "grid": Grid,
    "one_at_a_time": OneAtATime,
    "list": Listed,
    "latin_hypercube": LatinHypercube,
    "random": RandomPoints,
    "sobol": Sobol,
    "morris": Morris,
}


_ALSO_CALLED = {"product": "grid", "one_by_one": "one_at_a_time"}
"""Names of methods as combinations of measures are called elsewhere -> here."""


def _with_method(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    method = value.get("method", "grid")
    return {**value, "method": _ALSO_CALLED.get(method, method) if isinstance(method, str) else method}


Sampling = Annotated[Method, Field(discriminator="method"), BeforeValidator(_with_method)]
"""The sampling of a study; a grid where no method is named."""
