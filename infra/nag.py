"""Suppressions of cdk-nag rules, each with its reason, next to the construct concerned."""

import json
from collections.abc import Mapping

from aws_cdk import Acknowledgment, Stack, Token, Validations
from constructs import IConstruct


def accept(construct: IConstruct, rule: str, reason: str) -> None:
    """Suppress a rule, or one finding of it (`AwsSolutions-IAM5[Resource::*]`), for `construct` and its children."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def accept_wildcards(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Suppress AwsSolutions-IAM5 for resources with a wildcard: for each ARN why it cannot be exact."""
    for arn, reason in reasons.items():
        accept(construct, f"AwsSolutions-IAM5[Resource::{_as_nag_writes(construct, arn)}]", reason)


def _as_nag_writes(construct: IConstruct, arn: str) -> str:
    """An ARN in the form of cdk-nag's findings: `<Bucket.Arn>/runs/*` for a join of references and texts."""
    return arn if not Token.is_unresolved(arn) else _flat(Stack.of(construct).resolve(arn))


def _flat(value: object) -> str:
    match value:
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_flat(part) for part in parts)
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case str():
            return value
        case _:
            return json.dumps(value)
