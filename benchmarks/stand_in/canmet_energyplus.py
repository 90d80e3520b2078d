"""Stands in for the package of that name: put first on the Python path it makes the program beside it the engine."""

from pathlib import Path


def binary_path() -> Path:
    return Path(__file__).resolve().parent / "energyplus"
