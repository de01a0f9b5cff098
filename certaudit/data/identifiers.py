"""Feature columns that look like ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from certaudit.data.table import Floats, Table
from certaudit.data.words import shown

FEWEST_ROWS = 10

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_IDS = {"id", "ids", "uid", "uuid", "guid", "pid", "ssn", "identifier", "identifiers"}
_OWNER = re.compile(
    "(account|case|client|customer|device|employee|household|member|patient|person|record|row|student"
    "|subject|user)_?(id|no|nr|number)s?"
)


def looks_like_ids(table: Table) -> Iterator[str]:
    """What is said of each feature column that looks like an id: by its name, or because each of at
    least FEWEST_ROWS rows has a whole number of its own."""
    for k in range(table.X.shape[1]):
        name = table.names[k] if table.names else None
        if name is not None and named_like_an_id(name):
            reason = "by its name"
        elif _a_number_each(table.X[:, k]):
            reason = "each row has a whole number of its own"
        else:
            continue
        column = f"column {k}" if name is None else f"column {shown(name)!r}"
        yield (
            f"{column} looks like an id ({reason}) and is used as a feature: "
            "if it says whose row it is, name it as id_column"
        )


def named_like_an_id(name: str) -> bool:
    """Whether a column's name says so: a word such as id or uuid, or customerid in one word."""
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _IDS) or any(_OWNER.fullmatch(word) for word in (*words, name.lower()))


def _a_number_each(column: Floats) -> bool:
    whole = bool((column == np.floor(column)).all())
    return len(column) >= FEWEST_ROWS and whole and len(np.unique(column)) == len(column)
