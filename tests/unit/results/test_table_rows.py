"""A report of which only some columns of the table are in memory, against one of the whole table."""

import random
from pathlib import Path

import pytest

from epsm.results import pareto
from epsm.results import table as results_table
from epsm.results.ended_study import EndedStudy
from epsm.results.metrics import METRICS
from epsm.results.pareto import Ranking, pareto_ranks
from epsm.results.report import columns_of_all, report_columns, write_report
from epsm.results.table import read_columns, write_table
from epsm.results.table_rows import from_file, read_outcomes
from epsm.study.records import StudyStatus
from tests.unit.manifests import manifest_of
from tests.unit.results.report.pages import failed, study, succeeded

COUNT = 120


def test_a_report_is_the_same_with_the_rows_read_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = study([round(0.001 * index, 3) for index in range(1, COUNT)], models=["a.idf", "b.idf"])
    chance = random.Random(1)
    records = [
        failed(index, "No window.")
        if index % 7 == 3
        else succeeded(index, chance.uniform(50, 150), {name: chance.uniform(1, 2000) for name in METRICS[1:]})
        for index in range(2 * COUNT)
    ]
    manifest, parquet = manifest_of(own), tmp_path / "results.parquet"
    monkeypatch.setattr(results_table, "_BATCH", 50)
    counts = write_table(manifest, records, parquet, tmp_path / "results.csv")
    whole = read_columns(parquet, report_columns(own))
    narrow = read_columns(parquet, columns_of_all(own))

    ended = EndedStudy(manifest, whole, counts, StudyStatus.PARTIAL)
    write_report(tmp_path / "whole.html", ended)
    outcomes = read_outcomes(parquet)
    ended = EndedStudy(manifest, narrow, counts, StudyStatus.PARTIAL, complete=from_file(parquet), outcomes=outcomes)
    write_report(tmp_path / "narrow.html", ended)

    assert len(narrow.columns) < len(whole.columns) / 2
    assert "<h2>Demand and peaks" in (tmp_path / "whole.html").read_text(encoding="utf-8")
    assert (tmp_path / "narrow.html").read_bytes() == (tmp_path / "whole.html").read_bytes()


def test_points_are_ranked_in_their_groups_under_their_indices() -> None:
    ranking = Ranking()
    points = {"a": [(1.0, 5.0), (2.0, 6.0), (0.0, 9.0)], "b": [(3.0, 3.0), (2.0, 2.0), (2.0, 2.0)]}
    for place in range(3):
        for number, group in enumerate(points):
            ranking.add(group, 10 * place + number, points[group][place])

    assert ranking.ranks() == {
        10 * place + number: rank
        for number, group in enumerate(points)
        for place, rank in enumerate(pareto_ranks(points[group]))
    }


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_ranks_are_those_of_removing_one_front_after_the_other(
    objectives: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pareto, "_AT_A_TIME", 16)
    chance = random.Random(objectives)
    points = [tuple(float(chance.randrange(8)) for _ in range(objectives)) for _ in range(100)]

    expected: dict[tuple[float, ...], int] = {}
    left, front = set(points), 0
    while left:
        front += 1
        best = {
            point
            for point in left
            if not any(
                other != point and all(mine >= theirs for mine, theirs in zip(point, other, strict=True))
                for other in left
            )
        }
        expected |= dict.fromkeys(best, front)
        left -= best

    assert pareto_ranks(points) == [expected[point] for point in points]
