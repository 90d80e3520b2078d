"""The sensitivity analysis that a study asks for."""

from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

DEFAULT_METRICS = ("site_eui_kwh_m2",)
_MAX_METRICS = 20


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ValueError(f"{', '.join(repeated)}: the same metric is listed more than once")
    return names


class Analysis(BaseModel):
    """Which numbers of the results table the sensitivity analysis explains by the parameters."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)

    metrics: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], AfterValidator(_each_once)] = (
        Field(
            default=DEFAULT_METRICS,
            max_length=_MAX_METRICS,
            description="Columns of the results table that hold numbers. An empty list: no analysis.",
        )
    )
    confidence: float = Field(
        strict=True, default=0.95, ge=0.5, le=0.999, description="Probability of the confidence intervals."
    )
