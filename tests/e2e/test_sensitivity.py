"""Sensitivity of a room whose answers follow by reasoning, through the whole stack with the real engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from epsm.study.records import StudyStatus
from epsm_local.stack import LocalStack
from tests.conftest import study_document, with_run_period
from tests.support import result_file, result_json, results_table, run_study

LIGHTING, INSULATION = (0.0, 0.5, 1.0, 1.5), (0.05, 0.07, 0.09)


@pytest.fixture(scope="module")
def simulation(stack: LocalStack, one_zone: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two winter days of a heated room with more or less light and insulation."""
    folder = tmp_path_factory.mktemp("lit-room")
    (folder / "room.idf").write_text(with_run_period(one_zone, end=(1, 2)), encoding="utf-8")
    (folder / "chicago.epw").write_bytes(chicago.read_bytes())
    (folder / "chicago.stat").write_bytes(chicago.with_suffix(".stat").read_bytes())
    document = study_document(
        parameters=[
            {"name": "lighting", "class": "Lights", "field": "Watts per Floor Area", "multiply": LIGHTING},
            {
                "name": "insulation_m",
                "class": "Material",
                "object": "Wall Insulation",
                "field": "Thickness",
                "values": INSULATION,
            },
        ],
        analysis={"metrics": ["heating_kwh", "interior_lighting_kwh", "lights_peak_w"]},
        outputs={
            "cells": [
                {
                    "name": "lights_peak_w",
                    "report": "PeakEnergyEndUseElectricityPart1Monthly",
                    "row": "January",
                    "column": "INTERIORLIGHTS:ELECTRICITY {Maximum}",
                }
            ]
        },
    )
    (folder / "study.json").write_text(json.dumps(document), encoding="utf-8")
    record = run_study(stack, folder)
    assert record.status is StudyStatus.COMPLETED, record
    return record.simulation_id


@pytest.fixture(scope="module")
def coefficients(stack: LocalStack, simulation: str) -> dict[str, dict[str, Any]]:
    """Standardised regression coefficients by metric and parameter."""
    document = result_json(stack, simulation, "sensitivity.json")
    return {
        analysis["metric"]: {each["parameter"]: each for each in analysis["indices"] if each["index"] == "SRC"}
        for analysis in document["analyses"]
    }


def test_light_and_insulation_both_save_heating(coefficients: dict[str, dict[str, Any]]) -> None:
    heating = coefficients["heating_kwh"]
    assert heating["lighting"]["high"] < 0
    assert heating["insulation_m"]["high"] < 0
    assert (heating["lighting"]["used"], heating["lighting"]["of"]) == (12, 12)


def test_the_energy_for_light_depends_on_nothing_else(coefficients: dict[str, dict[str, Any]]) -> None:
    lighting = coefficients["interior_lighting_kwh"]
    assert lighting["lighting"]["value"] == pytest.approx(1)
    assert lighting["insulation_m"]["value"] == pytest.approx(0, abs=1e-9)


def test_a_cell_that_the_study_names_is_a_column_and_is_analysed(
    stack: LocalStack, simulation: str, coefficients: dict[str, dict[str, Any]]
) -> None:
    table = results_table(stack, simulation)
    # Lights of 10 W/m2 on 48 m2, in full use on Monday, times the factor. Without any, EnergyPlus prints no maximum.
    lit = table[table["lighting"] != 0]
    assert list(lit["lights_peak_w"]) == pytest.approx(list(480.0 * lit["lighting"]))
    assert coefficients["lights_peak_w"]["lighting"]["value"] == pytest.approx(1)
    assert table["electricity_peak_time"][0].startswith("01-02 ")


def test_the_report_has_a_section_on_sensitivity(stack: LocalStack, simulation: str) -> None:
    report = result_file(stack, simulation, "report.html").decode()
    assert "<h2>Sensitivity</h2>" in report
    assert "Standardised regression coefficients: 12 of 12 runs" in report
