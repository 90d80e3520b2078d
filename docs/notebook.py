"""The notebooks: executing them, and showing them on the site. `python -m docs.notebook` executes and stores them."""

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent / "notebooks"
_MAX_CELL_S = 300
_HTML_TABLE = re.compile(r"<style.*?</style>", re.DOTALL)


def notebooks() -> list[Path]:
    """All of them."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path) -> Any:
    """A notebook after all its cells have run, in its own folder.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=_MAX_CELL_S, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times of the run, which would differ with each
    notebook.metadata.pop("language_info", None)
    return notebook


def texts(notebook: Any) -> list[str]:
    """What its cells have printed and shown, without pictures and progress."""
    outputs = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = output.get("text") or data.get("text/plain", "")
            if "image/svg+xml" not in data and "━" not in text:
                outputs.append(text.strip())
    return outputs


def as_markdown(path: Path) -> str:
    """A notebook as a page of the site: texts, code, and what the code has shown."""
    parts: list[str] = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            data = output.get("data", {})
            if picture := data.get("image/svg+xml"):
                parts.append(f"```{{raw}} html\n{picture}\n```")
            elif table := data.get("text/html"):
                parts.append(f"```{{raw}} html\n{_HTML_TABLE.sub('', table)}\n```")
            else:
                parts.append(f"```text\n{(output.get('text') or data['text/plain']).rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Execute all notebooks and store what they show."""
    for path in notebooks():
        nbformat.write(executed(path), path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
