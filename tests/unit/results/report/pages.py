"""Pages of the report, parsed."""

from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from typing import Any

from epsm.results.metrics import METRICS
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document

VOID = {"meta", "br", "img", "input", "link", "hr"}


def study(values: Sequence[float | str] = (0.1, 0.2), **changes: Any) -> Study:
    parameter = {"name": "insulation_m", "class": "Material", "field": "Thickness", "values": values}
    return Study.model_validate(study_document(**({"parameters": [parameter], "name": "Retrofit"} | changes)))


def succeeded(index: int, eui: float = 100.0, metrics: dict[str, float] | None = None, **summary: Any) -> VariantRecord:
    values = dict.fromkeys(METRICS, 0.0) | {"site_eui_kwh_m2": eui} | (metrics or {})
    counts = {"warnings": 0, "severe_errors": 0}
    fields = {"period": "annual", "period_days": 365, "zone_count": 1, "metrics": values} | counts | summary
    verdict = "ok with severe" if fields["severe_errors"] else "ok"
    return VariantRecord(index, VariantStatus.SUCCEEDED, verdict=verdict, summary=fields)


def failed(index: int, error: str) -> VariantRecord:
    return VariantRecord(index, VariantStatus.FAILED, verdict="failed", stage="engine", error=error)


def lost(index: int) -> VariantRecord:
    return VariantRecord(index, VariantStatus.RUNNING)


class Page(HTMLParser):
    """What a browser makes of a page: its texts by element, its rows, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.rows: list[list[str]] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"{self.open} are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        within = self.open[-1] if self.open else ""
        self.texts.append((within, data))
        if within in ("td", "th"):
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


Writer = Callable[..., Page]


# -- the chart ---------------------------------------------------------------------------------------------------
def labels(page: Page) -> list[str]:
    """The names of the bars."""
    texts = iter(page.text_of("text"))
    return list(texts)[::2]


# -- failures ----------------------------------------------------------------------------------------------------
def failures(page: Page) -> list[list[str]]:
    """The rows under "Failed"."""
    head = ["variants", "first variant", "reason"]
    if head not in page.rows:
        return []
    start = page.rows.index(head) + 1
    return [row for row in page.rows[start:] if len(row) == 3]


# -- the variants ------------------------------------------------------------------------------------------------
def variants(page: Page) -> list[dict[str, str]]:
    """The rows under "Variants", by column."""
    start = next(number for number, row in enumerate(page.rows) if row and row[0] == "Variant")
    head, *body = page.rows[start:]
    return [dict(zip(head, row, strict=True)) for row in body]
