"""An independent reading of EnergyPlus's eplustbl.htm: every cell of every table as it is printed."""

from html.parser import HTMLParser

Cells = dict[tuple[str, str, str, str], str]


class _Reader(HTMLParser):
    """The reports are a flat run of bold headings and tables; the first row of a table names its columns."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: Cells = {}
        self._report = self._table = self._text = self._last_text = ""
        self._rows: list[list[str]] = []
        self._in_cell = self._in_bold = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "table":
            self._table, self._rows = self._last_text, []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "b"):
            self._text = ""
            self._in_cell, self._in_bold = tag == "td", tag == "b"

    def handle_data(self, data: str) -> None:
        if data.strip() == "Report:":
            self._last_text = "Report:"
        elif self._in_cell or self._in_bold:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        text = self._text.strip()
        if tag == "td" and self._in_cell:
            self._rows[-1].append(text)
            self._in_cell = False
        elif tag == "b" and self._in_bold:
            if self._last_text == "Report:":
                self._report = text
            self._last_text = text
            self._in_bold = False
        elif tag == "table" and self._rows:
            columns = self._rows[0]
            for name, *values in self._rows[1:]:
                for column, value in zip(columns[1:], values, strict=False):
                    self.cells[self._report, self._table, name, column] = value


def read_html(text: str) -> Cells:
    """(report, table, row, column with its unit in brackets) -> text of the cell."""
    reader = _Reader()
    reader.feed(text)
    return reader.cells


def comparable(cells: Cells) -> Cells:
    """The cells of the reports that metrics come from, but for the one that tells the time of the run."""
    reports = {
        "Annual Building Utility Performance Summary",
        "Input Verification and Results Summary",
        "Demand End Use Components Summary",
    }
    return {key: text for key, text in cells.items() if key[0] in reports and key[2] != "Program Version and Build"}
