"""Time steps of models: whether weather with several records an hour, and imported shading, fit them.

The engine (WeatherManager.cc, 25.2) accepts weather of one record an hour with any Timestep; several records an hour
must equal the number of time steps, or the run ends ("Number of intervals per hour on Weather file does not match").
"""

from collections.abc import Iterator, Sequence

from epsm.checks.table_text import field_text, is_number
from epsm.energyplus.model_reader import ModelOutline
from epsm.problems import Problem
from epsm.study.parameters import Dimension
from epsm.text import fold_name

_DEFAULT = 4
_FIELD = "Number of Timesteps per Hour"
_MAY_CHANGE_THEM = (
    "performanceprecisiontradeoffs",
    "heatbalancesettings:conductionfinitedifference",
    "surfaceproperty:heattransferalgorithm",
)


def time_steps(outline: ModelOutline, parameters: Sequence[Dimension]) -> list[int]:
    """The numbers of time steps an hour that a model is run with: its own, for the baseline, then the study's levels.

    Empty if the engine may choose another number (finite differences, PerformancePrecisionTradeoffs).
    """
    algorithms = outline.of_class("HeatBalanceAlgorithm")
    other = any(
        fold_name(field_text(algorithm, "Algorithm")) not in ("", "conductiontransferfunction")
        for algorithm in algorithms
    )
    if other or any(name.startswith(_MAY_CHANGE_THEM) for name in outline.objects):
        return []
    texts = [field_text(model_object, _FIELD) for model_object in outline.of_class("Timestep")]
    if any(not is_number(text) for text in texts if text):
        return []
    own = float(texts[0]) if texts and texts[0] else float(_DEFAULT)
    numbers = [own]
    for parameter in parameters:
        for target in parameter.all_targets:
            if fold_name(target.class_name) != "timestep":
                continue
            values = [target.new_value(level, own) for level in parameter.extremes if isinstance(level, float)]
            numbers += [value for value in values if isinstance(value, float)]
    return list(dict.fromkeys(int(number) for number in numbers))


def check_time_steps(
    outline: ModelOutline, source: str, parameters: Sequence[Dimension], records_per_hour: dict[str, int]
) -> Iterator[Problem]:
    """Weather files with a number of records an hour that does not fit a model's time steps.

    Args:
        outline, source: The model and its path in the study.
        parameters: The parameters of the study.
        records_per_hour: Of each weather file.
    """
    for weather, records in records_per_hour.items():
        wrong = [number for number in time_steps(outline, parameters) if records not in (1, number)]
        if wrong:
            steps = ", ".join(map(str, wrong))
            fault = f"has {records} records an hour, and {source} runs with Timestep {steps}"
            yield Problem(f"{weather}: line 8", fault, f"weather of 1 record an hour, or Timestep {records}")
