"""What study.json is made of: strict objects, texts that an IDF can hold, values."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _one_value(text: str) -> str:
    """IDF has no quotes: these characters would end the value, the object or the line."""
    if not text.strip():
        raise ValueError("is blank")
    if any(character in ",;!" or unicodedata.category(character) == "Cc" for character in text):
        hint = f"; write {text.replace(',', '.')}" if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
        raise ValueError(f"'{text}' contains ',', ';', '!' or a control character, which no IDF value can hold{hint}")
    return text


Text = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_value)]
Number = Annotated[float, Field(strict=True)]
Value = Number | Text


def study_path(path: str) -> str:
    """A path below the folder of study.json, in Unicode NFC (macOS writes file names in NFD)."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts or ":" in parts[0]:
        raise ValueError(
            f"'{path}' leaves the study's folder; paths are relative to study.json, with '/' between folders"
        )
    if any(unicodedata.category(character) == "Cc" for character in path):
        raise ValueError(f"{path!r} contains control characters")
    return unicodedata.normalize("NFC", str(PurePosixPath(path)))


StudyPath = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(study_path)]


def _weather_path(path: str) -> str:
    if PurePosixPath(path).suffix.lower() != ".epw":
        raise ValueError(f"'{path}' is not a weather file; weather files end in .epw")
    return path


WeatherPath = Annotated[StudyPath, AfterValidator(_weather_path)]


MAX_PARAMETERS = 50
"""Of a study. Sobol designs need direction numbers for twice as many dimensions."""


class Strict(BaseModel):
    """An object of study.json: no unknown keys, no NaN, never changed."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)
