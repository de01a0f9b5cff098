"""The reader: exact numbers, marks, and refusal of everything YAML has that a spec needs not."""

from __future__ import annotations

import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_samples import write

from certaudit.data.number import NumberError, parse_number, write_number
from certaudit.errors import Diagnostic, InputError
from certaudit.spec.reader import MAX_BYTES, read


def tree(folder: Path, text: str) -> object:
    return read(write(folder, text)).tree


def refusal(folder: Path, text: str | bytes) -> tuple[Diagnostic, ...]:
    with pytest.raises(InputError) as caught:
        read(write(folder, text))
    return caught.value.diagnostics


def one(folder: Path, text: str | bytes) -> tuple[int | None, int | None, str | None, str]:
    (found,) = refusal(folder, text)
    return found.line, found.column, found.key, found.message


@given(st.integers(-(10**30), 10**30), st.integers(0, 60), st.integers(-80, 80))
def test_decimals_are_read_exactly(mantissa: int, places: int, exponent: int) -> None:
    digits = str(abs(mantissa)).rjust(places + 1, "0")
    cut = len(digits) - places
    text = f"{'-' if mantissa < 0 else ''}{digits[:cut]}.{digits[cut:]}e{exponent:+d}"
    assert parse_number(text) == Fraction(mantissa, 10**places) * Fraction(10) ** exponent
    assert parse_number(text.upper()) == parse_number(text)


@given(st.fractions())
def test_rationals_are_read_exactly(number: Fraction) -> None:
    assert parse_number(f"{number.numerator}/{number.denominator}") == number


@given(st.integers(-(10**40), 10**40), st.integers(-400, 400), st.integers(1, 10**6))
def test_written_numbers_read_back(mantissa: int, exponent: int, under: int) -> None:
    for number in (Fraction(mantissa) * Fraction(10) ** exponent, Fraction(mantissa, under)):
        written = write_number(number)
        back = written if isinstance(written, int) else parse_number(written)
        assert back == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.1", Fraction(1, 10)),
        ("1e-5", Fraction(1, 100000)),
        ("1E5", Fraction(100000)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("+7", Fraction(7)),
        ("-0.25", Fraction(-1, 4)),
        ("007", Fraction(7)),
        ("1/3", Fraction(1, 3)),
        ("-2/6", Fraction(-1, 3)),
        ("1e3000", Fraction(10**3000)),
        ("1e-00000000000000000000005", Fraction(1, 100000)),
    ],
)
def test_numbers(text: str, number: Fraction) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "e5",
        "1_000",
        "0x1f",
        "1:30",
        "1e",
        "--1",
        "1 ",
        "\u0661",
        "1/-3",
        "1/2.0",
        "nan",
        "inf",
    ],
)
def test_not_numbers(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".inf", "infinity"),
        ("-.INF", "infinity"),
        (".nan", "not-a-number"),
        ("1/0", "denominator zero"),
        ("1e-999999999", "exponent beyond 3000"),
        ("1e3001", "exponent beyond 3000"),
        ("1e" + "9" * 5000, "exponent beyond 3000"),
        ("9" * 1001, "1001 digits"),
        ("9" * 200000, "200000 digits"),
        ("1/" + "9" * 5000, "5001 digits"),
    ],
)
def test_refused_numbers(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(NumberError, match=message):
        parse_number(text)
    line, column, key, found = one(tmp_path, f"a: 1\nb: [2, {text}]\n")
    assert (line, column, key) == (2, 8, "b.1")
    assert message in found


def test_scalars_of_yaml_1_2(tmp_path: Path) -> None:
    text = "[yes, no, on, off, true, False, null, ~, , '1', \"true\", 0.1, 0o7, 'null', y]"
    with pytest.raises(InputError):
        tree(tmp_path, text)
    text = text.replace("~, ,", "~,")
    strings = ["yes", "no", "on", "off"]
    expected = [*strings, True, False, None, None, "1", "true", Fraction(1, 10), "0o7", "null", "y"]
    assert tree(tmp_path, text) == expected
    assert tree(tmp_path, "a:\nb: >-\n  1\n") == {"a": None, "b": "1"}


def test_marks_count_from_one(tmp_path: Path) -> None:
    marks = read(write(tmp_path, "a: 1\nb:\n  - x\n  - {c:  0.10}\n")).marks
    assert marks.values == {
        (): (1, 1),
        ("a",): (1, 4),
        ("b",): (3, 3),
        ("b", 0): (3, 5),
        ("b", 1): (4, 5),
        ("b", 1, "c"): (4, 10),
    }
    assert marks.keys == {("a",): (1, 1), ("b",): (2, 1), ("b", 1, "c"): (4, 6)}
    assert marks.texts[("b", 1, "c")] == "0.10"
    assert marks.near(("b", 1, "missing")) == (4, 5)
    assert marks.near(("b", "missing")) == (2, 1)


def test_same_tree_as_pyyaml_where_nothing_is_refused(tmp_path: Path) -> None:
    text = "a: {b: [x, y, {z: w}], c: 'd'}\ne:\n- - f\n  - g\n- h: |\n    i\n    j\n"
    assert tree(tmp_path, text) == yaml.safe_load(text)


def test_windows_lines_and_byte_order_mark(tmp_path: Path) -> None:
    document = read(write(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n"))
    assert document.tree == {"a": 1, "b": 2}
    assert document.marks.values[("b",)] == (2, 4)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: &x 1\n", (1, 4, "a"), "anchors and aliases are not allowed"),
        ("a: 1\nb: *x\n", (2, 4, "b"), "anchors and aliases are not allowed"),
        ("a:\n  <<: {b: 1}\n", (2, 3, "a"), "merge keys are not allowed"),
        ("a: !!int 3\n", (1, 4, "a"), "tags are not allowed: tag:yaml.org,2002:int"),
        ("a: ! 3\n", (1, 4, "a"), "tags are not allowed: !"),
        (
            "- !!python/object/apply:os.system ['true']\n",
            (1, 3, "0"),
            "tags are not allowed: tag:yaml.org,2002:python/object/apply:o…",
        ),
        ("a: 1\nb: 2\na: 3\n", (3, 1, "a"), "duplicate key, first given in line 1"),
        ("'a': 1\na: 3\n", (2, 1, "a"), "duplicate key, first given in line 1"),
        ("{[1]: 2}\n", (1, 2, None), "a key must be plain text"),
        ("? {b: 1}\n: 2\n", (1, 3, None), "a key must be plain text"),
        ("a: {'': 2}\n", (1, 5, "a"), "a key is empty"),
        ("a: 1\n---\nb: 1\n", (2, 1, None), "only one document is allowed"),
        ("a: 1\nb: [1\n", (3, 1, None), "not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n b: 2\n", (2, 3, None), "not YAML: mapping values are not allowed here"),
        ("a: 1\nbc\x01: 2\n", (2, 3, None), "character '\\x01' is not allowed"),
    ],
)
def test_refusals(text: str, place: tuple[int, int, str | None], message: str, tmp_path: Path) -> None:
    assert one(tmp_path, text) == (*place, message)


def test_all_refusals_at_once(tmp_path: Path) -> None:
    text = "a: &x 1\na: 2\nb: [.inf, *x, !!str z]\n{c: 1}: 2\n<<: 3\n"
    assert [d.line for d in refusal(tmp_path, text)] == [1, 2, 3, 3, 3, 4, 5]


def test_syntax_error_comes_with_what_was_found_before(tmp_path: Path) -> None:
    assert [d.line for d in refusal(tmp_path, "a: &x 1\nb: [\n")] == [1, 3]


def test_nothing_is_built_from_a_python_tag(tmp_path: Path) -> None:
    victim = tmp_path / "made"
    refusal(tmp_path, f"a: !!python/object/apply:pathlib.Path.touch ['{victim}']\n")
    assert not victim.exists()


def test_alias_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]" for k in range(1, 60)]
    began = time.process_time()
    found = refusal(tmp_path, "\n".join(lines))
    assert time.process_time() - began < 2
    assert found[-1].message == "and 78 more problems"
    assert {d.message for d in found[:-1]} == {"anchors and aliases are not allowed"}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting(opening: str, tmp_path: Path) -> None:
    began = time.process_time()
    found = refusal(tmp_path, opening * 50_000)
    assert time.process_time() - began < 0.5
    assert found[-1].message == "nested more than 32 levels deep"


def test_nesting_up_to_the_limit(tmp_path: Path) -> None:
    assert tree(tmp_path, "[" * 32 + "]" * 32) is not None
    refusal(tmp_path, "[" * 33 + "]" * 33)


def test_hundred_megabyte_spec(tmp_path: Path) -> None:
    path = write(tmp_path, "a: 1\n")
    with open(path, "r+b") as file:
        file.truncate(100 * 2**20)
    began = time.process_time()
    with pytest.raises(InputError) as caught:
        read(path)
    assert time.process_time() - began < 0.5
    assert str(caught.value) == f"{path}: larger than the 256 KiB allowed for a spec"


def test_size_limit_is_exact(tmp_path: Path) -> None:
    body = b"a: 1\n#"
    assert read(write(tmp_path, body.ljust(MAX_BYTES, b"x"))).tree == {"a": 1}
    refusal(tmp_path, body.ljust(MAX_BYTES + 1, b"x"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs /dev/zero")
def test_endless_file() -> None:
    with pytest.raises(InputError, match="larger than"):
        read(Path("/dev/zero"))


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read: is a directory"):
        read(tmp_path)
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a\nb")
    assert "\n" not in str(caught.value)


def test_other_encodings(tmp_path: Path) -> None:
    assert one(tmp_path, b"a: 1\nb: \xff\n") == (2, None, None, "the file is not UTF-8")
    assert one(tmp_path, "a: 1".encode("utf-16"))[3] == "the file is not UTF-8"


@pytest.mark.parametrize(
    "text",
    ['a: "\\UFFFFFFFF"', "%YAML 1." + "9" * 5000 + "\n--- a", "%TAG ! x\n--- !y a", "a: \t- b"],
)
def test_what_makes_pyyaml_fail_in_other_ways(text: str, tmp_path: Path) -> None:
    refusal(tmp_path, text)


YAML_LIKE = st.text(
    st.sampled_from(list("ab1.:-?*&!|>'\"%@`{}[],#~<= \n\t\\eE+/\r\x85\ufeff\u2028é")), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(data=st.one_of(st.binary(max_size=60), YAML_LIKE.map(str.encode)))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = write(tmp_path_factory.getbasetemp(), data)
    said = ""
    try:
        read(path)
    except InputError as error:
        said = str(error)
    assert all(line.isprintable() for line in said.split("\n"))


def test_import_is_light() -> None:
    code = (
        "import sys, certaudit.spec; "
        "heavy = {'sklearn', 'scipy', 'sympy', 'torch', 'pandas', 'pyarrow'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
