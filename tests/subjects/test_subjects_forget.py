"""Forgetting by id: every row of a subject and no other, in every format; what is refused, and how."""

from __future__ import annotations

import os
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from subject_specs import (
    built,
    csv_table,
    npz_table,
    numbers,
    parquet_table,
    refused,
    spec,
    stages,
)

from certaudit.data.subjects import id_fault, whole
from certaudit.spec import Spec, load_spec
from certaudit.spec.subjects import Subject

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda x: not id_fault(x))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("subjects")


def yaml_text(one: str) -> str:
    """Any printable text, quoted for YAML."""
    return "'" + one.replace("'", "''") + "'"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_exactly_the_rows_of_the_ids_are_forgotten(folder: Path, data: st.DataObject) -> None:
    """Against a reference that knows ids as Python integers or strings and nothing of the package."""
    kind = data.draw(st.sampled_from(["csv", "parquet", "npz"]))
    typed = st.integers(-(2**62), 2**62) if data.draw(st.booleans()) else TEXTS
    known: list[Any] = data.draw(st.lists(typed, min_size=2, max_size=6, unique=True))
    column = data.draw(st.lists(st.sampled_from(known), min_size=3, max_size=12))
    present = list(dict.fromkeys(column))
    gone = data.draw(st.lists(st.sampled_from(present), min_size=1, max_size=3, unique=True))
    expected = sorted(row for row, one in enumerate(column) if one in gone)
    if len(expected) == len(column):
        return
    if kind == "csv":
        quoted = ['"' + str(one).replace('"', '""') + '"' for one in column]
        source = csv_table(folder, quoted)
    else:
        source = (parquet_table if kind == "parquet" else npz_table)(folder, column)
    found = built(
        spec(folder, source, "{ids: [" + ", ".join(yaml_text(str(one)) for one in gone) + "]}")
    )
    assert list(found.run.requests[0].rows) == expected
    assert [one.id for one in found.subjects[0]] == [str(one) for one in gone]
    assert sorted(row for one in found.subjects[0] for row in one.rows) == expected
    X, y = numbers(len(column))
    assert np.array_equal(found.run.X, X)
    assert np.array_equal(found.run.y, y)


@pytest.mark.parametrize("make", [csv_table, parquet_table, npz_table])
def test_the_id_is_neither_feature_nor_target(make: Any, tmp_path: Path) -> None:
    ids = ["17", "204", "17", "5"] if make is csv_table else [17, 204, 17, 5]
    found = built(spec(tmp_path, make(tmp_path, ids), "{ids: [17, 204]}"))
    assert found.subjects == ((Subject("17", (0, 2)), Subject("204", (1,))),)
    assert (found.run.d, found.run.forget, found.several) == (2, (0, 1, 2), 1)
    for number in (17.0, 204.0, 5.0):
        assert number not in found.run.X
        assert number not in found.run.y


def test_an_id_column_at_the_end_is_not_the_target(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,spend,whose\n0.5,0.25,7\n0.25,0.125,8\n0.1,0.2,9\n")
    found = built(spec(tmp_path, "csv:t.csv", "{ids: [8]}"))
    assert found.run.y.tolist() == [0.25, 0.125, 0.2]
    assert found.run.X.tolist() == [[0.5], [0.25], [0.1]]


def test_numbers_are_compared_as_numbers_and_text_as_text(tmp_path: Path) -> None:
    whole_numbers = csv_table(tmp_path, ["17", "17.0", "-3", "0"])
    assert built(spec(tmp_path, whole_numbers, "{ids: [17]}")).run.forget == (0, 1)
    assert built(spec(tmp_path, whole_numbers, "{ids: ['17.0']}")).run.forget == (0, 1)
    assert built(spec(tmp_path, whole_numbers, "{ids: [-3]}")).run.forget == (2,)
    texts = csv_table(tmp_path, ["17", "017", "17.0", "A7"])
    for row, written in enumerate(["17", "'017'", "'17.0'", "A7"]):
        assert built(spec(tmp_path, texts, f"{{ids: [{written}]}}")).run.forget == (row,)
    typed = parquet_table(tmp_path, ["17", "18", "17.0", "19"])
    assert built(spec(tmp_path, typed, "{ids: [17]}")).run.forget == (0,)
    floats = parquet_table(tmp_path, np.array([17.0, 18.0, 17.0]))
    assert built(spec(tmp_path, floats, "{ids: [17]}")).run.forget == (0, 2)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("017", "is read as the number 17: quote it"),
        ("17.0", "is read as the number 17: quote it"),
        ("+17", "is read as the number 17: quote it"),
        ("1e3", "is read as the number 1000: quote it"),
        ("34/2", "is read as the number 17: quote it"),
        ("1.5", "must be an id: text or a whole number"),
        ("true", "must be an id: text or a whole number"),
        ("null", "must be an id: text or a whole number"),
        (".inf", "infinity"),
        ("[1]", "must be an id"),
        ("0x11", "'0x11' is no id of this column"),
        ("2024-01-01", "'2024-01-01' is no id of this column"),
        ("'017'", "'017' is no id of this column, whose ids are whole numbers such as 17"),
        ("'1e3'", "is no id of this column"),
        ("'٣'", "is no id of this column"),
        ("' 17'", "has white space at an end"),
        ("'17\u200b'", "holds a character that cannot be seen"),
        ("'17\u00a0'", "has white space at an end"),
        ("''", "is empty"),
        (f"'{'7' * 201}'", "longer than 200"),
        ("999", "no row of the data has the id '999'"),
        ("5, 5", "the id '5' is listed twice"),
        ("5, '5.0'", "the id '5.0' is listed twice"),
    ],
)
def test_ids_that_name_nobody(written: str, said: str, tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["17", "204", "5", "1000"])
    path = spec(tmp_path, source, f"{{ids: [{written}]}}")
    (found,) = refused(path)
    assert said in found.message
    assert found.file == str(path)
    assert found.line == 6
    assert (found.key or "").startswith("forget.ids.")
    assert "204" not in str(found)  # no id but the one that was written


@pytest.mark.parametrize(
    ("forget", "data", "key", "said"),
    [
        ("[7]", "", "forget", "must be ids or an ids_file: data.id_column says whose"),
        ("{}", "", "forget.ids", "is missing: give one of ids, ids_file"),
        ("{ids: []}", "", "forget.ids", "must not be empty"),
        ("{ids: 17}", "", "forget.ids", "must be a list"),
        ("{ids: [17], ids_file: x}", "", "forget.ids_file", "must be left out beside ids"),
        ("{rows: [1]}", "", "forget.rows", "unknown key"),
        ("{id: [1]}", "", "forget.id", "did you mean ids?"),
        ("17", "", "forget", "must be a list"),
        ("{ids: [17]}", "target_column: whose", "data.id_column", "another column than target_column"),
    ],
)
def test_forget_that_says_nothing_clear(
    forget: str, data: str, key: str, said: str, tmp_path: Path
) -> None:
    source = csv_table(tmp_path, ["17", "204", "5"])
    found = refused(spec(tmp_path, source, forget, data))
    assert any(one.key == key and said in one.message for one in found), [str(one) for one in found]


def test_ids_need_a_column_and_builtin_data_have_none(tmp_path: Path) -> None:
    path = spec(tmp_path, csv_table(tmp_path, ["1", "2", "3"]), "{ids: [1]}")
    path.write_text(path.read_text().replace(", id_column: whose", ""))
    assert "needs data.id_column" in refused(path)[0].message
    path = spec(tmp_path, "sklearn:diabetes", "{ids: [1]}")
    assert "has no meaning for sklearn data" in refused(path)[0].message


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ([" 17", "18", "19"], "row 0 (line 2): the id has white space at an end"),
        (["17", "", "19"], "row 1 (line 3): the id is empty"),
        (["17", "18", "19\u200b"], "row 2 (line 4): the id holds a character that cannot be seen"),
        (["17", "x" * 201, "19"], "row 1 (line 3): the id is longer"),
    ],
)
def test_a_faulty_id_of_the_data_is_named_by_its_row(
    column: list[str], said: str, tmp_path: Path
) -> None:
    (found,) = refused(spec(tmp_path, csv_table(tmp_path, column), "{ids: [17]}"))
    assert said in found.message
    assert found.key == "data.id_column"
    assert "xxx" not in found.message


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([1.5, 2, 3]), "row 0: the id is not a whole number"),
        (np.array([1.0, np.nan, 3]), "row 1: the id is missing"),
        (np.array([1.0, 2.0**53, 3]), "row 1: the id is not a whole number below 2^53"),
        (np.array([True, False, True]), "must hold whole numbers or text"),
        (pa.array([1, None, 3]), "row 1: the id is empty"),
        (pa.array(["a", None, "c"]), "row 1: the id is empty"),
        (pa.array([b"a", b"b", b"c"]), "must hold whole numbers or text"),
    ],
)
def test_typed_ids_that_are_none(array: Any, said: str, tmp_path: Path) -> None:
    makers = [parquet_table] + ([npz_table] if isinstance(array, np.ndarray) else [])
    for make in makers:
        (found,) = refused(spec(tmp_path, make(tmp_path, array), "{ids: [1]}"))
        assert said in found.message


def test_headers(tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["1", "2", "3"], header="whose,a,whose,spend")
    assert refused(spec(tmp_path, source, "{ids: [1]}"))[0].message == "several columns have that name"
    source = csv_table(tmp_path, ["1", "2", "3"], header="owner,a,b,spend")
    assert (
        "no column of that name; there are: owner"
        in refused(spec(tmp_path, source, "{ids: [1]}"))[0].message
    )
    source = csv_table(tmp_path, ["1", "2", "3"], bom=True)
    assert built(spec(tmp_path, source, "{ids: [2]}")).run.forget == (1,)
    (tmp_path / "t.csv").write_text("whose\n1\n2\n3\n")
    assert "no column but the ids" in refused(spec(tmp_path, "csv:t.csv", "{ids: [1]}"))[0].message
    np.savez(tmp_path / "t.npz", X=np.ones((2, 1)), y=np.ones(2))
    assert "no array of that name" in refused(spec(tmp_path, "npz:t.npz", "{ids: [1]}"))[0].message
    np.savez(tmp_path / "t.npz", X=np.ones((2, 1)), y=np.ones(2), whose=np.ones(3))
    assert "must have shape (2,)" in refused(spec(tmp_path, "npz:t.npz", "{ids: [1]}"))[0].message


def test_nobody_is_left(tmp_path: Path) -> None:
    """A constant id column, or every id: no data would remain."""
    constant = csv_table(tmp_path, ["1", "1", "1"])
    (found,) = refused(spec(tmp_path, constant, "{ids: [1]}"))
    assert (found.key, found.message) == ("forget", "all 3 rows are forgotten: no data remain")
    every = csv_table(tmp_path, ["1", "2", "1"])
    (found,) = refused(spec(tmp_path, every, "{ids: [1, 2]}"))
    assert "all 3 rows are forgotten" in found.message


def test_stages_each_with_their_own(tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["17", "204", "17", "5", "8"])
    (tmp_path / "gone.txt").write_text("5\n")
    found = built(stages(tmp_path, source, "ids: [17]", "ids_file: gone.txt"))
    assert [one.rows for one in found.run.requests] == [(0, 2), (3,)]
    assert found.subjects == ((Subject("17", (0, 2)),), (Subject("5", (3,)),))
    twice = refused(stages(tmp_path, source, "ids: [17, 5]", "ids_file: gone.txt"))
    assert [(one.file, one.line) for one in twice] == [(str(tmp_path / "gone.txt"), 1)]
    assert "the id '5' is listed twice" in twice[0].message
    mixed = refused(stages(tmp_path, source, "ids: [17]", "rows: [3]"))
    assert [one.key for one in mixed] == ["forget.1.rows"]
    none = refused(stages(tmp_path, source, "ids: [17]", "steps: 3"))
    assert "is missing: give one of rows, ids, ids_file" in [one.message for one in none]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gone.txt", "17\n5\n"),
        ("gone.txt", "17\r\n\r\n5"),
        ("gone.txt", "\ufeff17\n5\n"),
        ("gone", "17\n5"),
        ("gone.csv", "when,whose\n2020,17\n2021,5\n"),
        ("GONE.CSV", "\ufeffwhose\r\n17\r\n\r\n5\r\n"),
    ],
)
def test_files_of_ids(name: str, text: str, tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["17", "204", "17", "5"])
    (tmp_path / name).write_bytes(text.encode())
    assert built(spec(tmp_path, source, f"{{ids_file: {name}}}")).run.forget == (0, 2, 3)


def test_faults_in_a_file_of_ids_are_at_its_line(tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["17", "204", "17", "5"])
    (tmp_path / "gone.txt").write_text("17\nfive\n17\n 5\n999\n")
    found = refused(spec(tmp_path, source, "{ids_file: gone.txt}"))
    assert [(one.file, one.line) for one in found] == [
        (str(tmp_path / "gone.txt"), line) for line in (2, 3, 4, 5)
    ]
    for text, name, said in [
        ("", "gone.txt", "lists no ids"),
        ("whose\n", "gone.csv", "lists no ids"),
        ("owner\n17\n", "gone.csv", "its header has no column 'whose'"),
        ("whose,whose\n17,5\n", "gone.csv", "its header has several columns 'whose'"),
        ("whose,x\n17\n", "gone.csv", "line 2 has 1 cells, the header has 2"),
        ('whose\n"17\n', "gone.csv", "line 2"),
    ]:
        (tmp_path / name).write_text(text)
        (one,) = refused(spec(tmp_path, source, f"{{ids_file: {name}}}"))
        assert one.key == "forget.ids_file"
        assert said in one.message
    (tmp_path / "gone.txt").write_bytes(b"17\n\xff\n")
    assert "not UTF-8" in refused(spec(tmp_path, source, "{ids_file: gone.txt}"))[0].message


def test_files_of_ids_elsewhere_are_not_opened(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    source = csv_table(home, ["17", "204", "5"])
    (other / "secret.txt").write_text("17\n")
    (home / "link.txt").symlink_to(other / "secret.txt")
    (home / "folder").mkdir()
    os.mkfifo(home / "pipe")
    began = time.monotonic()
    for name, said in [
        ("/etc/passwd", "an absolute path is not allowed"),
        ("../other/secret.txt", "lies outside the spec's folder"),
        ("link.txt", "lies outside the spec's folder"),
        ("pipe", "is not a regular file"),
        ("folder", "cannot be read: is a directory"),
        ("none.txt", "no such file"),
        ("/dev/zero", "an absolute path"),
    ]:
        (found,) = refused(spec(home, source, f"{{ids_file: {name}}}"))
        assert said in found.message
        assert found.key == "forget.ids_file"
    assert time.monotonic() - began < 5
    with open(home / "large.txt", "wb") as file:
        file.truncate((64 << 20) + 1)
    assert "larger than 64 MiB" in refused(spec(home, source, "{ids_file: large.txt}"))[0].message


def test_look_alikes_stay_and_are_named_by_row(tmp_path: Path) -> None:
    """Exact comparison forgets one of them; a person is told of the others."""
    others = ["a7", "A 7", "A07", "Ａ7", "A7.0"]
    found = built(spec(tmp_path, csv_table(tmp_path, ["A7", *others, "B7"]), "{ids: [A7]}"))
    assert found.run.forget == (0,)
    (warning,) = found.warnings
    assert warning.key == "forget"
    assert warning.message.startswith(
        "rows 1, 2, 3, 4, 5: the id differs from one that is forgotten only"
    )
    cyrillic = built(spec(tmp_path, csv_table(tmp_path, ["A7", "\u04107", "B7"]), "{ids: [A7]}"))
    assert cyrillic.run.forget == (0,)  # letters of another script: other letters, not warned of
    decomposed = csv_table(tmp_path, ["\u00e9", "e\u0301", "f"])
    assert built(spec(tmp_path, decomposed, "{ids: ['\u00e9']}")).warnings


@settings(max_examples=50, deadline=None)
@given(st.integers(-(10**30), 10**30), st.integers(0, 3))
def test_whole_numbers_have_one_writing(number: int, zeros: int) -> None:
    assert whole(f"{number}{'.' + '0' * zeros if zeros else ''}") == str(number)
    assert whole(f"0{number}") is None or number < 0 or f"0{number}" == "00"
    assert whole(f"{number}.5") is None
    assert whole(f"+{number}") is None


def test_very_many_ids_are_read_in_seconds(tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["17", "204", "5"])
    (tmp_path / "gone.txt").write_text("".join(f"{k}\n" for k in range(10**6, 11 * 10**5)))
    began = time.monotonic()
    found = refused(spec(tmp_path, source, "{ids_file: gone.txt}"))
    assert time.monotonic() - began < 30
    assert len(found) == 101
    assert found[-1].message == "and 99900 more problems"


def test_the_spec_survives_json(tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["17", "204", "5"])
    for path in (
        spec(tmp_path, source, "{ids: [17, '017', A7]}"),
        stages(tmp_path, source, "ids: [17]", "ids_file: gone.txt"),
    ):
        loaded = load_spec(path).spec
        assert Spec.model_validate_json(loaded.model_dump_json()) == loaded
        assert Spec.model_validate(loaded.model_dump(mode="json")) == loaded


def test_the_schema_knows_ids() -> None:
    schema = Spec.model_json_schema()
    assert {"ids", "ids_file"} <= set(schema["$defs"]["SubjectsSpec"]["properties"])
    assert {"ids", "ids_file", "rows"} <= set(schema["$defs"]["StageSpec"]["properties"])
    assert "id_column" in schema["$defs"]["DataSpec"]["properties"]
    assert schema["else"]["if"]["properties"]["forget"]["type"] == "array"
    for name, keys in (
        ("SubjectsSpec", ["ids", "ids_file"]),
        ("StageSpec", ["rows", "ids", "ids_file"]),
    ):
        assert [one["required"] for one in schema["$defs"][name]["oneOf"]] == [[key] for key in keys]
        assert schema["$defs"][name]["additionalProperties"] is False


def test_forgetting_by_id_is_forgetting_by_row(tmp_path: Path) -> None:
    """The same run, but for what it says of the ids, as one that lists the rows."""
    source = csv_table(tmp_path, ["17", "204", "17", "5"])
    by_id = built(spec(tmp_path, source, "{ids: [17]}")).run
    X, y = numbers(4)
    np.savez(tmp_path / "u.npz", X=X, y=y)
    path = spec(tmp_path, "npz:u.npz", "[0, 2]")
    path.write_text(path.read_text().replace(", id_column: whose", ""))
    by_row = built(path).run
    assert by_id.requests == by_row.requests
    assert np.array_equal(by_id.X, by_row.X)
    assert by_id.l2 == by_row.l2 == Fraction(1, 20)
    assert [text for text in by_id.assumptions if "'whose' says whose each row is" in text]
