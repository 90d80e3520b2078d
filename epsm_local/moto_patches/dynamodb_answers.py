"""Queries of DynamoDB in milliseconds instead of seconds, with the same answers.

Completes moto/dynamodb/models/table.py, in which a query sorts all items of the table and copies those that it returns;
models/dynamo_type.py, in which a projection copies the whole item once for each attribute; and moto/core/serialize.py,
which looks for each of the ten possible members of every attribute value, in five spellings.
"""

import base64
import copy
import functools
import inspect
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

_stock_deepcopy = Item.__deepcopy__
_stock_project = Item.project
_reading = threading.local()
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?")
"""A number that boto3, through which moto passes projected items, writes as it is."""


def install() -> None:
    """Install before `dynamodb`, whose lock makes copies of items needless."""
    Table.query = _query_of_few(Table.query)
    Item.__deepcopy__ = _deepcopy
    Item.project = _project
    SERVICE_SPECIFIC_SERIALIZERS["dynamodb"] = {"json": Serializer}


def _query_of_few(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Let a query see only the items that it can return."""

    signature = inspect.signature(stock)

    @functools.wraps(stock)
    def query(self: Table, *args: Any, **kwargs: Any) -> Any:
        requested = signature.bind(self, *args, **kwargs).arguments
        index_name = requested.get("index_name")
        view = copy.copy(self)
        view.all_items = functools.partial(_candidates, self, requested["hash_key"], index_name)
        # Items of an index are projected in place, so these are copied.
        _reading.shares = index_name is None
        try:
            return stock(view, *args, **kwargs)
        finally:
            _reading.shares = False

    return query


def _candidates(table: Table, hash_key: Any, index_name: str | None) -> list[Item]:
    if not table.range_key_attr:
        return list(table.items.values())
    if index_name is None:
        partition = table.items.get(hash_key, {}).values()
        return sorted(partition, key=lambda item: item.range_key.cast_value)
    index = next((index for index in table.all_indexes() if index.name == index_name), None)
    names = [key["AttributeName"] for key in index.schema if key["KeyType"] == "HASH"] if index else []
    return [
        item
        for partition in list(table.items.values())
        for item in partition.values()
        if all(name in item.attrs for name in names)
    ]


def _deepcopy(self: Item, memo: dict[int, Any]) -> Item:
    """While a query is answered, no other request changes items."""
    return self if getattr(_reading, "shares", False) else _stock_deepcopy(self, memo)


def _project(self: Item, projection_expressions: list[list[str]]) -> Item:
    attributes: dict[str, dict[str, Any]] = {}
    for path in projection_expressions:
        if len(path) != 1 or not _NAME.fullmatch(path[0]):
            return _stock_project(self, projection_expressions)
        attribute = self.attrs.get(path[0])
        if attribute is None:
            continue
        if attribute.type not in ("S", "N") or (attribute.type == "N" and not _PLAIN_NUMBER.fullmatch(attribute.value)):
            return _stock_project(self, projection_expressions)
        attributes[path[0]] = {attribute.type: attribute.value}
    return Item(hash_key=self.hash_key, range_key=self.range_key, attrs=attributes)


class Serializer(JSONSerializer):  # type: ignore[misc]
    """Writes attribute values by their own type; all else as moto does."""

    def _serialize_type_map(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.value.name != "AttributeValue" or not all(map(_is_attribute, value.values())):
            return super()._serialize_type_map(serialized, value, shape, key)  # type: ignore[no-any-return]
        written = {name: _attribute(attribute) for name, attribute in value.items()}
        return self._default_serialize(serialized, written, shape, key)  # type: ignore[no-any-return]


def _is_attribute(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return {kind: {name: _attribute(attribute) for name, attribute in content.items()}}
        case "L":
            return {kind: [_attribute(attribute) for attribute in content]}
        case "SS" | "NS":
            return {kind: [str(element) for element in content]}
        case "B":
            return {kind: _base64(content)}
        case "BS":
            return {kind: [_base64(element) for element in content]}
        case "S" | "N":
            return {kind: str(content)}
    return {kind: content}


def _base64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
