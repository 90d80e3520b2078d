"""Studies with their files, accepted or refused."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study.limits import Limits
from tests.conftest import study_document

WITH_FILE = "\nSchedule:File,Use,,{},1,0;\n"
A_YEAR = b"1\n" * 8_760
DAY_OF_WEATHER = "\n".join(
    [
        "LOCATION,Town,,,,,49.50,11.08,1.0,312.0",
        "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,",
        "COMMENTS 2,",
        "DATA PERIODS,1,1,Data,Sunday,1/1,1/1",
        *(f"2001,1,1,{hour},60,?9?9,9,9,9,101325" + 25 * ",9" for hour in range(1, 25)),
    ]
)


class Folder:
    """Files in memory. `late` ones appear with the second look, `gone` ones vanish before they are read."""

    place = "the folder"

    def __init__(
        self, files: Mapping[str, bytes], *, late: Mapping[str, bytes] | None = None, gone: Iterable[str] = ()
    ) -> None:
        self._files = dict(files)
        self._late = dict(late or {})
        self._gone = set(gone)
        self.looked_for: list[set[str]] = []
        self.read_names: list[str] = []

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        if self.looked_for:
            self._files |= self._late
        self.looked_for.append(set(needed))
        return {name: len(content) for name, content in self._files.items()}

    def read(self, name: str) -> bytes | None:
        self.read_names.append(name)
        return None if name in self._gone else self._files[name]


def accept(folder: Folder | Mapping[str, bytes], max_variants: int = 1_000, **changes: Any) -> CheckedStudy:
    folder = folder if isinstance(folder, Folder) else Folder(folder)
    return check_study(
        json.dumps(study_document(**changes), ensure_ascii=False).encode(), folder, Rules(Limits(max_variants))
    )


def refuse(folder: Folder | Mapping[str, bytes], max_variants: int = 1_000, **changes: Any) -> list[Problem]:
    with pytest.raises(StudyRejected) as refusal:
        accept(folder, max_variants, **changes)
    return list(refusal.value.problems)
