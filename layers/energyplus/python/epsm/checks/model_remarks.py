"""What EnergyPlus passes over in a model without a word: it runs, and not as it is written."""

from collections import Counter
from collections.abc import Iterable, Iterator

from epsm.checks.model_faults import place_of
from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldRule
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.text import nearest

_MAX_REMARKS = 10
_OF_THE_CONVERTER = ("idf_order", "idf_max_fields", "idf_max_extensible_fields")
"""Keys that EnergyPlus itself writes into epJSON beside the fields."""


def model_remarks(outline: ModelOutline, source: str) -> list[str]:
    """Sentences about fields that EnergyPlus ignores or rounds; one for each field of a class.

    Args:
        outline: The model.
        source: Its path in the study, with which each sentence begins.
    """
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for kind, sentence in _found(outline, source):
        counts[kind] += 1
        first.setdefault(kind, sentence)
    remarks = [
        f"{sentence}; so in {counts[kind]:,} objects." if counts[kind] > 1 else f"{sentence}."
        for kind, sentence in first.items()
    ]
    rest = len(remarks) - _MAX_REMARKS
    return remarks if rest <= 0 else [*remarks[:_MAX_REMARKS], f"{source}: {rest} more such fields."]


def _found(outline: ModelOutline, source: str) -> Iterator[tuple[tuple[str, str], str]]:
    for group in outline.objects.values():
        rule = dictionary.load().find_class(group[0].class_name)
        if rule is None:
            continue
        for each in group:
            where = f"{place_of(each, source)}: {rule.name}" if each.line else place_of(each, source)
            if isinstance(each.values, dict):
                for key, near in _unknown_keys(each, rule):
                    hint = f" (like it: {near})" if near else ""
                    yield (rule.name, key), f"{where}: EnergyPlus ignores '{key}', which is no field of it{hint}"
            else:
                for field, value in _fractions(each.values, rule):
                    what = f"{field.name} is {value}; EnergyPlus makes it a whole number"
                    yield (rule.name, field.key), f"{where} '{each.name}': {what}"


def _unknown_keys(each: ModelObject, rule: ClassRule) -> Iterator[tuple[str, str]]:
    assert isinstance(each.values, dict)
    own = [field.key for field in rule.fields]
    in_groups = [field.key for field in rule.repeats]
    repeat_key = rule.repeats[0].repeat_key if rule.repeats else None
    yield from _beside(each.values, [*own, *([repeat_key] if repeat_key else []), *_OF_THE_CONVERTER])
    groups = each.values.get(repeat_key) if repeat_key else None
    for group in groups if isinstance(groups, list) else ():
        if isinstance(group, dict):
            yield from _beside(group, in_groups)


def _beside(keys: Iterable[str], known: list[str]) -> Iterator[tuple[str, str]]:
    for key in keys:
        if key not in known:
            yield key, nearest(key, known, 1)


def _fractions(values: tuple[str, ...], rule: ClassRule) -> Iterator[tuple[FieldRule, str]]:
    whole = [position for position, field in enumerate(rule.fields) if field.type == "integer"]
    for position in whole:
        value = values[position] if position < len(values) else ""
        try:
            if value and not float(value).is_integer():
                yield rule.fields[position], value
        except ValueError:
            continue  # a word, or what `model_faults` tells
