"""Every field of a file altered, one at a time."""

import copy
import re
from fractions import Fraction

from forge_judges import altered

from certaudit.claims import KINDS
from certaudit.core.rules import RULES

NUMBER = re.compile(r"(-?[0-9]+)(?:/([0-9]+)|p(-?[0-9]+))?")
DIGEST = re.compile(r"[0-9a-f]{64}")
WORDS = (
    ("ridge", "logistic", "huber", "softmax", "network"),
    ("fixed", "current", "sum"),
    ("unlearn-retrained", "retrained"),
    ("final", "before-and-after", "every-step"),
    ("P|Q", "Q|P"),
    ("P", "Q", "any"),
    ("proved", "refuted"),
    tuple(KINDS),
    tuple(RULES),
)
OPTIONAL = {
    "projection": ("1", "1/100", "1000"),
    "clip": ({"norm": "1/100", "regularizer": False}, {"norm": "1/100", "regularizer": True}),
    "unlearn_variance": ("1/1000", "1", "0"),
    "output_variance": ("1/1000", "1", "0"),
    "threshold": ("1/4",),
    "network": ({"kind": "mlp", "widths": [1], "activation": "tanh", "image": None, "kernel": 0},),
    "members": ([], [0], [0, 1], [0, 1, 2, 3]),
    "last": (1, 2, 4, 5),
    "after": (1, 2),
    "theorem": ("benarroch-2026",),
}


def value_of(text):
    """The number a text spells, or None."""
    found = NUMBER.fullmatch(text)
    if found is None or DIGEST.fullmatch(text):
        return None
    whole, below, power = found.groups()
    return Fraction(int(whole), int(below or 1)) * Fraction(2) ** int(power or 0)


def spelled(x):
    """The shortest spelling."""
    places = x.denominator.bit_length() - 1
    if x.denominator == 1:
        return str(x.numerator)
    if x.denominator == 1 << places:
        return f"{x.numerator}p-{places}"
    return f"{x.numerator}/{x.denominator}"


def paths(value, path=()):
    """(path, value) of every node."""
    yield path, value
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*path, key))
    if isinstance(value, list):
        for k, one in enumerate(value):
            yield from paths(one, (*path, k))


def mutants(content):
    """(what was altered, altered content), sizes and order fixed."""
    for path, value in paths(content):
        if not path or path[0] in ("format", "sha256", "spec") or path[-1] == "sha256":
            continue
        name = "/".join(map(str, path))
        for word, other in others(path, value, content):
            yield f"{name} {word}", altered(content, path, other)
    yield from _exchanged(content)


def others(path, value, content):
    """What may stand in a value's place."""
    key = path[-1]
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int):
        yield from _counts(path, value, content)
    elif isinstance(value, str):
        yield from _texts(value)
    elif isinstance(value, list):
        yield from _lists(value)
    elif isinstance(value, dict):
        yield from (("null", None), ("emptied", {}))
    if key in OPTIONAL:
        for one in (None, *OPTIONAL[key]):
            if one != value:
                yield f"set to {one}", one


def _counts(path, value, content):
    wanted = {value - 1, value + 1, 0, 2 * value, 10**9, -1}
    if path[-2] in ("uses", "lines"):
        wanted |= set(range(len(content["proofs"][path[1]]["lines"])))
    yield from ((f"{value} to {one}", one) for one in sorted(wanted - {value}))


def _texts(value):
    x = value_of(value)
    if x is None:
        for words in WORDS:
            if value in words:
                yield from ((f"to {one}", one) for one in words if one != value)
        return
    nudge = Fraction(1, 10**5)
    found = {
        x * (1 + nudge),
        x * (1 - nudge),
        2 * x,
        x / 2,
        -x,
        Fraction(0),
        Fraction(1),
        Fraction(2) ** 200,
        Fraction(1, 2**200),
    }
    yield from ((f"to {float(one):.6g}", spelled(one)) for one in sorted(found - {x}))


def _lists(value):
    if value:
        yield "emptied", []
        yield "reversed", value[::-1]
    for k in range(min(len(value), 6)):
        yield f"without {k}", value[:k] + value[k + 1 :]
        yield f"with {k} twice", value[: k + 1] + value[k:]
        if k:
            yield (
                f"{k - 1} and {k} exchanged",
                [*value[: k - 1], value[k], value[k - 1], *value[k + 1 :]],
            )


def _exchanged(content):
    """Claims that exchange their lines, lines their witnesses or uses, where of one kind."""
    for p, proof in enumerate(content["proofs"]):
        for part, key in (
            ("claims", "lines"),
            ("claims", "claim"),
            ("lines", "witness"),
            ("lines", "uses"),
        ):
            for i in range(len(proof[part])):
                for j in range(i):
                    yield f"{p} {part} {key} {i} {j} exchanged", _swap(content, (p, part), key, i, j)


def _swap(content, place, key, i, j):
    found = copy.deepcopy(content)
    entries = found["proofs"][place[0]][place[1]]
    entries[i][key], entries[j][key] = entries[j][key], entries[i][key]
    return found
