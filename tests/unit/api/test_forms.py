"""Multipart forms, whole and broken: epsm.api.forms."""

import pytest

from epsm.api.forms import Form, read_form
from epsm.errors import StudyRejected

TYPE = "multipart/form-data; boundary=edge"
END = b"--edge--\r\n"


def part(name: str, content: bytes, file: str | None = None, *headers: str) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    disposition += "" if file is None else f'; filename="{file}"'
    return b"--edge\r\n" + "\r\n".join((disposition, *headers, "", "")).encode() + content + b"\r\n"


def test_a_form_holds_texts_and_files() -> None:
    form = read_form(part("name", b"Office") + part("idf_files", b"Version,25.2;", "office.idf") + END, TYPE)
    assert form == Form({"name": ["Office"]}, {"idf_files": [("office.idf", b"Version,25.2;")]})


def test_files_of_one_field_keep_their_order() -> None:
    body = part("idf_files", b"1", "b.idf") + part("idf_files", b"2", "a.idf") + END
    assert read_form(body, TYPE).files["idf_files"] == [("b.idf", b"1"), ("a.idf", b"2")]


def test_of_a_text_that_is_there_twice_the_last_counts() -> None:
    assert read_form(part("name", b"a") + part("name", b"b") + END, TYPE).text("name") == "b"


def test_a_text_that_is_not_there_is_none() -> None:
    assert read_form(END, TYPE).text("name") is None


def test_an_empty_text_is_there() -> None:
    assert read_form(part("name", b"") + END, TYPE).text("name") == ""


def test_bytes_of_a_file_come_as_they_were_sent() -> None:
    content = bytes(range(256)) + b"\r\n--edg\r\n\r\n--"
    assert read_form(part("files", content, "x.bin") + END, TYPE).files["files"] == [("x.bin", content)]


def test_a_large_file_is_whole() -> None:
    content = b"0123456789abcdef" * 200_000
    assert read_form(part("files", content, "large.epw") + END, TYPE).files["files"][0][1] == content


def test_a_name_in_utf_8_is_kept() -> None:
    assert read_form(part("files", b"x", "Büro.idf") + END, TYPE).files["files"][0][0] == "Büro.idf"


def test_a_name_that_is_not_utf_8_is_made_readable() -> None:
    body = part("files", b"x", "B?ro.idf").replace(b"?", b"\xfc") + END
    assert read_form(body, TYPE).files["files"][0][0] == "B�ro.idf"


def test_a_field_where_no_file_was_chosen_holds_no_file() -> None:
    assert read_form(part("weather_file", b"", "") + END, TYPE).files == {}


def test_an_empty_file_with_a_name_is_a_file() -> None:
    assert read_form(part("files", b"", "empty.csv") + END, TYPE).files == {"files": [("empty.csv", b"")]}


def test_a_file_with_content_and_an_empty_name_is_a_file() -> None:
    assert read_form(part("files", b"x", "") + END, TYPE).files == {"files": [("", b"x")]}


def test_what_follows_the_form_is_passed_over() -> None:
    assert read_form(part("name", b"a") + END + b"epilogue", TYPE).text("name") == "a"


@pytest.mark.parametrize(
    "kind", ['Multipart/Form-Data; Boundary="edge"', "multipart/form-data;boundary=edge; charset=x"]
)
def test_a_boundary_may_be_written_in_other_ways(kind: str) -> None:
    assert read_form(part("name", b"a") + END, kind).text("name") == "a"


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=edge",
        "application/json; boundary=edge",
        "multipart/byteranges; boundary=edge",
    ],
)
def test_another_content_type_is_refused_by_name(kind: str) -> None:
    with pytest.raises(StudyRejected, match=f"'{kind}' is not a multipart form with a boundary"):
        read_form(part("name", b"a") + END, kind)


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=another",
        f"multipart/form-data; boundary={'x' * 300}",
        "multipart/form-data; boundary=中",
    ],
)
def test_a_boundary_that_does_not_fit_is_refused(kind: str) -> None:
    with pytest.raises(StudyRejected):
        read_form(part("name", b"a") + END, kind)


@pytest.mark.parametrize("left", range(1, len(part("files", b"content", "a.idf") + END) - len(b"\r\n")))
def test_a_form_that_was_cut_off_is_refused(left: int) -> None:
    with pytest.raises(StudyRejected):
        read_form((part("files", b"content", "a.idf") + END)[:left], TYPE)


def test_a_form_whose_second_file_was_cut_off_is_refused() -> None:
    body = part("idf_files", b"1", "a.idf") + part("weather_file", b"2", "c.epw")
    with pytest.raises(StudyRejected, match="last boundary"):
        read_form(body, TYPE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b"--edge\r\n\r\nwithout a header\r\n" + END,
        b"--edge\r\nContent-Disposition: form-data\r\n\r\nwithout a name\r\n" + END,
        part("files", b"$$$", "a.idf", "Content-Transfer-Encoding: base64") + END,
    ],
)
def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(StudyRejected):
        read_form(body, TYPE)
