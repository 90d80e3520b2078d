"""ASHRAE 205 representations: those that end EnergyPlus in a segmentation fault are refused by name."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import pytest

from epsm.checks.data_files import check_data_files
from epsm.energyplus.model_reader import read_outline
from epsm.problems import Problem

CHILLER = "Version,25.2;\nChiller:Electric:ASHRAE205,Chiller 1,{};\n"
COIL = "Version,25.2;\nCoil:DX:ASHRAE205:Performance,Coil 1,{};\n"
MAP = {"grid_variables": {"compressor_sequence_number": [1, 2]}, "lookup_variables": {"input_power": [2e5, 1.5, 300]}}
PERFORMANCE = {"performance_map_cooling": MAP, "performance_map_standby": MAP}


def representation(schema: str = "RS0001", version: Any = "1.0.0", **parts: Any) -> dict[str, Any]:
    metadata = {"data_model": "ASHRAE_205", "schema": schema, "schema_version": version, "data_version": -1}
    return {"metadata": metadata, "performance": PERFORMANCE} | parts


def encoded(value: Any) -> bytes:
    """CBOR, as libraries write it."""
    if isinstance(value, Mapping):
        return head(5, len(value)) + b"".join(encoded(key) + encoded(each) for key, each in value.items())
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encoded, value))
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    return b"\xfb" + struct.pack(">d", value) if value is not None else b"\xf6"


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    return bytes([major << 5 | 24, number]) if number < 256 else bytes([major << 5 | 25]) + struct.pack(">H", number)


GOOD = encoded(representation())


def faults(content: bytes, name: str = "unit.cbor", model: str = CHILLER) -> list[Problem]:
    outline = read_outline(model.format(name).encode(), "room.idf")
    assert not outline.problems
    return check_data_files(outline, "room.idf", lambda path: (path, content))


@pytest.mark.parametrize(
    ("content", "name", "model"),
    [
        (GOOD, "unit.cbor", CHILLER),
        (json.dumps(representation()).encode(), "unit.json", CHILLER),
        (encoded(representation("RS0004", "0.2.1")), "unit.cbor", COIL),
        (b"\xd9\xd9\xf7" + GOOD, "unit.cbor", CHILLER),  # CBOR's tag for itself
        (b"\xbf" + GOOD[1:] + b"\xff", "unit.cbor", CHILLER),  # a map of no stated length
    ],
)
def test_a_representation_of_the_kind_that_is_read_passes(content: bytes, name: str, model: str) -> None:
    assert faults(content, name, model) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is not CBOR, which Chiller:Electric:ASHRAE205 'Chiller 1' reads: it is cut off or damaged"),
        (b"hello", "is not CBOR"),
        (json.dumps(representation()).encode(), "is not CBOR"),
        (GOOD[:-1], "it is cut off or damaged"),
        (GOOD + b"\0", "1 bytes follow its end"),
        (b"\x81" * 100_000, "nested more than 50 deep"),
        (b"\x9b" + b"\xff" * 8, "it is cut off or damaged"),
        (b"\x80", "has no metadata.schema, and"),
        (encoded(representation("RS0004")), "has metadata.schema 'RS0004', and Chiller:Electric:ASHRAE205 'Chiller 1'"),
        (encoded(representation(version="2.0.0")), "metadata.schema_version is '2.0.0'"),
        (encoded(representation(version=None)), "metadata.schema_version is missing"),
        (encoded(representation(version="new")), "metadata.schema_version is 'new'"),
        (
            encoded(representation(performance={"performance_map_cooling": MAP})),
            "has no performance.performance_map_standby.grid_variables, performance.performance_map_standby.lookup_",
        ),
    ],
)
def test_a_file_that_ends_the_run_is_refused(content: bytes, what: str) -> None:
    (problem,) = faults(content)
    assert what in problem.what
    assert "1.0.0" in problem.allowed or problem.allowed == "RS0001, a liquid-cooled chiller, of ASHRAE 205"


@pytest.mark.parametrize("name", ["unit.CBOR", "unit.dat", "unit"])
def test_endings_that_the_engine_does_not_read_are_refused(name: str) -> None:
    (problem,) = faults(GOOD, name)
    assert problem.allowed == "a name that ends in .cbor or .json, in lower case"


def test_json_that_is_none_is_refused() -> None:
    assert "is not JSON" in faults(GOOD, "unit.json")[0].what
    assert "is not JSON" in faults(b"[" * 100_000, "unit.json")[0].what


def test_a_coil_reads_another_kind_than_a_chiller() -> None:
    (problem,) = faults(GOOD, model=COIL)
    assert (problem.what, problem.allowed) == (
        "has metadata.schema 'RS0001', and Coil:DX:ASHRAE205:Performance 'Coil 1' reads RS0004",
        "RS0004, a direct expansion system, of ASHRAE 205",
    )
