"""What is wrong with the data, before it has a place in a spec."""

from __future__ import annotations

from typing import Literal

Field = Literal["source", "sha256", "target", "target_column", "positive", "id_column"]


class DataError(Exception):
    """The data cannot be used; ``field`` is the key under ``data:`` that is to blame."""

    def __init__(self, message: str, field: Field = "source") -> None:
        self.message = message
        self.field: Field = field
        super().__init__(message)
