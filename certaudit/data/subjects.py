"""Whose rows they are: ids of subjects, compared exactly as they are written.

A column of whole numbers holds numbers: 17 and 17.0 are one id there.  A csv table, which has no types,
has such a column where every cell is a whole number without leading zeros.  In any other column ids are
text, and equal only if every character is: 17 is not 017.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from certaudit.data.errors import DataError
from certaudit.data.words import shown

MAX_ID = 200
MAX_IDS_BYTES = 64 << 20

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0+)?")


@dataclass(frozen=True, eq=False)
class Ids:
    """The id of each of n rows, in the form in which ids are compared; ``numbers``: they are numbers."""

    of_rows: tuple[str, ...]
    numbers: bool

    @cached_property
    def rows(self) -> dict[str, tuple[int, ...]]:
        """All rows of each subject, in order."""
        found: dict[str, list[int]] = {}
        for row, one in enumerate(self.of_rows):
            found.setdefault(one, []).append(row)
        return {one: tuple(rows) for one, rows in found.items()}

    def key(self, written: str) -> str:
        """The form in which an id is compared here.

        Raises:
            ValueError: with what is wrong, if no id of this column can be written so.
        """
        if fault := id_fault(written):
            raise ValueError(fault)
        if not self.numbers:
            return written
        number = whole(written)
        if number is None:
            raise ValueError(
                "is no id of this column, whose ids are whole numbers such as 17: "
                "no sign +, leading zeros or exponent"
            )
        return number

    def alike(self, wanted: Sequence[str]) -> tuple[int, ...]:
        """Rows of other subjects whose id differs from one of these in its writing only: in case, white
        space, leading zeros, a decimal part of zeros, or the form of its characters (Unicode NFKC)."""
        if self.numbers:
            return ()
        known, folded = set(wanted), {_folded(one) for one in wanted}
        return tuple(
            sorted(
                row
                for one, rows in self.rows.items()
                if one not in known and _folded(one) in folded
                for row in rows
            )
        )


def ids(written: Sequence[str]) -> Ids:
    """The ids of a column without a type, each already free of faults."""
    numbers = [whole(one) for one in written]
    if all(number is not None for number in numbers):
        return Ids(tuple(number for number in numbers if number is not None), numbers=True)
    return Ids(tuple(written), numbers=False)


def whole(text: str) -> str | None:
    """The whole number that a text writes, in its shortest writing; None if it writes none."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        return None
    return "0" if match[1] == "-0" else match[1]


def id_fault(text: str) -> str | None:
    """What keeps a text from being an id."""
    if not text.strip():
        return "is empty"
    if text != text.strip():
        return "has white space at an end"
    if not text.isprintable():
        return "holds a character that cannot be seen"
    return f"is longer than {MAX_ID} characters" if len(text) > MAX_ID else None


def checked(text: str, where: str) -> str:
    """The id of a row; ``where`` is the row's place.

    Raises:
        DataError: that says what is wrong with it, and never the id itself.
    """
    if fault := id_fault(text):
        raise DataError(f"{where}: the id {fault}", "id_column")
    return text


def listed(blob: bytes, column: str | None) -> Iterator[tuple[str, int]]:
    """The ids in a file, each with its line: one a line, or those in the ``column`` of a csv table.

    Raises:
        DataError: if the file is no such list.
    """
    try:
        text = blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8 text: byte {error.start}") from None
    return _lines(text) if column is None else _cells(text, column)


def _lines(text: str) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(text.split("\n"), 1):
        if one := line.removesuffix("\r"):
            yield one, number


def _cells(text: str, column: str) -> Iterator[tuple[str, int]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next((row for row in reader if row), [])
        if names.count(column) != 1:
            many = "several columns" if column in names else "no column"
            raise DataError(f"its header has {many} {shown(column)!r}")
        place = names.index(column)
        for cells in reader:
            if cells and len(cells) != len(names):
                line = reader.line_num
                raise DataError(f"line {line} has {len(cells)} cells, the header has {len(names)}")
            if cells:
                yield cells[place], reader.line_num
    except csv.Error as error:
        raise DataError(f"line {reader.line_num}: {shown(str(error), 80)}") from None


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = re.sub(r"\s+", "", plain)
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"\.0+$", "", plain))
