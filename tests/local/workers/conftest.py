"""A function that does what its event says."""

import pytest

from tests.local.workers.functions import HANDLER
from tests.moto_fixtures import Aws


@pytest.fixture(scope="module")
def function(aws: Aws) -> str:
    """A function that does what its event says."""
    return aws.function(HANDLER, variables={"OWN_VARIABLE": "its value"})
