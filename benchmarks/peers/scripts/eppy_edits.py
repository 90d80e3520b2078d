"""A model edited with eppy for each variant."""

import copy
from collections.abc import Iterator
from typing import Any


def edited(model: Any, case: dict[str, Any]) -> Iterator[Any]:
    """A copy of the model for each variant, with its fields multiplied by the factors of the variant.

    Args:
        model: An eppy IDF.
        case: The case, as `cases.py` writes it.
    """
    # The default writes comments with units, which takes half a minute for the small office.
    model.outputtype = "nocomment"
    for factors in case["factors"]:
        variant = copy.deepcopy(model)
        for factor, fields in zip(factors, case["fields"], strict=True):
            for class_name, field in fields:
                for item in variant.idfobjects[class_name.upper()]:
                    name = field.replace(" ", "_")
                    if item[name] != "":
                        item[name] *= factor
        yield variant
