"""The outline of CBOR, by the examples of RFC 8949, appendices A (well-formed) and F (not well-formed)."""

from typing import Any

import pytest

from epsm.checks.cbor import NotCbor, outline

TEXT = {
    "60": "",
    "6161": "a",
    "6449455446": "IETF",
    "62225c": '"\\',
    "62c3bc": "\u00fc",
    "63e6b0b4": "\u6c34",
    "64f0908591": "\U00010151",
    "7f657374726561646d696e67ff": "streaming",
    "c074323031332d30332d32315432303a30343a30305a": "2013-03-21T20:04:00Z",
    "d82076687474703a2f2f7777772e6578616d706c652e636f6d": "http://www.example.com",
}
MAPS: dict[str, Any] = {
    "a0": {},
    "a201020304": {},  # keys that are numbers
    "a26161016162820203": {"a": None, "b": None},
    "a56161614161626142616361436164614461656145": dict(zip("abcde", "ABCDE", strict=True)),
    "bf61610161629f0203ffff": {"a": None, "b": None},
    "bf6346756ef563416d7421ff": {"Fun": None, "Amt": None},
    "a16161a161626163": {"a": {"b": "c"}},
}
NOTHING_OF_INTEREST = """
    00 01 0a 17 1818 1819 1864 1903e8 1a000f4240 1b000000e8d4a51000 1bffffffffffffffff c249010000000000000000
    3bffffffffffffffff c349010000000000000000 20 29 3863 3903e7 f90000 f98000 f93c00 fb3ff199999999999a f93e00 f97bff
    fa47c35000 fa7f7fffff fb7e37e43c8800759c f90001 f90400 f9c400 fbc010666666666666 f97c00 f97e00 f9fc00 fa7f800000
    fb7ff0000000000000 f4 f5 f6 f7 f0 f8ff c11a514b67b0 c1fb41d452d9e8200000 d74401020304 d818456449455446
    40 4401020304 80 83010203 8301820203820405 98190102030405060708090a0b0c0d0e0f101112131415161718181819
    826161a161626163 5f42010243030405ff 9fff 9f018202039f0405ffff 9f01820203820405ff 83018202039f0405ff
    83019f0203ff820405 9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff 826161bf61626163ff
"""
CUT_OFF = """
    18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000 41 61 5affffffff00
    5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203 81 818181818181818181 8200 a1 a20102 a100
    82fb0102030405060708fb01020304050607
    a2000000 c0 5f4100 7f6100 9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff ff 81ff 8200ff
"""
DAMAGED = ["1c", "1d", "1e", "3c", "5c", "7d", "9e", "bc", "dd", "fc", "1f", "3f", "df"]


@pytest.mark.parametrize(("document", "text"), TEXT.items())
def test_text_is_text(document: str, text: str) -> None:
    assert outline(bytes.fromhex(document)) == text


@pytest.mark.parametrize(("document", "content"), MAPS.items())
def test_a_map_is_what_it_has_under_texts(document: str, content: dict[str, Any]) -> None:
    assert outline(bytes.fromhex(document)) == content


@pytest.mark.parametrize("document", NOTHING_OF_INTEREST.split())
def test_other_items_are_passed_over_whole(document: str) -> None:
    assert outline(bytes.fromhex(document)) is None
    assert outline(bytes.fromhex(f"a26161{document}61626163")) == {"a": None, "b": "c"}


@pytest.mark.parametrize("document", CUT_OFF.split())
def test_what_is_cut_off_is_not_cbor(document: str) -> None:
    with pytest.raises(NotCbor, match="cut off or damaged"):
        outline(bytes.fromhex(document))


@pytest.mark.parametrize("document", DAMAGED)
def test_what_no_writer_writes_is_not_cbor(document: str) -> None:
    with pytest.raises(NotCbor, match="damaged"):
        outline(bytes.fromhex(document))


def test_what_follows_the_end_is_not_cbor() -> None:
    with pytest.raises(NotCbor, match="2 bytes follow"):
        outline(bytes.fromhex("0000 00"))


@pytest.mark.parametrize(("levels", "fits"), [(49, True), (50, False), (100_000, False)])
def test_a_document_may_be_nested_fifty_deep(levels: int, fits: bool) -> None:
    document = b"\x81" * levels + b"\x00"
    if fits:
        assert outline(document) is None
    else:
        with pytest.raises(NotCbor, match="nested more than 50 deep"):
            outline(document)


@pytest.mark.parametrize("number", [1, 2, 1000])
def test_long_arrays_of_numbers_are_passed_over_whole(number: int) -> None:
    array = b"\x99" + number.to_bytes(2, "big") + bytes.fromhex("fb3ff199999999999a") * number
    assert outline(b"\xa2\x61a" + array + b"\x61b\x61c") == {"a": None, "b": "c"}
    with pytest.raises(NotCbor):
        outline(array[:-1])
    # The byte of a number's kind where another item's is: the array is read item by item.
    assert outline(b"\x83" + bytes.fromhex("fb3ff199999999999a 00 fb3ff199999999999a")) is None
