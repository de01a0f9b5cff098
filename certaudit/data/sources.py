"""Tables from files beside the spec and from the data sets that scikit-learn brings along.

Every file is read once; the bytes that are hashed are the bytes that are parsed.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import stat
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from certaudit.data.errors import DataError
from certaudit.data.formats import MAX_BYTES, csv_table, npz_table, parquet_table
from certaudit.data.preprocess import standard_columns
from certaudit.data.table import Floats, Table, check_table
from certaudit.data.words import shown

KINDS = ("sklearn", "npz", "csv", "parquet")
SKLEARN = {
    "breast_cancer": ("breast_cancer.csv",),
    "diabetes": ("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"),
    "digits": ("digits.csv.gz",),
    "iris": ("iris.csv",),
    "wine": ("wine_data.csv",),
}


def check_source(source: str) -> None:
    """Check the form of ``KIND:NAME`` without touching any file.

    Raises:
        DataError: for an unknown kind or scikit-learn data set.
    """
    kind, _, name = source.partition(":")
    if kind not in KINDS or not name:
        raise DataError(f"must be {', '.join(f'{k}:' for k in KINDS[:-1])} or {KINDS[-1]}: and a name")
    if kind == "sklearn" and name not in SKLEARN:
        raise DataError(f"must name one of scikit-learn's {', '.join(SKLEARN)}")


def load_table(
    source: str,
    base_dir: Path,
    *,
    target_column: str | None = None,
    text_target: bool = False,
    sha256: str | None = None,
    id_column: str | None = None,
) -> Table:
    """Load ``KIND:NAME`` as features X (n, d) and target y (n,), finite float64, n >= 2, d >= 1.

    Args:
        source: ``sklearn:NAME``, or ``npz:``, ``csv:`` or ``parquet:`` and a file in
            ``base_dir`` (a file outside it is refused).
        base_dir: the spec's folder.
        target_column: name of the target in a csv or parquet file; the last column but the id column
            if None.
        text_target: allow a target that is text (labels), see ``Table.labels``.
        sha256: refuse a source whose bytes have another SHA-256 (lower-case hexadecimal).
        id_column: name of the column that says whose each row is (in an npz archive, of an array);
            becomes ``Table.ids``.

    Raises:
        DataError: with one clear line, whatever is wrong.
    """
    check_source(source)
    kind, _, name = source.partition(":")
    blobs = _bundled(name) if kind == "sklearn" else [read_inside(base_dir, name)]
    digest = hashlib.sha256(b"".join(blobs)).hexdigest()
    if sha256 is not None and sha256 != digest:
        raise DataError(f"the data have SHA-256 {digest}, not the one given", "sha256")
    if kind == "sklearn":
        if id_column is not None:
            raise DataError("has no meaning for sklearn data, which have no ids", "id_column")
        table = check_table(*_sklearn_arrays(name, blobs))
    elif kind == "npz":
        table = npz_table(blobs[0], text_target, id_column)
    elif kind == "csv":
        table = csv_table(blobs[0], target_column, text_target, id_column)
    else:
        table = parquet_table(blobs[0], target_column, text_target, id_column)
    return replace(table, sha256=digest)


def read_inside(base_dir: Path, name: str, most: int = MAX_BYTES) -> bytes:
    """Read a regular file of at most ``most`` bytes that lies in ``base_dir``, links followed.

    Raises:
        DataError: for any other file.
    """
    label = shown(name, 80)
    if Path(name).is_absolute():
        raise DataError("an absolute path is not allowed: give it relative to the spec's folder")
    try:
        base = base_dir.resolve()
        path = (base / name).resolve()
        if not path.is_relative_to(base):
            raise DataError(f"{label} lies outside the spec's folder")
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DataError(f"{label} is not a regular file")
            if status.st_size > most:
                limit = f"{most >> 30} GiB" if most >> 30 else f"{most >> 20} MiB"
                raise DataError(f"{label} is larger than {limit}")
            return file.read(most)
    except FileNotFoundError:
        raise DataError(f"no such file: {label}") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise DataError(f"{label} cannot be read: {reason.lower()}") from None


def _bundled(name: str) -> list[bytes]:
    """Read scikit-learn's own data files, without the 2.6 s that importing it takes."""
    found = find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise DataError("scikit-learn is not installed: pip install scikit-learn")
    folder = Path(found.submodule_search_locations[0]) / "datasets" / "data"
    try:
        return [(folder / file).read_bytes() for file in SKLEARN[name]]
    except OSError as error:
        raise DataError(f"the scikit-learn installed here lacks {name}: {error.strerror}") from None


def _sklearn_arrays(name: str, blobs: list[bytes]) -> tuple[Floats, Floats]:
    try:
        if name == "diabetes":
            X, y = (_rows(gzip.decompress(blob), None) for blob in blobs)
            return standard_columns(X) / math.sqrt(len(X)), y[:, 0]
        if name == "digits":
            table = _rows(gzip.decompress(blobs[0]), ",")
        else:
            table = _rows(blobs[0].partition(b"\n")[2], ",")
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"the scikit-learn installed here has a damaged {name}: {error}") from None
    return table[:, :-1].copy(), table[:, -1].copy()


def _rows(text: bytes, separator: str | None) -> Floats:
    lines = text.decode("ascii").splitlines()
    return np.array([[float(cell) for cell in line.split(separator)] for line in lines])
