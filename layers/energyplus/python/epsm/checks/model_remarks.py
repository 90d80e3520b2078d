"""Faults that EnergyPlus silently corrects: the model runs, but not as written."""

from collections import Counter
from collections.abc import Iterator

from epsm.checks.model_faults import place_of
from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldRule
from epsm.energyplus.model_reader import ModelOutline

_MAX_REMARKS = 10


def model_remarks(outline: ModelOutline, source: str) -> list[str]:
    """Sentences about fields that EnergyPlus rounds; one for each field of a class.

    Args:
        outline: The model.
        source: Its path in the study; each sentence begins with it.
    """
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for kind, sentence in _found(outline, source):
        counts[kind] += 1
        first.setdefault(kind, sentence)
    remarks = [
        f"{sentence}; the same in {counts[kind]:,} objects." if counts[kind] > 1 else f"{sentence}."
        for kind, sentence in first.items()
    ]
    rest = len(remarks) - _MAX_REMARKS
    return remarks if rest <= 0 else [*remarks[:_MAX_REMARKS], f"{source}: {rest} more such fields."]


def _found(outline: ModelOutline, source: str) -> Iterator[tuple[tuple[str, str], str]]:
    for group in outline.objects.values():
        rule = dictionary.load().find_class(group[0].class_name)
        if rule is None:
            continue
        for model_object in group:
            where = (
                f"{place_of(model_object, source)}: {rule.name}"
                if model_object.line
                else place_of(model_object, source)
            )
            if isinstance(model_object.values, tuple):
                for field, value in _fractions(model_object.values, rule):
                    fault = f"{field.name} is {value}; EnergyPlus rounds it to a whole number"
                    yield (rule.name, field.key), f"{where} '{model_object.name}': {fault}"


def _fractions(values: tuple[str, ...], rule: ClassRule) -> Iterator[tuple[FieldRule, str]]:
    integers = [position for position, field in enumerate(rule.fields) if field.type == "integer"]
    for position in integers:
        value = values[position] if position < len(values) else ""
        try:
            if value and not float(value).is_integer():
                yield rule.fields[position], value
        except ValueError:
            continue  # a keyword, or a fault that `model_faults` reports
