"""What EnergyPlus ignores or rounds in a model without a word is remarked."""

import json
from pathlib import Path

import pytest

from epsm.checks.model_remarks import model_remarks
from epsm.energyplus.model_reader import read_outline
from tests.unit.checks.test_model_faults import SOUND
from tests.unit.checks.test_models import as_epjson


def remarks(model: str, source: str) -> list[str]:
    return model_remarks(read_outline(model.encode(), source), source)


def test_a_field_of_epjson_that_is_not_known_is_remarked(one_zone: str) -> None:
    """EnergyPlus takes the default, 0.7, without a warning."""
    document = as_epjson(one_zone)
    document["Material"]["Brick"]["Solar_Absorptance"] = 0.1
    document["Material"]["Concrete"]["Solar_Absorptance"] = 0.1
    assert remarks(json.dumps(document), "room.epJSON") == [
        "room.epJSON: Material 'Brick': EnergyPlus ignores 'Solar_Absorptance', which is no field of it (like it: "
        "'solar_absorptance'); so in 2 objects."
    ]


def test_what_the_engine_writes_beside_the_fields_is_not(one_zone: str) -> None:
    document = as_epjson(one_zone)
    document["Material"]["Brick"] |= {"idf_order": 3, "idf_max_fields": 9, "idf_max_extensible_fields": 0}
    assert remarks(json.dumps(document), "room.epJSON") == []


def test_a_fraction_in_place_of_a_whole_number_is_remarked(one_zone: str) -> None:
    """EnergyPlus simulates two such zones."""
    model = one_zone.replace("1;                       !- Multiplier", "1.5;")
    (remark,) = remarks(model, "room.idf")
    assert remark.endswith("Zone 'Room': Multiplier is 1.5; EnergyPlus makes it a whole number.")


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_models_of_energyplus_itself_have_nothing_to_remark(path: Path) -> None:
    assert remarks(path.read_text(encoding="latin-1"), path.name) == []
