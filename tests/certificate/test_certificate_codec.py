"""Frozen dataclasses to JSON and back."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import pytest

from certaudit.certificate import codec
from certaudit.certificate.codec import Decoder, encode
from certaudit.certificate.strict import Malformed


@dataclass(frozen=True)
class Inner:
    rows: tuple[int, ...]
    mode: Literal["a", "b"]


@dataclass(frozen=True)
class Outer:
    exact: Fraction
    near: float
    count: int
    name: str
    on: bool
    table: tuple[tuple[float, ...], ...]
    pair: tuple[int, Fraction]
    inner: Inner
    maybe: Fraction | None
    several: tuple[Inner, ...]


VALUE = Outer(
    Fraction(1, 3),
    0.1,
    7,
    "é",
    True,
    ((1.0, 2.5), (0.0, -3.0)),
    (4, Fraction(5)),
    Inner((1, 2), "b"),
    None,
    (Inner((), "a"),),
)


def content(**changed):
    return {**encode(VALUE, Outer), **changed}


def read(value, **limits):
    return Decoder().record(Outer, value, "top", **limits)


def test_a_record_comes_back():
    assert read(encode(VALUE, Outer)) == VALUE
    assert encode(VALUE, Outer)["table"] == [["1", "5p-1"], ["0", "-3"]]


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("exact", 1, "top.exact"),
        ("exact", "1.5", "top.exact"),
        ("near", "1/3", "top.near"),
        ("near", "1p2000", "top.near"),
        ("count", "7", "top.count"),
        ("count", True, "top.count"),
        ("count", -1, "top.count"),
        ("name", 3, "top.name"),
        ("name", "\ud800", "top.name"),
        ("on", 1, "top.on"),
        ("on", None, "top.on"),
        ("table", [["1"], "2"], "top.table[1]"),
        ("table", [["1", 2]], "top.table[0][1]"),
        ("pair", [1], "top.pair"),
        ("pair", [1, "2", "3"], "top.pair"),
        ("inner", None, "top.inner"),
        ("inner", {"rows": []}, "top.inner.mode"),
        ("inner", {"rows": [], "mode": "c"}, "top.inner.mode"),
        ("inner", {"rows": [], "mode": "a", "more": 1}, "top.inner.more"),
        ("maybe", "", "top.maybe"),
        ("several", [{"rows": ["0"], "mode": "a"}], "top.several[0].rows[0]"),
    ],
)
def test_what_is_wrong_is_refused_at_its_place(field, value, place):
    with pytest.raises(Malformed) as caught:
        read(content(**{field: value}))
    assert caught.value.place == place


def test_lists_of_a_witness_are_limited():
    long = content(table=[["1"]] * (codec.MOST_ROWS + 1))
    assert len(read(long).table) == codec.MOST_ROWS + 1
    with pytest.raises(Malformed, match="entries"):
        read(long, limited=True)


def test_numbers_of_a_file_are_limited_together(monkeypatch):
    monkeypatch.setattr(codec, "MOST_BITS", 10_000)
    with pytest.raises(Malformed, match="too long together"):
        read(content(table=[["1p90"] * 200]))
    with pytest.raises(Malformed, match="too long together"):
        read(content(exact="1p20000"))


@dataclass(frozen=True)
class Strange:
    x: complex


def test_a_type_without_json_is_an_error_of_the_program():
    with pytest.raises(TypeError):
        encode(Strange(1j), Strange)
    with pytest.raises(TypeError):
        Decoder().record(Strange, {"x": "1"}, "")
