"""Whether a model's utility bills are in the currency of the study's costs, where one is divided by the other."""

from collections.abc import Iterator

from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelOutline
from epsm.problems import Problem
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.text import fold_name

_DEFAULT = "USD"
"""Currency of a model without CurrencyType (CostEstimateManager, EconomicTariff.cc)."""


def check_currency(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    """The fault of a model whose tariffs are in another currency than the costs of measures.

    Args:
        outline: The model.
        source: Its path in the study.
        study: The study.
    """
    impact = study.impact
    if impact is None or impact.currency is None or impact.has_cost or not study.has_measure_cost:
        return
    if not outline.of_class("UtilityCost:Tariff"):
        return
    rule = dictionary.load().find_class("CurrencyType")
    place = rule.find_field("Monetary Unit") if rule else None
    own = (
        next((str(model_object.value(place) or "") for model_object in outline.of_class("CurrencyType") if place), "")
        or _DEFAULT
    )
    if fold_name(own) != fold_name(impact.currency):
        fault = f"'{impact.currency}' is not the currency of the tariffs of {source}, '{own}', which give the payback"
        yield Problem(f"{MANIFEST_NAME}: impact.currency", fault, f"'{own}', or 'cost_per_kwh' of 'impact.fuels'")
