"""What a deployment may choose: infra.config."""

import pytest

from infra.config import Config


def test_an_account_that_has_more_may_set_more_aside() -> None:
    assert Config(reserved_concurrency=2900, account_concurrency=3000).reserved_concurrency == 2900


def test_more_than_lambda_sets_aside_is_refused_before_anything_is_deployed() -> None:
    with pytest.raises(ValueError, match=r"reserved_concurrency: 901 is more than 900.*account_concurrency"):
        Config(reserved_concurrency=901)
