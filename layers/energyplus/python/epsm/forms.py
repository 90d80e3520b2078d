"""The body of a multipart form: EPSM's curl lines send models and weather this way."""

from dataclasses import dataclass, field

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from epsm.problems import Problem, StudyRejected


@dataclass(slots=True)
class Form:
    """What a form holds: for each field its texts, and its files as (name, content) in the order they were sent."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        return self.texts[name][-1] if name in self.texts else None


def read_form(body: bytes, content_type: str) -> Form:
    """Parse a body of ``multipart/form-data``.

    Raises:
        StudyRejected: If it is none.
    """
    kind, options = parse_options_header(content_type)
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
        name = _decoded(part.field_name)  # type: ignore[attr-defined]
        form.files.setdefault(name, []).append((_decoded(part.file_name or b""), content))  # type: ignore[attr-defined]
        part.close()  # type: ignore[attr-defined]

    parser = FormParser(kind.decode(), on_field, on_file, boundary=boundary)
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise StudyRejected([Problem("body", f"is not a whole multipart form: {error}")]) from None
    return form


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
