"""Every way a forger alters one field of a derivation, one at a time."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

DATA = (("run", "X"), ("run", "y"))
LONG = 12
"""Lists of more leaves than this are sampled with the stride given, others altered leaf by leaf."""

OTHER = {"P": "Q", "Q": "P", "P|Q": "Q|P", "Q|P": "P|Q", "proved": "refuted", "refuted": "proved",
         "exact": "upper", "upper": "exact", "lower": "exact", "final": "every-step",
         "every-step": "final", "fixed": "sum", "unlearn-retrained": "retrained", "checked": "assumed",
         "ridge": "huber", "logistic": "softmax", "all": "none", "any": "P",
         "S1": "S2", "S2": "S1", "I1": "I2", "C5": "C6", "C6": "C5", "E3": "R1", "R1": "E3"}  # fmt: skip


class Mutant(NamedTuple):
    """What was altered, and the whole altered file without a new seal."""

    path: tuple[Any, ...]
    how: str
    before: Any
    after: Any
    content: dict[str, Any]


def mutants(content: dict[str, Any], stride: int) -> Iterator[Mutant]:
    """One altered file for each field, and one for each list shortened, lengthened or reordered."""
    for path, value in _sites(content, (), stride):
        for how, after in _alterations(value):
            if after == value:
                continue
            yield Mutant(path, how, value, after, _with(content, path, after))


def _sites(node: Any, path: tuple[Any, ...], stride: int) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path == ("sha256",):
        return
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _sites(value, (*path, key), stride)
        return
    yield path, node
    if isinstance(node, list):
        sampled = len(node) > LONG and path[-1] not in ("steps", "claims")
        step = max(1, min(stride, len(node) - 1)) if sampled or path[:2] in DATA else 1
        for k in range(0, len(node), step):
            yield from _sites(node[k], (*path, k), stride)


def _alterations(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        if value:
            yield "dropped", value[1:]
            yield "repeated", [*value, value[-1]]
        if len(value) > 1 and value[0] != value[1]:
            yield "swapped", [value[1], value[0], *value[2:]]
    elif value is None:
        yield "set", 1
        yield "set", "0.5"
    elif isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int):
        yield "raised", value + 1
        yield "lowered", value - 1
    elif isinstance(value, float):
        yield "raised", value * 1.3 + 0.01
    elif re.match(r"\[?-?[+\d]", value) and not re.fullmatch("[0-9a-f]{64}", value):
        yield from _numbers(value)
    else:
        yield "renamed", OTHER.get(value, value + "x")
        if value in OTHER:
            yield "renamed", value + "x"


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    """The first and the fifth significant digit raised or lowered; the sign; the ratio's lower part."""
    digits = [m.start() for m in re.finditer(r"\d", text.split(" ")[0].split("e")[0])]
    first = next((k for k, at in enumerate(digits) if text[at] != "0"), None)
    if first is None:
        yield "raised", text.replace("0", "1", 1)
        return
    for at in digits[first : first + 5 : 4]:
        digit = int(text[at])
        after = digit + 1 if digit < 9 else digit - 1
        yield ("raised" if after > digit else "lowered"), f"{text[:at]}{after}{text[at + 1 :]}"
        if digit > 1:
            yield "lowered", f"{text[:at]}{digit - 1}{text[at + 1 :]}"
    yield "negated", text.replace("[", "[-", 1) if text[0] == "[" else f"-{text}"


def _with(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = _with(node[path[0]], path[1:], value)
    return copy
