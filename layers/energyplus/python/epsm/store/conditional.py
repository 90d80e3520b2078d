"""Conditional writes to the table."""

from typing import Any

from botocore.exceptions import ClientError


def write_if(operation: Any, **arguments: Any) -> bool:
    """Call a write of a boto3 Table that has a condition; False, and nothing written, if the condition does not hold.

    Args:
        operation: The bound method, such as ``table.put_item``.
        arguments: Its arguments.

    Raises:
        botocore.exceptions.ClientError: If DynamoDB refuses the write for another reason.
    """
    try:
        operation(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
