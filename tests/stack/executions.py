"""Executions of studies on the deployed stack, and what their workers wrote."""

from collections.abc import Iterator

import pytest

from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.stack import faults

RUN_VARIANT = f"{STACK_NAME}-run-variant"


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield
