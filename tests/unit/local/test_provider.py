"""The local stack where the library is installed without what it needs."""

import pytest

import epsm
from epsm_local import provider
from tests.unit.client.test_run import study

__all__ = ["study"]


def test_a_study_says_what_to_install_where_there_is_no_local_stack(
    study: epsm.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "find_spec", lambda name: None if name in ("moto", "scipy") else object())
    with pytest.raises(epsm.NoStack, match=r"moto, scipy missing.*pip install 'epsm\[local\]'"):
        study.run()
    with pytest.raises(epsm.NoStack, match="not installed"):
        provider.start()
