"""The API on a store in this process."""

from typing import Any

import pytest

from epsm.store.records import Records
from tests.unit.api.routes.requests import ACCOUNT
from tests.unit.deployed import Deployed


@pytest.fixture
def stack(s3: Any, records: Records) -> Deployed:
    return Deployed(s3, records, administrators=(f"{ACCOUNT}/root",), stage="test")
