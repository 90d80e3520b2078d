"""A workspace on a bucket."""

from pathlib import Path

import pytest

from epsm.pipeline.workspace import Workspace
from epsm.store.files import Files
from tests.unit.fakes import fake
from tests.unit.pipeline.workspace.manifests import Bucket


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def workspace(tmp_path: Path, bucket: Bucket) -> Workspace:
    return Workspace(tmp_path / "work", Files(fake(bucket), "results"))
