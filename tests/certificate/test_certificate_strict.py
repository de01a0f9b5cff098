"""Nothing of the wrong kind, missing, unknown or repeated is read; nothing untrue is replayed."""

import copy
import json

import pytest
from certificate_samples import CLAIMS, read, resealed, sample

from certaudit.certificate.read import loads
from certaudit.certificate.replay import Rejected, replay
from certaudit.certificate.strict import Malformed

WRONG = {
    str: [1, None, [], {}, 1.5, True],
    int: ["1", 1.5, True, None, -1, 10**19, [], {}],
    bool: [1, "true", None, []],
    list: [{}, "x", None, 3],
    dict: [[], "x", None, 3],
    type(None): [True, 1.5, {"strange": 1}],
}


def _walk(value, place=()):
    yield place, value
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, one in entries:
        yield from _walk(one, (*place, key))


def _text(place):
    parts = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return parts.removeprefix(".")


def _at(content, place):
    for key in place:
        content = content[key]
    return content


def _few(places):
    """Of many places alike (but for numbers), the first two."""
    seen = {}
    for place, value in places:
        shape = tuple("#" if isinstance(key, int) else key for key in place)
        seen[shape] = seen.get(shape, 0) + 1
        if seen[shape] <= 2:
            yield place, value


PLACES = [(place, value) for place, value in _few(_walk(sample()[1])) if place and place != ("sha256",)]


@pytest.mark.parametrize(("place", "value"), PLACES, ids=[_text(place) for place, _ in PLACES])
def test_a_value_of_another_kind_is_refused_at_its_place(place, value):
    kinds = [kind for kind in WRONG if isinstance(value, kind)]
    for wrong in WRONG[bool if isinstance(value, bool) else kinds[0]]:
        _, content = sample()
        if value is not None and wrong is None and _optional(place):
            continue
        _at(content, place[:-1])[place[-1]] = wrong
        with pytest.raises(Malformed) as caught:
            read(content)
        assert caught.value.place.startswith(_text(place)), (wrong, caught.value)


def _optional(place):
    return place[-1] in (
        "after",
        "theorem",
        "members",
        "projection",
        "clip",
        "threshold",
        "network",
        "last",
    )


OBJECTS = [(place, value) for place, value in _few(_walk(sample()[1])) if isinstance(value, dict)]


@pytest.mark.parametrize(("place", "value"), OBJECTS, ids=[_text(place) for place, _ in OBJECTS])
def test_missing_unknown_and_repeated_keys_are_refused_at_their_place(place, value):
    for key in value:
        if (place, key) in ((("data",), "X"), (("data",), "y")):
            continue
        _, content = sample()
        del _at(content, place)[key]
        with pytest.raises(Malformed) as caught:
            loads(json.dumps(content).encode())
        assert caught.value.place.startswith(_text(place))
        assert key in caught.value.place
    _, content = sample()
    _at(content, place)["strange"] = 1
    with pytest.raises(Malformed) as caught:
        read(content) if place else loads(json.dumps(content).encode())
    assert caught.value.place == _text((*place, "strange"))
    _, content = sample()
    one = _at(content, place)
    mark = json.dumps(one)
    text = json.dumps(content)
    key = next(iter(value))
    twice = f"{mark[:-1]}, {json.dumps(key)}: {json.dumps(one[key])}}}"
    with pytest.raises(Malformed, match="repeated"):
        loads(text.replace(mark, twice, 1).encode())


def test_half_the_data_are_refused():
    for key in ("X", "y"):
        _, content = sample()
        del content["data"][key]
        with pytest.raises(Malformed) as caught:
            read(content)
        assert caught.value.place == f"data.{key}"


def _edited(edit):
    _, content = sample()
    edit(content)
    return resealed(content)


def _proof(content, requests=2):
    return next(proof for proof in content["proofs"] if proof["requests"] == requests)


def _claim(content, name):
    return next(
        one for proof in content["proofs"] for one in proof["claims"] if one["claim"]["id"] == name
    )


def _set(path, value):
    def edit(content):
        _at(content, path[:-1])[path[-1]] = value

    return edit


def _in_claim(name, *path, value):
    return lambda content: _set(path, value)(_claim(content, name))


def _swap_lines(content):
    one, other = _claim(content, "proved"), _claim(content, "gaussian")
    one["lines"], other["lines"] = other["lines"], one["lines"]


def _swap_claims(content):
    one, other = _claim(content, "proved"), _claim(content, "refuted")
    one["claim"], other["claim"] = other["claim"], one["claim"]


def _first_line(content, rule):
    return next(line for proof in content["proofs"] for line in proof["lines"] if line["rule"] == rule)


def _move_to_early(content):
    """The claim on the last model among those after the first request, with the lines there."""
    proof, early = _proof(content), _proof(content, 1)
    claim = _claim(content, "proved")
    proof["claims"].remove(claim)
    claim["lines"] = _claim(content, "early")["lines"]
    early["claims"].append(claim)


def _all_rows_twice(content):
    content["run"]["learn"]["batches"] = [[0, 1, 1]]


FALSE = {
    "epsilon lowered": _in_claim("proved", "claim", "epsilon", value="1/1000"),
    "delta lowered": _in_claim("proved", "claim", "delta", value="1p-900"),
    "delta negative": _in_claim("proved", "claim", "delta", value="-1"),
    "refuted made proved": _in_claim("refuted", "verdict", value="proved"),
    "proved made refuted": _in_claim("proved", "verdict", value="refuted"),
    "no directions": _in_claim("proved", "claim", "directions", value=[]),
    "a direction twice": _in_claim("renyi", "claim", "directions", value=["P|Q", "P|Q"]),
    "another direction": _in_claim("renyi", "claim", "directions", value=["Q|P"]),
    "another order": _in_claim("renyi", "claim", "order", value="100000"),
    "order 1": _in_claim("renyi", "claim", "order", value="1"),
    "another kind": _in_claim("proved", "claim", "kind", value="gaussian"),
    "a kind of no claim": _in_claim("proved", "claim", "kind", value="claim"),
    "step 0": _in_claim("sensitivity", "claim", "step", value=0),
    "after another request": _in_claim("early", "claim", "after", value=2),
    "after the last, among the first": _in_claim("early", "claim", "after", value=None),
    "moved to the earlier run": _move_to_early,
    "no lines": _in_claim("proved", "lines", value=[]),
    "a line twice": lambda c: _claim(c, "proved")["lines"].append(_claim(c, "proved")["lines"][0]),
    "one line fewer": lambda c: _claim(c, "proved")["lines"].pop(),
    "one line more": lambda c: _claim(c, "refuted")["lines"].append(0),
    "lines turned round": lambda c: _claim(c, "proved")["lines"].reverse(),
    "a line beyond": _in_claim("proved", "lines", value=[10**6]),
    "lines of another claim": _swap_lines,
    "claims exchanged": _swap_claims,
    "a claim named twice": _in_claim("gaussian", "claim", "id", value="proved"),
    "no claim": lambda c: _proof(c).update(claims=[]),
    "no proof": _set(("proofs",), []),
    "one proof twice": lambda c: c["proofs"].append(copy.deepcopy(c["proofs"][0])),
    "requests 0": _set(("proofs", 0, "requests"), 0),
    "requests beyond": _set(("proofs", 1, "requests"), 3),
    "no such rule": _set(("proofs", 0, "lines", 0, "rule"), "C4"),
    "a rule's name in another case": lambda c: _first_line(c, "E1").update(rule="e1"),
    "uses itself": _set(("proofs", 0, "lines", 0, "uses"), [0]),
    "uses too little": lambda c: _first_line(c, "C7b").update(uses=[]),
    "first line gone": lambda c: c["proofs"][0]["lines"].pop(0),
    "a negative step size": _set(("run", "learn", "step_size"), "-1"),
    "a negative variance": _set(("run", "learn", "noise_variance"), "-1/2"),
    "less noise": _set(("run", "learn", "noise_variance"), "1/1000000000000"),
    "another step size": _set(("run", "learn", "step_size"), "1/3"),
    "a row twice in a batch": _all_rows_twice,
    "an empty batch": _set(("run", "learn", "batches"), [[]]),
    "a row that is not there": _set(("run", "requests", 0, "rows"), [6]),
    "a row removed twice": _set(("run", "requests", 1, "rows"), [2]),
    "all rows removed": _set(("run", "requests", 1, "rows"), [0, 1, 3, 4, 5]),
    "no row removed": _set(("run", "requests", 0, "rows"), []),
    "no request": _set(("run", "requests"), []),
    "a short start": _set(("run", "start", "mean"), ["0"]),
    "classes of a ridge run": _set(("run", "classes"), 2),
    "a threshold of a ridge run": _set(("run", "threshold"), "1"),
    "a network of a ridge run": _set(
        ("run", "network"),
        {"kind": "mlp", "widths": [2], "activation": "tanh", "image": None, "kernel": 0},
    ),
    "another loss": _set(("run", "loss"), "logistic"),
    "a loss of no name": _set(("run", "loss"), "hinge"),
    "a projection of radius 0": _set(("run", "projection"), "0"),
    "rows miscounted": _set(("data", "rows"), 5),
    "columns miscounted": _set(("data", "columns"), 3),
    "another target": _set(("data", "y", 0), "1"),
    "a ragged row": lambda c: c["data"]["X"][3].append("0"),
    "a target too few": lambda c: c["data"]["y"].pop(),
    "digest in capitals": lambda c: c["data"].update(sha256=c["data"]["sha256"].upper()),
    "digest too short": lambda c: c["data"].update(sha256=c["data"]["sha256"][:-1]),
}


@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_is_refused(name):
    with pytest.raises((Malformed, Rejected)):
        replay(loads(_edited(FALSE[name])))


@pytest.mark.parametrize("digits", ["\u0661", "\uff11", "1e1", "+1", "1.0", " 1"])
def test_numbers_are_ascii_and_exact(digits):
    with pytest.raises(Malformed) as caught:
        loads(_edited(_set(("run", "l2"), digits)))
    assert caught.value.place == "run.l2"
    assert caught.value.args[0].isascii()


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity", "1.5", "1e3", "9" * 19, "9" * 5000])
def test_what_is_no_count_is_refused(raw):
    text = resealed(sample()[1]).decode().replace('"steps": 6', f'"steps": {raw}', 1)
    with pytest.raises(Malformed) as caught:
        loads(text.encode())
    assert caught.value.place == "run.learn.steps"


def test_names_are_escaped_in_messages():
    content = sample()[1]
    _claim(content, "proved")["claim"].update(id="x\n\x1b[2Jaccepted", epsilon="1/1000")
    with pytest.raises(Rejected) as caught:
        replay(read(content))
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_witness_of_the_wrong_shape_refuses_and_nothing_else():
    checked = 0
    for k, proof in enumerate(sample()[1]["proofs"]):
        for j, line in enumerate(proof["lines"]):
            for key, value in line["witness"].items():
                if not isinstance(value, list) or not value:
                    continue
                for altered in ([], value[:-1], [*value, value[-1]]):
                    content = sample()[1]
                    content["proofs"][k]["lines"][j]["witness"][key] = altered
                    place, found = _replayed(content)
                    assert place.startswith("proofs") if place else found == set(CLAIMS)
                    checked += 1
    assert checked > 20


def _replayed(content):
    """(place of the refusal, None) or ("", the claims)"""
    try:
        return "", {one.claim for one in replay(read(content))}
    except (Malformed, Rejected) as refused:
        return refused.place, None
