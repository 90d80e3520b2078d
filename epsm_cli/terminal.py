"""The terminal that commands print to.

Output often contains untrusted text: names in a model, EnergyPlus's messages about them, another owner's
study on an administrator's screen. A terminal obeys escape sequences in such text (clear the screen, set the title,
write to the clipboard), and bidirectional control characters change how a line reads.
"""

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters except tab and newline, and Unicode's bidirectional marks, embeddings and isolates."""


class Terminal(Console):
    """A console that prints texts literally.

    Texts are printed without control characters; only rich's own control codes (cursor, colours) reach the terminal.
    Brackets and colons are literal: `office [v2].idf` is not markup, and `:key:` not an emoji.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(
            segment if segment.control else Segment(_OBEYED.sub("?", segment.text), segment.style) for segment in buffer
        )


console = Terminal()
