"""Items of the DynamoDB table: conversion from and to records."""

import json
import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from epsm.problems import Problem
from epsm.store import attributes, keys
from epsm.study.records import StudyRecord, StudyStatus, VariantRecord, VariantStatus

_MAX_NUMBER = 1e38
"""DynamoDB accepts up to 9.9e125, but returns plain digits, of which boto3 reads 38."""


_MIN_NUMBER = 1e-130
"""DynamoDB refuses a smaller number; an energy or area of that size is zero."""


def study_record(item: dict[str, Any]) -> StudyRecord:
    plain = _from_item(item)
    return StudyRecord(
        simulation_id=plain["simulation_id"],
        name=plain["name"],
        status=StudyStatus(plain[attributes.STATUS]),
        created_at=plain[attributes.CREATED_AT],
        started_at=plain.get(attributes.STARTED_AT, ""),
        ended_at=plain.get(attributes.ENDED_AT, ""),
        variants=plain.get("variants", 0),
        succeeded=plain.get("succeeded", 0),
        failed=plain.get("failed", 0),
        reused=plain.get("reused", 0),
        execution_arn=plain.get(attributes.EXECUTION_ARN, ""),
        error=_with_cause_in_words(plain.get(attributes.ERROR, "")),
        problems=tuple(Problem(**problem) for problem in plain.get("problems", ())),
        source=plain.get("source", {}),
        options=plain.get("options", {}),
        owner=plain.get(attributes.OWNER, ""),
        attempt=plain.get(attributes.ATTEMPT, 1),
        reopened_at=plain.get("reopened_at", ""),
        removing=plain.get("removing", False),
        given_up=plain.get("given_up", False),
        collected=plain.get("collected", False),
        stop_reason=plain.get("stop_reason", ""),
        spent_usd=float(plain.get("spent_usd", 0)),
        cost_usd=float(plain.get("cost_usd", 0)),
        batched=plain.get("batched", False),
        engines=plain.get("engines", 1),
        successes=plain.get(attributes.SUCCESSES, 0),
        failures=_failures(plain),
        interruptions=plain.get(attributes.INTERRUPTIONS, 0),
    )


def counters_of(item: dict[str, Any]) -> dict[str, Any]:
    """The counters of a study, named as the fields of its record."""
    names = ("spent_usd", "cost_usd", attributes.SUCCESSES, attributes.INTERRUPTIONS)
    counters = {name: _from_item(item[name]) for name in names if name in item}
    return counters | ({attributes.FAILURES: _failures(item)} if attributes.FAILURES in item else {})


def _failures(item: dict[str, Any]) -> int:
    """Failures without those known to have been replaced by successes."""
    return max(0, int(item.get(attributes.FAILURES, 0)) - int(item.get(attributes.OVERCOUNTED, 0)))


def variant_record(item: dict[str, Any]) -> VariantRecord:
    plain = _from_item(item)
    error = plain.get(attributes.ERROR, {})
    return VariantRecord(
        index=keys.index_of(plain[keys.SORT_KEY]),
        status=VariantStatus(plain[attributes.STATUS]),
        started_at=plain.get(attributes.STARTED_AT, ""),
        ended_at=plain.get(attributes.ENDED_AT, ""),
        verdict=plain.get(attributes.VERDICT, ""),
        stage=error.get(attributes.STAGE, ""),
        error=_in_words(error),
        summary=_unpacked(item[attributes.SUMMARY]) if attributes.SUMMARY in item else plain.get("summary", {}),
        pack=plain.get(attributes.PACK, ""),
    )


def packed(summary: Mapping[str, Any]) -> bytes:
    """The summary of a variant's results as one attribute: compressed JSON.

    As a map of more than a hundred numbers it would take half as much room again, and most of the time of collecting a
    large study.

    Raises:
        ValueError: If it contains a number that `to_item` does not accept.
    """
    return zlib.compress(json.dumps(_plain(summary), ensure_ascii=False, separators=(",", ":")).encode())


def _unpacked(stored: Any) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(zlib.decompress(bytes(stored)))
    return summary


def _plain(value: Any) -> Any:
    """A value with the numbers that the table would return for it."""
    if isinstance(value, float):
        return _from_item(to_item(value))
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    return value


def _in_words(error: dict[str, str]) -> str:
    """A failure's message. For a lost variant the state machine has only Lambda's error and its JSON cause."""
    message = error.get(attributes.MESSAGE, "")
    if attributes.LAMBDA_ERROR not in error:
        return message
    try:
        message = json.loads(message)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        pass
    name = error[attributes.LAMBDA_ERROR]
    return f"{name}: {message}" if message else name


def _with_cause_in_words(error: str) -> str:
    """A study's reason. If collecting failed, the state machine has only Lambda's JSON cause.

    >>> _with_cause_in_words('Lost: {"errorType": "AccessDenied", "errorMessage": "PutObject", "stackTrace": []}')
    'Lost: AccessDenied: PutObject'
    """
    text, brace, rest = error.partition("{")
    try:
        cause = json.loads(brace + rest)
        return f"{text}{cause['errorType']}: {cause['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return error


def to_item(value: Any) -> Any:
    """Python numbers for DynamoDB: floats as their shortest exact decimal, so that they are read back unchanged.

    Raises:
        ValueError: If a number could be written, but not read back.
    """
    if isinstance(value, float):
        if not abs(value) < _MAX_NUMBER:
            raise ValueError(f"{value:g} cannot be stored in the table: the limit is {_MAX_NUMBER:g}")
        return Decimal(repr(value)) if abs(value) > _MIN_NUMBER else Decimal(0)
    if isinstance(value, dict):
        return {key: to_item(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_item(entry) for entry in value]
    return value


def _from_item(value: Any) -> Any:
    if isinstance(value, Decimal):
        number = float(value)
        return int(number) if value == value.to_integral_value() and abs(value) < 2**53 else number
    if isinstance(value, dict):
        return {key: _from_item(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_from_item(entry) for entry in value]
    return value
