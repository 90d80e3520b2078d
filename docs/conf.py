"""The documentation site: `make docs-site` writes it to build/site; `make check` reads every page and link strictly.

The documents are written to be read on GitHub. What only the site needs is added while Sphinx reads them: the text of
the documents outside this folder, with links as they are from here, the tables of contents of the folders, and the
reference of the HTTP API.
"""

import json
import os
import re
from pathlib import Path

from sphinx.application import Sphinx

from docs.api_reference import reference
from docs.notebook import as_markdown
from epsm import __version__

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGES = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Documents outside docs/ and the pages that show them."""

project = "EPSM"
author = "the EPSM authors"
project_copyright = "2026, the EPSM authors"
version = release = __version__

# autodoc and napoleon: pages about the Python package are made from its docstrings.
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# Notebooks are turned into Markdown when they are read.
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
root_doc = "index"
html_theme = "furo"
html_title = f"EPSM {version}"
html_show_sphinx = False
html_copy_source = False
# Anchors as GitHub makes them, so that links work in both places.
myst_heading_anchors = 4


def add_what_the_site_needs(app: Sphinx, page: str, source: list[str]) -> None:
    """Changes a page's text before it is parsed; called by Sphinx for every page."""
    if (DOCS / f"{page}.ipynb").is_file():
        source[0] = as_markdown(DOCS / f"{page}.ipynb")
        return
    shown = {shown_as: ROOT / document for document, shown_as in PAGES.items()}
    document = shown.get(f"{page}.md", DOCS / f"{page}.md")
    source[0] = _turned(document, DOCS / f"{page}.md")
    if page == "api-reference":
        source[0] = reference(json.loads((DOCS / "openapi.json").read_text(encoding="utf-8")))
    folder, _, name = page.rpartition("/")
    if folder and name == "README" and len(list(document.parent.glob("*.md"))) > 1:
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n[!R]*\n```\n"


def _turned(document: Path, page: Path) -> str:
    """The text of a document with the links that it needs where a page shows it."""

    def turned(match: re.Match[str]) -> str:
        path, hash_mark, anchor = match[1].partition("#")
        if not path or "://" in path:
            return match[0]
        target = (document.parent / path).resolve()
        name = target.relative_to(ROOT).as_posix()
        shown = DOCS / PAGES[name] if name in PAGES else target
        return f"]({os.path.relpath(shown, page.parent)}{hash_mark}{anchor})"

    return re.sub(r"\]\(([^)\s]+)\)", turned, document.read_text(encoding="utf-8"))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_what_the_site_needs)
