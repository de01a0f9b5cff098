"""Readers of npz, csv and parquet bytes.  Nothing read is ever executed or unpickled."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from certaudit.data.errors import DataError, Field
from certaudit.data.identifiers import named_like_an_id
from certaudit.data.subjects import Ids, checked, ids
from certaudit.data.table import Floats, Table, check_table
from certaudit.data.words import shown

MAX_BYTES = 2 << 30


def npz_table(blob: bytes, text_target: bool, id_column: str | None = None) -> Table:
    """Read arrays ``X`` (n, d) and ``y`` (n,) from a numpy archive, and the array of ids (n,), if named.

    Raises:
        DataError: if it is no such archive, holds pickled objects, or has other shapes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
        missing = [name for name in ("X", "y") if f"{name}.npy" not in sizes]
        if missing:
            raise DataError(f"the archive has no array {' and no array '.join(missing)}")
        if id_column in ("X", "y"):
            raise DataError("must name another array than X and y", "id_column")
        if id_column is not None and f"{id_column}.npy" not in sizes:
            raise DataError("the archive has no array of that name", "id_column")
        wanted = ("X", "y") if id_column is None else ("X", "y", id_column)
        if sum(sizes[f"{name}.npy"] for name in wanted) > MAX_BYTES:
            raise DataError("the arrays are larger than 2 GiB")
        with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
            X, y, *whose = (arrays[name] for name in wanted)
    except DataError:
        raise
    except zipfile.BadZipFile:
        raise DataError("not an npz archive") from None
    except Exception as error:  # whatever a damaged or hostile archive provokes in numpy
        raise DataError(f"cannot be read: {shown(str(error), 80)}") from None
    if X.ndim != 2:
        raise DataError(f"X must have shape (rows, columns), not {X.shape}")
    if y.shape != X.shape[:1]:
        raise DataError(f"y must have shape ({X.shape[0]},) to match X, not {y.shape}")
    labels = None
    if y.dtype.kind == "U":
        labels = _text_target([str(label) for label in y], "y", text_target)
        y = np.zeros(len(y))
    found = _array_of_ids(whose[0], len(X)) if whose else None
    return check_table(_real(X, "X"), _real(y, "y"), labels=labels, ids=found)


def _array_of_ids(array: np.ndarray[Any, Any], n: int) -> Ids:
    if array.shape != (n,):
        raise DataError(f"must have shape ({n},) to match X, not {array.shape}", "id_column")
    if array.dtype.kind not in "iufU":
        raise DataError(f"must hold whole numbers or text, not {shown(str(array.dtype))}", "id_column")
    return _ids(array.tolist())


def csv_table(
    blob: bytes, target_column: str | None, text_target: bool, id_column: str | None = None
) -> Table:
    """Read a comma-separated table: a header row, then numbers; blank lines are skipped.

    Raises:
        DataError: naming the row (counted from 0, as in ``forget``), its line and its column.
    """
    try:
        text = blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8 text: byte {error.start}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next((row for row in reader if row), [])
        if not names:
            raise DataError("the data are empty: no header row")
        if all(_is_number(name) for name in names):
            raise DataError("the first row must hold the names of the columns, not numbers")
        target, whose = _columns(names, target_column, id_column)
        numbers: list[list[float]] = []
        texts: list[str] = []
        written: list[str] = []
        for cells in reader:
            if not cells:
                continue
            where = f"row {len(numbers)} (line {reader.line_num})"
            if len(cells) != len(names):
                raise DataError(f"{where} has {len(cells)} cells, the header has {len(names)}")
            if whose is not None:
                written.append(checked(cells[whose], where))
                cells[whose] = "0"
            if text_target:
                texts.append(cells[target])
                cells[target] = cells[target] if _is_number(cells[target]) else "0"
            try:
                numbers.append([_cell(cell) for cell in cells])
            except ValueError:
                column = next(k for k, cell in enumerate(cells) if not _is_number(cell))
                raise _not_numeric(where, names[column], cells[column], column == target) from None
    except csv.Error as error:
        raise DataError(f"line {reader.line_num}: {shown(str(error), 80)}") from None
    table = np.array(numbers, dtype=np.float64).reshape(-1, len(names))
    labels = None if all(_is_number(label) for label in texts) else tuple(texts)
    return _split(table, names, target, labels, whose, None if whose is None else ids(written))


def parquet_table(
    blob: bytes, target_column: str | None, text_target: bool, id_column: str | None = None
) -> Table:
    """Read a parquet table of numeric columns; needs pyarrow.

    Raises:
        DataError: if pyarrow is missing, the file is damaged or a column is not numeric.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError("parquet files need pyarrow: pip install certaudit[parquet]") from None
    try:
        file = pq.ParquetFile(pa.BufferReader(blob))
        if file.metadata.num_rows * file.metadata.num_columns * 8 > MAX_BYTES:
            raise DataError("the table is larger than 2 GiB")
        content = file.read()
    except DataError:
        raise
    except Exception as error:  # whatever a damaged or hostile file provokes in pyarrow
        raise DataError(f"cannot be read: {shown(str(error), 80)}") from None
    names = [str(name) for name in content.column_names]
    if "__index_level_0__" in names:
        raise DataError("the file holds a pandas index as a column: write it with index=False")
    target, whose = _columns(names, target_column, id_column)
    table = np.zeros((content.num_rows, len(names)))
    labels = found = None
    for k, name in enumerate(names):
        column = content.column(k)
        kind = column.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        if k == whose:
            if not (text or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                message = f"must hold whole numbers or text, not {shown(str(kind))}"
                raise DataError(message, "id_column")
            found = _ids(column.to_pylist())
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            values = [np.nan if value is None else value for value in column.to_pylist()]
            table[:, k] = np.array(values, dtype=np.float64)
        elif k == target and text:
            texts = ["" if value is None else str(value) for value in column.to_pylist()]
            labels = _text_target(texts, name, text_target)
        else:
            hint = "; does it say whose row it is: `id_column`?" if named_like_an_id(name) else ""
            raise DataError(f"column {shown(name)!r} is not numeric: {shown(str(kind))}{hint}")
    return _split(table, names, target, labels, whose, found)


def _ids(values: Sequence[int | float | str | None]) -> Ids:
    """Ids of a typed column.  A float counts if it is whole, and small enough that no two whole numbers
    became one."""
    written: list[str] = []
    for row, value in enumerate(values):
        if isinstance(value, float) and not (value.is_integer() and abs(value) < 2**53):
            text = "is not a whole number below 2^53" if value == value else "is missing"
            raise DataError(f"row {row}: the id {text}", "id_column")
        text = "" if value is None else str(int(value)) if isinstance(value, float) else str(value)
        written.append(checked(text, f"row {row}"))
    return Ids(tuple(written), numbers=not any(isinstance(value, str) for value in values))


def _split(
    table: Floats,
    names: Sequence[str],
    target: int,
    labels: tuple[str, ...] | None,
    whose: int | None,
    found: Ids | None,
) -> Table:
    kept = [k for k in range(len(names)) if k not in (target, whose)]
    y = table[:, target].copy() if labels is None else np.zeros(len(table))
    return check_table(table[:, kept], y, [names[k] for k in kept], names[target], labels, found)


def _columns(names: Sequence[str], target: str | None, whose: str | None) -> tuple[int, int | None]:
    """Places of the target and of the ids."""
    ids_at = None if whose is None else _index(names, whose, "id_column")
    if target is not None:
        return _index(names, target, "target_column"), ids_at
    others = [k for k in range(len(names)) if k != ids_at]
    if not others:
        raise DataError("the data have no column but the ids")
    return others[-1], ids_at


def _index(names: Sequence[str], wanted: str, field: Field) -> int:
    if wanted not in names:
        few = ", ".join(shown(name) for name in names[:8]) + (", …" if len(names) > 8 else "")
        raise DataError(f"no column of that name; there are: {few}", field)
    if list(names).count(wanted) > 1:
        raise DataError("several columns have that name", field)
    return list(names).index(wanted)


def _text_target(texts: Sequence[str], name: str, allowed: bool) -> tuple[str, ...]:
    if not allowed:
        raise _not_numeric("row 0", name, texts[0] if texts else "", True)
    return tuple(texts)


def _not_numeric(where: str, name: str, cell: str, is_target: bool) -> DataError:
    found = f"{shown(cell)!r} is not a number" if cell.strip() else "an empty cell"
    hint = "; for labels, name the one that becomes +1 with `positive`" if is_target else ""
    if not is_target and named_like_an_id(name):
        found, hint = "no number", "; if it says whose row it is, name it as `id_column`"
    return DataError(f"{where}, column {shown(name)!r}: {found}{hint}")


def _cell(cell: str) -> float:
    if "_" in cell:
        raise ValueError
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        _cell(cell)
    except ValueError:
        return False
    return True


def _real(array: np.ndarray[Any, Any], name: str) -> Floats:
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} must hold real numbers, not {shown(str(array.dtype))}")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float64)
