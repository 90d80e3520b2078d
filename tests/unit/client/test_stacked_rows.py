"""Series of several variants one below another: rows and columns may differ between them."""

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from epsm.client.stacked_rows import StackedRows


def table(environments: list[str | None], **columns: Any) -> pa.Table:
    return pa.table({"environment": pa.array(environments, pa.string()).dictionary_encode(), **columns})


TABLES = [
    table(["A", "A"], x=[1.0, 2.0]),
    table(["B", "A", None, "B"], y=[3.0, None, 5.0, 6.0], at=pd.to_datetime(["2025-01-01"] * 4).as_unit("us")),
    table(["A"], x=[7.0], y=[8.0]),
    table([], x=pa.array([], pa.float64())),
]


@pytest.mark.parametrize("announced", [1, len(TABLES), 100])
def test_rows_are_those_of_all_tables_however_many_were_announced(announced: int) -> None:
    rows = StackedRows(announced)
    for one in TABLES:
        rows.append(one)

    expected = pd.concat([one.to_pandas().astype({"environment": "str"}) for one in TABLES], ignore_index=True)

    frame = rows.frame()
    assert frame["environment"].dtype == "category"
    pd.testing.assert_frame_equal(frame.astype({"environment": "str"})[expected.columns], expected)


def test_a_frame_can_be_changed_like_any_other() -> None:
    rows = StackedRows(2)
    rows.append(TABLES[0])
    frame = rows.frame()

    frame.loc[0, "x"] = 9.0
    frame["z"] = frame["x"] * 2

    assert frame["z"].tolist() == [18.0, 4.0]
