"""Field types of the spec: exact numbers and checked text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from certaudit.data.errors import DataError
from certaudit.data.number import NumberError, parse_number, write_number
from certaudit.data.sources import check_source
from certaudit.data.subjects import id_fault

ID_PATTERN = r"^[A-Za-z0-9._-]+$"
SHA256_PATTERN = r"^[0-9a-fA-F]{64}$"
FUNCTION_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"
PATTERNS = {
    FUNCTION_PATTERN: "must be package.module:function",
    ID_PATTERN: "must be made of letters, digits, '.', '_' and '-'",
    SHA256_PATTERN: "must be 64 hexadecimal digits",
}


def fault(message: str) -> PydanticCustomError:
    """Return a validation error that says ``message``."""
    return PydanticCustomError("spec", "{message}", {"message": message})


@dataclass(frozen=True)
class Number:
    """An exact number within bounds: a ``Fraction``, or an ``int`` if ``whole``.

    Accepts ``int``, ``Fraction`` and the text of a number, never a binary float.
    """

    at_least: int | None = None
    above: int | None = None
    at_most: int | None = None
    below: int | None = None
    whole: bool = False
    even: bool = False

    @property
    def wanted(self) -> str:
        """Say in words what is accepted."""
        kind = "a whole number" if self.whole else "a number"
        bounds = {
            "greater than": self.above,
            "at least": self.at_least,
            "less than": self.below,
            "at most": self.at_most,
        }
        words = " and ".join(f"{word} {n}" for word, n in bounds.items() if n is not None)
        kind = kind.replace("a ", "an even ", 1) if self.even else kind
        return f"must be {kind}" + (f", {words}" if words else "")

    def __call__(self, value: object) -> Fraction | int:
        """Return the number.

        Raises:
            PydanticCustomError: if ``value`` is none, or is out of bounds.
        """
        number = exact(value)
        if (
            number is None
            or (self.at_least is not None and number < self.at_least)
            or (self.above is not None and number <= self.above)
            or (self.at_most is not None and number > self.at_most)
            or (self.below is not None and number >= self.below)
            or (self.whole and number.denominator != 1)
            or (self.even and number % 2)
        ):
            raise fault(self.wanted)
        return int(number) if self.whole else number

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def write(value: Fraction | int) -> int | str:
            return write_number(Fraction(value))

        return core_schema.no_info_plain_validator_function(
            self.__call__,
            serialization=core_schema.plain_serializer_function_ser_schema(write, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: object) -> dict[str, Any]:
        names = {
            "minimum": self.at_least,
            "exclusiveMinimum": self.above,
            "maximum": self.at_most,
            "exclusiveMaximum": self.below,
            "multipleOf": 2 if self.even else None,
        }
        bounds = {name: bound for name, bound in names.items() if bound is not None}
        text = {
            "type": "string",
            "description": "a decimal or rational number as text, read exactly",
            "pattern": r"^[-+]?([0-9]+/[0-9]+|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?)$",
        }
        return {"anyOf": [{"type": "integer" if self.whole else "number", **bounds}, text]}


def exact(value: object) -> Fraction | None:
    """Return the number that ``value`` is or writes; None if there is none.

    Raises:
        PydanticCustomError: for numbers that are refused, such as infinity or binary floats.
    """
    if isinstance(value, float):
        raise fault("must be given as text or Fraction: a binary float is not exact")
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str):
        try:
            return parse_number(value)
        except NumberError as error:
            raise fault(str(error)) from None
    return None


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise fault("must be printable text in one line")
    return text


def _source(text: str) -> str:
    try:
        check_source(_printable(text))
    except DataError as error:
        raise fault(error.message) from None
    return text


def _label(value: object) -> Fraction | str:
    if isinstance(value, str):
        return _printable(value)
    number = exact(value)
    if number is None:
        raise fault("must be a label: text or a number (quote true, false and null)")
    return number


def _subject(value: object) -> str:
    """An id as text; a number must be whole, and stands for its shortest writing."""
    number = None if isinstance(value, str) else exact(value)
    text = str(number) if number is not None and number.denominator == 1 else value
    if not isinstance(text, str):
        raise fault("must be an id: text or a whole number (quote anything else: true, null, 1.5)")
    if wrong := id_fault(text):
        raise fault(f"must be an id, and {wrong}")
    return text


def _literally(version: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if exact(value) != version:
            raise fault(f"must be {version}, the only version of the format this program reads")
        return version

    return check


Real: TypeAlias = Annotated[Fraction, Number()]
NonNegative: TypeAlias = Annotated[Fraction, Number(at_least=0)]
Positive: TypeAlias = Annotated[Fraction, Number(above=0)]
Probability: TypeAlias = Annotated[Fraction, Number(at_least=0, below=1)]
Steps: TypeAlias = Annotated[int, Number(at_least=1, at_most=10**9, whole=True)]
Index: TypeAlias = Annotated[int, Number(at_least=0, at_most=10**9, whole=True)]
Version: TypeAlias = Annotated[int, PlainValidator(_literally(1)), WithJsonSchema({"const": 1})]
Line: TypeAlias = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Sentence: TypeAlias = Annotated[str, Field(max_length=2000), AfterValidator(_printable)]
Source: TypeAlias = Annotated[str, AfterValidator(_source)]
Sha256: TypeAlias = Annotated[str, Field(pattern=SHA256_PATTERN), AfterValidator(str.lower)]
Function: TypeAlias = Annotated[str, Field(pattern=FUNCTION_PATTERN, max_length=400)]
ClaimId: TypeAlias = Annotated[str, Field(pattern=ID_PATTERN, max_length=200)]
SubjectId: TypeAlias = Annotated[
    str, PlainValidator(_subject), WithJsonSchema({"type": ["string", "integer"]})
]
Label: TypeAlias = Annotated[
    Fraction | str,
    PlainValidator(_label),
    WithJsonSchema({"type": ["string", "number"]}),
]
