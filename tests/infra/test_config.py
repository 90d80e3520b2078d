"""What a deployment may choose: infra.config."""

import pytest

from infra.config import Config


def test_audiences_may_be_written_with_spaces() -> None:
    assert Config(jwt_issuer="https://login", jwt_audience="one, two").jwt_audiences == ["one", "two"]


def test_an_issuer_without_an_audience_is_refused_before_anything_is_deployed() -> None:
    with pytest.raises(ValueError, match="needs jwt_audience"):
        Config(jwt_issuer="https://login")


def test_an_account_that_has_more_may_set_more_aside() -> None:
    assert Config(reserved_concurrency=2900, account_concurrency=3000).reserved_concurrency == 2900


def test_more_than_lambda_sets_aside_is_refused_before_anything_is_deployed() -> None:
    with pytest.raises(ValueError, match=r"reserved_concurrency: 901 is more than 900.*account_concurrency"):
        Config(reserved_concurrency=901)
