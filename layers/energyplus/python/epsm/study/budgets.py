"""Budgets of studies, and their bounds."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

STORED: Mapping[str, bool] = {"stored": True}
"""Validation context for studies that were accepted earlier."""
_MIN_BUDGET_USD, _MAX_BUDGET_USD = 1e-6, 1e6


def _budget(amount: float, info: ValidationInfo) -> float:
    """The bounds of a budget. They apply on submission; studies stored before can still be read and removed."""
    if info.context is STORED:
        return amount
    if amount < _MIN_BUDGET_USD:
        raise PydanticCustomError("greater_than_equal", "too small", {"ge": _MIN_BUDGET_USD})
    if amount > _MAX_BUDGET_USD:
        raise PydanticCustomError("less_than_equal", "too large", {"le": _MAX_BUDGET_USD})
    return amount


Budget = Annotated[
    float,
    Field(strict=True, json_schema_extra={"maximum": _MAX_BUDGET_USD, "minimum": _MIN_BUDGET_USD}),
    AfterValidator(_budget),
]
