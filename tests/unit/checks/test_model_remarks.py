"""Remarks on values of a model that EnergyPlus rounds silently."""

from pathlib import Path

import pytest

from epsm.checks.model_remarks import model_remarks
from epsm.energyplus.model_reader import read_outline
from tests.unit.checks.test_model_faults import SOUND


def remarks(model: str, source: str) -> list[str]:
    return model_remarks(read_outline(model.encode(), source), source)


def test_a_fraction_in_place_of_a_whole_number_is_remarked(one_zone: str) -> None:
    """EnergyPlus simulates two such zones."""
    model = one_zone.replace("1;                       !- Multiplier", "1.5;")
    (remark,) = remarks(model, "room.idf")
    assert remark.endswith("Zone 'Room': Multiplier is 1.5; EnergyPlus rounds it to a whole number.")


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_models_of_energyplus_itself_have_nothing_to_remark(path: Path) -> None:
    assert remarks(path.read_text(encoding="latin-1"), path.name) == []
