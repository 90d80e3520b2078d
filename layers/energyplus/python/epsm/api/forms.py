"""Multipart forms: the curl commands documented for legacy EPSM send models and weather this way."""

from dataclasses import dataclass, field

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from epsm.errors import StudyRejected
from epsm.problems import Problem


@dataclass(slots=True)
class Form:
    """A form: for each field its texts, and its files as (name, content) in the order they were sent."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        return self.texts[name][-1] if name in self.texts else None


def read_form(body: bytes, content_type: str) -> Form:
    """Parse a body of ``multipart/form-data``.

    Raises:
        StudyRejected: If it is not a multipart form, or incomplete.
    """
    kind, options = parse_options_header(content_type.encode("latin-1", errors="replace"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise StudyRejected([Problem("body", f"'{content_type}' is not a multipart form with a boundary")])
    form = Form()

    def on_field(part: object) -> None:
        name, value = part.field_name, part.value  # type: ignore[attr-defined]
        form.texts.setdefault(_decoded(name), []).append(_decoded(value or b""))

    def on_file(part: object) -> None:
        part.file_object.seek(0)  # type: ignore[attr-defined]
        content = part.file_object.read()  # type: ignore[attr-defined]
        part.close()  # type: ignore[attr-defined]
        field, name = _decoded(part.field_name), _decoded(part.file_name or b"")  # type: ignore[attr-defined]
        if name or content:  # a browser sends an empty file without a name where none was chosen
            form.files.setdefault(field, []).append((name, content))

    try:
        parser = FormParser(kind.decode(), on_field, on_file, boundary=boundary)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise StudyRejected([Problem("body", f"is not a whole multipart form: {error}")]) from None
    # The parser silently drops a part that was cut off.
    if not isinstance(parser.parser, MultipartParser) or parser.parser.state != MultipartState.END:
        raise StudyRejected([Problem("body", "ends before the form does: its last boundary is missing")])
    return form


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
