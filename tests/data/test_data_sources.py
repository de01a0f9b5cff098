"""Tables: scikit-learn's own, files beside the spec, and everything that can be wrong with them."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certaudit.data.errors import DataError
from certaudit.data.sources import MAX_BYTES, SKLEARN, load_table
from certaudit.data.table import Table


def refusal(source: str, folder: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_table(source, folder, **options)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 250
    return caught.value.message


def csv_file(folder: Path, text: str | bytes) -> str:
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return "csv:t.csv"


def npz_file(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "t.npz", **arrays)
    return "npz:t.npz"


def parquet_file(folder: Path, **columns: Any) -> str:
    pq.write_table(pa.table(columns), folder / "t.parquet")
    return "parquet:t.parquet"


@pytest.mark.parametrize("name", sorted(SKLEARN))
def test_same_numbers_as_scikit_learn(name: str, tmp_path: Path) -> None:
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    table = load_table(f"sklearn:{name}", tmp_path)
    assert (table.X.dtype, table.y.dtype, table.labels) == (np.float64, np.float64, None)
    assert np.array_equal(table.y, y)
    if name == "diabetes":
        np.testing.assert_allclose(table.X, X, rtol=0, atol=1e-15)
    else:
        assert np.array_equal(table.X, X)


def test_scikit_learn_is_not_imported_and_digits_are_fast(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from certaudit.data.sources import load_table; "
        "load_table('sklearn:digits', pathlib.Path('.')); sys.exit('sklearn' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    began = time.perf_counter()
    load_table("sklearn:digits", tmp_path)
    assert time.perf_counter() - began < 0.5


def test_hash_of_bundled_files(tmp_path: Path) -> None:
    from sklearn import datasets

    folder = Path(datasets.__file__).parent / "data"
    blobs = [(folder / name).read_bytes() for name in SKLEARN["diabetes"]]
    digest = hashlib.sha256(b"".join(blobs)).hexdigest()
    assert load_table("sklearn:diabetes", tmp_path, sha256=digest).sha256 == digest


def test_wrong_bytes_are_refused_before_they_are_parsed(tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_bytes(b"junk")
    digest = hashlib.sha256(b"junk").hexdigest()
    assert digest in refusal("npz:t.npz", tmp_path, sha256="0" * 64)
    assert refusal("npz:t.npz", tmp_path, sha256=digest) == "not an npz archive"


def test_formats_agree(tmp_path: Path) -> None:
    X = np.array([[0.1, -2.0], [1e-300, 3.0], [5.0, 1 / 3]])
    y = np.array([1.0, 2.0, 3.5])
    rows = "\n".join(f"{a!r},{b!r},{c!r}" for (a, b), c in zip(X.tolist(), y.tolist(), strict=True))
    sources = [
        npz_file(tmp_path, X=X, y=y),
        csv_file(tmp_path, f"a,b,c\n{rows}\n"),
        parquet_file(tmp_path, a=X[:, 0], b=X[:, 1], c=y),
    ]
    for source in sources:
        table = load_table(source, tmp_path)
        assert np.array_equal(table.X, X)
        assert np.array_equal(table.y, y)
        path = tmp_path / source.partition(":")[2]
        assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for source in sources[1:]:
        table = load_table(source, tmp_path, target_column="a")
        assert np.array_equal(table.y, X[:, 0])
        assert np.array_equal(table.X, np.column_stack([X[:, 1], y]))


def test_text_targets(tmp_path: Path) -> None:
    for source in (
        csv_file(tmp_path, 'a,c\n1,yes\n2,"no, not"\n'),
        npz_file(tmp_path, X=np.array([[1], [2]]), y=np.array(["yes", "no, not"])),
        parquet_file(tmp_path, a=[1, 2], c=["yes", "no, not"]),
    ):
        table = load_table(source, tmp_path, text_target=True)
        assert table.labels == ("yes", "no, not")
        assert "with `positive`" in refusal(source, tmp_path)


def test_numbers_stay_numbers_where_text_is_allowed(tmp_path: Path) -> None:
    source = csv_file(tmp_path, "a,c\n1,0\n2,1\n")
    table = load_table(source, tmp_path, text_target=True)
    assert table.labels is None
    assert table.y.tolist() == [0, 1]
    source = csv_file(tmp_path, "a,c\n1,0\n2,nan?\n")
    assert load_table(source, tmp_path, text_target=True).labels == ("0", "nan?")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the data are empty: no header row"),
        ("\n\n", "the data are empty: no header row"),
        ("a,b\n", "the data are empty: 0 rows of 1 feature columns"),
        ("a\n1\n2\n", "the data are empty: 2 rows of 0 feature columns"),
        ("a,b\n1,2\n", "the data have a single row: deletion needs at least 2"),
        ("1,2\n3,4\n5,6\n", "the first row must hold the names of the columns, not numbers"),
        ("a,b\n1,2\n3\n", "row 1 (line 3) has 1 cells, the header has 2"),
        ("a,b\n1,2\n\n3,4,5\n", "row 1 (line 4) has 3 cells, the header has 2"),
        ("a,b\n1,2\nx,4\n", "row 1 (line 3), column 'a': 'x' is not a number"),
        ("a,b\n1,2\n,4\n", "row 1 (line 3), column 'a': an empty cell"),
        ("a,b\n1,2\n1_0,4\n", "row 1 (line 3), column 'a': '1_0' is not a number"),
        (
            "a,b\n1,2\n3,x\n",
            "row 1 (line 3), column 'b': 'x' is not a number; "
            "for labels, name the one that becomes +1 with `positive`",
        ),
        ("a,b,c\n1,2,3\n4,nan,6\n", "row 1, column 'b': not-a-number or a missing value"),
        ("a,b\n1,2\n3,1e999\n", "row 1, target 'b': infinity"),
        (
            "a,b\n-inf,2\n3,nan\n",
            "row 0, column 'a': infinity (and 1 more such cells)",
        ),
        (b"a,b\n1,\xff\n", "the file is not UTF-8 text: byte 6"),
        ('a,b\n1,"2\n', "line 2: unexpected end of data"),
    ],
)
def test_bad_csv(text: str | bytes, message: str, tmp_path: Path) -> None:
    assert refusal(csv_file(tmp_path, text), tmp_path) == message


def test_target_column_faults(tmp_path: Path) -> None:
    source = csv_file(tmp_path, "a,b,b\n1,2,3\n4,5,6\n")
    with pytest.raises(DataError, match="no column of that name; there are: a, b, b") as caught:
        load_table(source, tmp_path, target_column="c")
    assert caught.value.field == "target_column"
    assert "several columns" in refusal(source, tmp_path, target_column="b")


def test_content_does_not_leak_at_length(tmp_path: Path) -> None:
    secret = "\x1b[2Jpassword" * 1000
    for text in (f"a,b\n1,2\n{secret},3\n", f"a,{secret}\n1,2\nx,nan\n", f"{secret}\n"):
        message = refusal(csv_file(tmp_path, text), tmp_path)
        assert message.count("password") <= 4
    assert refusal(csv_file(tmp_path, "a,b\n1,2\n3,x\n"), tmp_path, target_column=secret[:99])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.eye(3)}, "the archive has no array y"),
        ({"x": np.eye(3)}, "the archive has no array X and no array y"),
        ({"X": np.ones(3), "y": np.ones(3)}, "X must have shape (rows, columns), not (3,)"),
        ({"X": np.eye(3), "y": np.ones(2)}, "y must have shape (3,) to match X, not (2,)"),
        ({"X": np.eye(3), "y": np.ones((3, 1))}, "y must have shape (3,) to match X, not (3, 1)"),
        ({"X": np.eye(3) * 1j, "y": np.ones(3)}, "X must hold real numbers, not complex128"),
        ({"X": np.eye(3), "y": np.array([b"a"] * 3)}, "y must hold real numbers, not |S1"),
        ({"X": np.zeros((0, 3)), "y": np.zeros(0)}, "the data are empty: 0 rows of 3 feature colu"),
        ({"X": np.zeros((3, 0)), "y": np.zeros(3)}, "the data are empty: 3 rows of 0 feature colu"),
        ({"X": np.eye(1), "y": np.ones(1)}, "the data have a single row"),
        ({"X": np.full((2, 2), np.nan), "y": np.ones(2)}, "row 0, column 0: not-a-number"),
        ({"X": np.eye(2), "y": np.array([1, np.inf])}, "row 1, target 'y': infinity"),
    ],
)
def test_bad_npz(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert refusal(npz_file(tmp_path, **arrays), tmp_path).startswith(message)


class Bomb:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    victim = tmp_path / "made"
    objects = np.array([Bomb(victim)] * 2, dtype=object)
    source = npz_file(tmp_path, X=np.eye(2), y=objects)
    assert "allow_pickle" in refusal(source, tmp_path)
    (tmp_path / "t.npz").write_bytes(pickle.dumps(Bomb(victim)))
    assert refusal(source, tmp_path) == "not an npz archive"
    assert not victim.exists()


def test_archive_that_unpacks_too_large(tmp_path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 1)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(tmp_path / "t.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    assert refusal("npz:t.npz", tmp_path).startswith("cannot be read")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": ["x", "y"], "b": [1, 2]}, "column 'a' is not numeric: string"),
        ({"a": [[1], [2]], "b": [1, 2]}, "column 'a' is not numeric: list<"),
        ({"a": [1, None], "b": [1, 2]}, "row 1, column 'a': not-a-number or a missing value"),
        ({"a": [1, 2], "__index_level_0__": [1, 2]}, "the file holds a pandas index"),
        ({"a": [1.0, 2.0], "b": [1.0, None]}, "row 1, target 'b': not-a-number"),
        ({"a": [1.0]}, "the data are empty: 1 rows of 0"),
    ],
)
def test_bad_parquet(columns: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert refusal(parquet_file(tmp_path, **columns), tmp_path).startswith(message)


def test_missing_label(tmp_path: Path) -> None:
    source = parquet_file(tmp_path, a=[1, 2], b=["x", None])
    assert refusal(source, tmp_path, text_target=True) == "row 1, target 'b': an empty label"


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = parquet_file(tmp_path, a=[1, 2], b=[1, 2])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = refusal(source, tmp_path)
    assert message == "parquet files need pyarrow: pip install certaudit[parquet]"


def test_paths_stay_inside_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "spec"
    (inside / "sub").mkdir(parents=True)
    text = "a,b\n1,2\n3,4\n"
    csv_file(tmp_path, text)
    csv_file(inside, text)
    csv_file(inside / "sub", text)
    (inside / "out.csv").symlink_to(tmp_path / "t.csv")
    (inside / "up").symlink_to(tmp_path)
    (inside / "in.csv").symlink_to(inside / "sub" / "t.csv")
    (inside / "loop.csv").symlink_to(inside / "loop.csv")
    for good in ("t.csv", "sub/t.csv", "./t.csv", "sub/../t.csv", "in.csv"):
        assert isinstance(load_table(f"csv:{good}", inside), Table)
    for bad in ("../t.csv", "sub/../../t.csv", "out.csv", "up/t.csv", "../spec2/t.csv"):
        assert "outside the spec's folder" in refusal(f"csv:{bad}", inside)
    assert "absolute path" in refusal(f"csv:{inside / 't.csv'}", inside)
    assert "cannot be read" in refusal("csv:loop.csv", inside)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert refusal("csv:none.csv", tmp_path) == "no such file: none.csv"
    assert "regular file" in refusal("csv:dir", tmp_path) or "directory" in refusal("csv:dir", tmp_path)
    assert refusal("csv:pipe", tmp_path) == "pipe is not a regular file"
    assert "cannot be read" in refusal("csv:a\0b", tmp_path)
    assert "cannot be read" in refusal(f"csv:{'x' * 5000}", tmp_path)


def test_size_limit(tmp_path: Path) -> None:
    with open(tmp_path / "t.csv", "wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert refusal("csv:t.csv", tmp_path) == "t.csv is larger than 2 GiB"


@pytest.mark.parametrize("source", ["", "t.csv", "csv:", "http:x", "sklearn:boston", "sklearn:"])
def test_unknown_sources(source: str, tmp_path: Path) -> None:
    assert refusal(source, tmp_path).startswith("must ")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["npz", "csv", "parquet"]), st.binary(max_size=80), st.integers(0, 400))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: bytes, cut: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    makers = {
        "npz": lambda: npz_file(folder, X=np.eye(2), y=np.ones(2)),
        "csv": lambda: csv_file(folder, "a,b\n1,2\n3,4\n"),
        "parquet": lambda: parquet_file(folder, a=[1, 2], b=[3, 4]),
    }
    source = makers[kind]()
    path = folder / source.partition(":")[2]
    whole = path.read_bytes()
    path.write_bytes(whole[:cut] + data + whole[cut + len(data) :])
    message = ""
    try:
        load_table(source, folder, text_target=bool(cut % 2))
    except DataError as error:
        message = error.message
    assert message == "" or message.isprintable()
