"""design.parquet: the samples of a study, for whoever analyses its results."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from epsm.results.design import write_design
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document

WALL = {"name": "wall", "class": "Material", "field": "Thickness", "range": {"from": 0.1, "to": 0.3}}
GLASS = {"name": "glass", "class": "Construction", "field": "Outside Layer", "values": ["Double", "Triple"]}


def design_of(tmp_path: Path, sampling: dict[str, Any], *parameters: dict[str, Any]) -> tuple[Study, pd.DataFrame]:
    study = Study.model_validate(study_document(parameters=list(parameters), sampling=sampling))
    write_design(study, tmp_path / "design.parquet")
    return study, pd.read_parquet(tmp_path / "design.parquet")


@pytest.mark.parametrize(
    "sampling",
    [
        {"method": "latin_hypercube", "samples": 4, "seed": 1},
        {"method": "sobol", "samples": 2, "seed": 1},
        {"method": "morris", "trajectories": 2, "seed": 1},
    ],
)
def test_each_sample_has_the_values_of_its_variant_and_its_place_in_the_unit_cube(
    tmp_path: Path, sampling: dict[str, Any]
) -> None:
    study, design = design_of(tmp_path, sampling, WALL, GLASS)
    variants = {each.index: each.values for each in expand(study)}
    assert list(design["sample"]) == list(range(1, study.sample_count))
    assert [{"wall": row.wall, "glass": row.glass} for row in design.itertuples()] == [
        variants[sample] for sample in design["sample"]
    ]
    assert list(design["wall"]) == pytest.approx([0.1 + 0.2 * u for u in design["wall:unit"]])
    assert list(design["glass"]) == ["Double" if u < 0.5 else "Triple" for u in design["glass:unit"]]


def test_blocks_are_those_of_the_method(tmp_path: Path) -> None:
    _, design = design_of(tmp_path, {"method": "sobol", "samples": 2, "seed": 1}, WALL, GLASS)
    assert list(design["block"]) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_sample_that_leaves_a_parameter_as_it_is_has_no_value_of_it(tmp_path: Path) -> None:
    steps = WALL | {"range": {"from": 0.1, "to": 0.3, "steps": 2}}
    _, design = design_of(tmp_path, {"method": "one_at_a_time"}, steps, GLASS)
    assert list(design["wall"].fillna(-1)) == [0.1, 0.3, -1, -1]
    assert list(design["glass"].fillna("")) == ["", "", "Double", "Triple"]
    assert list(design.columns) == ["sample", "block", "wall", "glass"]
