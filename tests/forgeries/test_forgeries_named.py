"""The forgeries that the first checkers accepted, and runs made to mislead."""

import re
from fractions import Fraction
from time import process_time

import forge_runs
import numpy as np
import pytest
from forge_files import BITS, SPEC, Maker, certificate
from forge_judges import altered, judge, resealed
from forge_mutants import spelled, value_of
from forge_runs import make, phase, rows
from forge_truth import Open, holds

from certaudit.certificate.write import document
from certaudit.core.balls import precision
from certaudit.run import Clip, Reference, Request, Start

NAMES = ("line_exact", "plane_exact", "plane_bounds", "logistic_bounds", "softmax_drift")


def refused(content):
    found = judge(resealed(content))
    return not found.core and not found.check


def claims_of(content):
    return [
        (p, k, one) for p, proof in enumerate(content["proofs"]) for k, one in enumerate(proof["claims"])
    ]


def stronger(claim, verdict):
    """The same claim with its last number beyond what the lines show."""
    name = {"epsilon-delta": "delta", "renyi": "renyi", "gaussian": "mu", "sensitivity": "sensitivity"}
    key = name[claim["kind"]]
    factor = Fraction(99, 100) if verdict == "proved" else Fraction(101, 100)
    return {**claim, key: spelled(value_of(claim[key]) * factor)}


@pytest.mark.parametrize("name", NAMES)
def test_forgery_two_claims_on_one_proof(name):
    content = certificate(name)
    for p, k, entry in claims_of(content):
        if entry["claim"]["id"] == "no slack":
            continue
        claims = content["proofs"][p]["claims"]
        false = {**entry, "claim": {**stronger(entry["claim"], entry["verdict"]), "id": "false"}}
        for found in ([*claims, false], [false, *claims], [false]):
            assert refused(altered(content, ("proofs", p, "claims"), found)), (k, entry)
        twice = [*claims, {**false, "claim": {**false["claim"], "id": entry["claim"]["id"]}}]
        assert refused(altered(content, ("proofs", p, "claims"), twice))


@pytest.mark.parametrize("name", NAMES)
def test_forgery_verdicts_flipped(name):
    content = certificate(name)
    for p, k, entry in claims_of(content):
        other = "refuted" if entry["verdict"] == "proved" else "proved"
        assert refused(altered(content, ("proofs", p, "claims", k, "verdict"), other)), entry


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [[], ["P|Q", "P|Q"], ["Q|P", "Q|P"], ["P"], "P|Q", None])
def test_forgery_directions(name, value):
    content = certificate(name)
    for p, k, entry in claims_of(content):
        if "directions" in entry["claim"]:
            assert refused(altered(content, ("proofs", p, "claims", k, "claim", "directions"), value))


@pytest.mark.parametrize("step", [0, -1, 6, 10**9, 10**15, 10**17])
def test_forgery_steps_that_do_not_exist(step):
    content = certificate("logistic_bounds")
    for p, k, entry in claims_of(content):
        if entry["claim"]["kind"] == "sensitivity":
            assert refused(altered(content, ("proofs", p, "claims", k, "claim", "step"), step))


@pytest.mark.parametrize("after", [0, 2, -1, 10**9])
def test_forgery_stages(after):
    for name in NAMES:
        content = certificate(name)
        for p, k, _ in claims_of(content):
            assert refused(altered(content, ("proofs", p, "claims", k, "claim", "after"), after))


@pytest.mark.parametrize("name", ["logistic_bounds", "softmax_drift"])
@pytest.mark.parametrize("label", ["8", "-8", "0", "1/2", "1p-60", "3", "-1", "1p70", "2"])
def test_forgery_labels(name, label):
    content = certificate(name)
    lawful = {"logistic_bounds": ("-1", "1"), "softmax_drift": ("0", "1", "2")}[name]
    for row in range(4):
        found = judge(resealed(altered(content, ("data", "y", row), label)))
        if label not in lawful:
            assert not found.accepted


def _tight(run, levels=(Fraction(0), Fraction(1, 2))):
    """The exact tier's claims about a run, and the truth of each."""
    maker = Maker(run)
    with precision(BITS):
        pairs = maker.evidence.exact
        for k, level in enumerate(levels):
            maker.sticks(f"stick {k}", [pairs[d].hockey_stick(level, 6) for d in pairs])
        return document(run, maker.decided, SPEC, include_data=True)


def test_forgery_equal_diagonals():
    """Covariances that differ off the diagonal alone: delta is not 0."""
    X = np.array([[1.0, 1.0], [1.0, -1.0], [0.5, 0.5], [0.5, -0.5]])
    run = make(X, np.zeros(4), rows_gone=(2,), unlearn=phase(1))
    content = _tight(run)
    assert judge(resealed(content)).agreed
    for p, k, entry in claims_of(content):
        assert value_of(entry["claim"]["delta"]) > 0
        zero = altered(content, ("proofs", p, "claims", k, "claim", "delta"), "0")
        assert refused(zero)


@pytest.mark.statistics
def test_forgery_many_dimensions():
    """A true claim is not refuted, nor a false one proved, at d = 80."""
    rng = np.random.default_rng(3)
    X = np.round(rng.normal(size=(90, 80)) * 16) / 64
    run = make(X, np.round(rng.normal(size=90) * 16) / 64, rows_gone=(3,))
    content = _tight(run, (Fraction(1, 2),))
    found = judge(resealed(content))
    assert found.core
    assert found.check
    _no_stronger_claim(content)


def _no_stronger_claim(content):
    for p, k, entry in claims_of(content):
        path = ("proofs", p, "claims", k, "claim")
        assert refused(altered(content, path, stronger(entry["claim"], entry["verdict"])))


@pytest.mark.parametrize("scale", [1e-100, 1e-200, 1e-300])
def test_forgery_tiny_rows(scale):
    """Rows that underflow move the model all the same."""
    X, y = rows()
    X[3] *= scale
    run = make(
        X, y, "huber", threshold=Fraction(1), unlearn=phase(2, NOISE_TINY), learn=phase(3, NOISE_TINY)
    )
    maker = Maker(run)
    with precision(BITS):
        line = maker.evidence.sensitivities["S2"]
        assert line is not None
        maker.shifts("shift", [line])
        bound = maker.evidence._gaussian(line)
        maker.gaussians("mu", [bound])
        content = document(run, maker.decided, SPEC, include_data=True)
    found = judge(resealed(content))
    assert found.core
    assert found.check
    for p, k, entry in claims_of(content):
        key = {"sensitivity": "sensitivity", "gaussian": "mu"}.get(entry["claim"]["kind"])
        if key:
            assert refused(altered(content, ("proofs", p, "claims", k, "claim", key), "0"))


NOISE_TINY = Fraction(1, 10**100)


@pytest.mark.parametrize("scale", [1e-100, 1e-160])
def test_forgery_tiny_data(scale):
    """Residual variances of 1e-200 are not 0."""
    X, y = rows()
    run = make(X * scale, y * scale, start=Start((Fraction(0),) * 2, Fraction(1, 16)))
    maker = Maker(run)
    with precision(BITS):
        bound = maker.evidence.high_probability(Fraction(1, 10**4))
        maker.gaussians("mu", bound.lines)
        content = document(run, maker.decided, SPEC, include_data=True)
    found = judge(resealed(content))
    assert found.core
    assert found.check
    for p, k, _entry in claims_of(content):
        assert refused(altered(content, ("proofs", p, "claims", k, "claim", "delta"), "0"))


@pytest.mark.parametrize("order", ["1/2", "1", "1p100", "0", "-2"])
def test_forgery_cancelling_conversion(order):
    """C3 with tangents that cancel never comes to delta = 0."""
    content = certificate("plane_bounds")
    p, k, entry = next(one for one in claims_of(content) if one[2]["claim"]["id"] == "composed stick")
    for at in entry["lines"]:
        for inside, outside in TANGENTS:
            path = ("proofs", p, "lines", at, "witness")
            witness = {"epsilon": "1", "log_inside": inside, "log_outside": outside}
            forged = altered(content, path, witness)
            assert refused(altered(forged, ("proofs", p, "claims", k, "claim", "delta"), "0"))
            assert refused(altered(forged, ("proofs", p, "claims", k, "claim", "delta"), "1p-900"))


TANGENTS = (
    ("1p-300", "0"),
    ("1p-9000", "-1p-9000"),
    ("0", "0"),
    ("0", "1"),
    ("1000000", "-1000000"),
    ("1p90000", "-1p90000"),
    ("1p-90000", "0"),
    ("-1p60", "-2p60"),
    ("2p60", "1p60"),
)


def test_forgery_assumptions():
    """A spec's assumptions belong to its run."""
    from certaudit.checking import _differences

    run = forge_runs.logistic(assumptions=("the rows are public",))
    maker = Maker(run)
    with precision(BITS):
        maker.shifts("shift", [maker.evidence.sensitivities["S2"]])
        content = document(run, maker.decided, SPEC, include_data=True)
    told = next(entry["claim"] for _, _, entry in claims_of(content))
    stated = type(
        "Stated", (), {"spec": content["spec"], "run": content["run"], "claims": {"shift": told}}
    )
    assert not list(_differences(content, stated))
    for fewer in ([], ["the rows are public "], ["the rows are public", "x"]):
        assert list(_differences(altered(content, ("run", "assumptions"), fewer), stated))
    assert list(_differences(altered(content, ("spec", "sha256"), "1" * 64), stated))
    other = altered(content, ("proofs", 0, "claims", 0, "claim", "sensitivity"), "1000")
    assert list(_differences(other, stated))


LOOPS = [
    ("run", "learn", "steps"),
    ("run", "requests", 0, "unlearn", "steps"),
    ("run", "reference", "steps"),
]


@pytest.mark.parametrize("steps", [10**9, 10**15])
@pytest.mark.parametrize("path", LOOPS, ids=str)
@pytest.mark.parametrize("name", ["line_exact", "plane_bounds", "logistic_bounds", "cyclic_bounds"])
def test_forgery_long_loops(name, path, steps):
    """Answered at once, whatever the answer is.  See also test_forgeries_burdens."""
    start = process_time()
    judge(resealed(altered(certificate(name), path, steps)))
    assert process_time() - start < 10


def odd_runs():
    """Ridge runs with something odd about each."""
    point = Start((Fraction(0),) * 2, Fraction(0))
    wide = Start((Fraction(1), Fraction(-1)), Fraction(1, 2**40))
    batches = ((0, 1), (3,), (2, 3))
    cyclic = {"learn": phase(7, batches=batches), "unlearn": phase(4, batches=batches)}
    for normalizer in ("fixed", "current", "sum"):
        yield f"emptied batches {normalizer}", {**cyclic, "normalizer": normalizer}
        yield f"all but one row {normalizer}", {"rows_gone": (0, 1, 3), "normalizer": normalizer}
        yield f"no regularizer {normalizer}", {"l2": Fraction(0), "normalizer": normalizer}
        yield f"steps that expand {normalizer}", {"l2": Fraction(5), "normalizer": normalizer}
    yield "retrained, fewer steps", {"reference": Reference("retrained", 2)}
    yield (
        "retrained, more steps",
        {"reference": Reference("retrained", 9), "output_variance": Fraction(1, 9)},
    )
    yield "retrained, cycles out of step", {**cyclic, "reference": Reference("retrained", 11)}
    yield "other noise", {"reference": Reference("unlearn-retrained", 3, Fraction(1, 40), Fraction(0))}
    yield "other output noise", {"reference": Reference("unlearn-retrained", 3, None, Fraction(1, 40))}
    yield "a point", {"start": point}
    yield "a tiny start", {"start": wide}
    yield "one step learnt", {"learn": phase(1), "start": wide, "output_variance": Fraction(1, 40)}
    yield "nothing unlearnt", {"unlearn": phase(0)}
    yield (
        "noise at the end alone",
        {
            "learn": phase(3, Fraction(0)),
            "unlearn": phase(2, Fraction(0)),
            "output_variance": Fraction(1, 30),
        },
    )
    two = (Request((3,), phase(2)), Request((1, 0), phase(1, eta=Fraction(1, 4))))
    yield "two requests", {"requests": two}
    yield (
        "two requests, cyclic",
        {
            "requests": tuple(Request(one.rows, cyclic["unlearn"]) for one in two),
            "learn": cyclic["learn"],
        },
    )
    yield (
        "every step, output noise",
        {"release": "every-step", "output_variance": Fraction(1, 40), "start": wide},
    )
    yield "every step", {"release": "every-step", "start": point}


ODD = dict(odd_runs())
TIGHT = re.compile("does not (prove|refute) the claim|delta is no probability")


def _known_claims(run):
    """What the prover shows of a run, as tight as it can."""
    maker = Maker(run)
    with precision(BITS):
        final = run.release == "final"
        for name, bound in (("high", maker.evidence.high_probability(Fraction(1, 100))),):
            if bound is not None:
                maker.gaussians(name, bound.lines)
        composed = maker.evidence.adaptive(Fraction(3, 2))
        if composed and all(one.statement.r.is_finite() for one in composed):
            from forge_files import _composed

            _composed(maker)
        pairs = maker.evidence.exact
        for k, level in enumerate((Fraction(0), Fraction(1, 3))):
            sticks = [pairs[d].hockey_stick(level, 3) for d in pairs]
            if final:
                maker.sticks(f"exact {k}", sticks)
            most = max(sticks, key=lambda one: float(one.statement.delta.lower()))
            if most.statement.delta.lower() > 1e-12:
                maker.sticks(f"broken {k}", [most], "refuted")
        return document(run, maker.decided, SPEC, include_data=True)


@pytest.mark.parametrize("name", ODD)
def test_odd_runs_are_judged_truly(name):
    fields = dict(ODD[name])
    content = _known_claims(make(*rows(), **fields))
    found = judge(resealed(content))
    assert found.core, found.core_reason
    assert found.check or TIGHT.search(found.check_reason), found.check_reason
    for p, _, entry in claims_of(content):
        try:
            true = holds(content, content["proofs"][p]["requests"], entry["claim"])
        except (Open, OverflowError):
            continue
        assert true == (entry["verdict"] == "proved"), entry


NONSENSE = {
    "noise below 0": (("run", "learn", "noise_variance"), "-1"),
    "step size below 0": (("run", "learn", "step_size"), "-1/2"),
    "l2 below 0": (("run", "l2"), "-1"),
    "start variance below 0": (("run", "start", "variance"), "-1p-50"),
    "output variance below 0": (("run", "output_variance"), "-1"),
    "projection 0": (("run", "projection"), "0"),
    "projection below 0": (("run", "projection"), "-1"),
    "clip 0": (("run", "clip"), {"norm": "0", "regularizer": False}),
    "clip below 0": (("run", "clip"), {"norm": "-1", "regularizer": False}),
    "no classes": (("run", "classes"), 0),
    "more classes": (("run", "classes"), 2),
    "a threshold of another loss": (("run", "threshold"), "1"),
    "a network of another loss": (
        ("run", "network"),
        {"kind": "mlp", "widths": [1], "activation": "tanh", "image": None, "kernel": 0},
    ),
    "a row out of range": (("run", "requests", 0, "rows"), [4]),
    "a row below 0": (("run", "requests", 0, "rows"), [-1]),
    "a row twice": (("run", "requests", 0, "rows"), [3, 3]),
    "rows twice": (
        ("run", "requests"),
        [{"rows": [3], "unlearn": {"steps": 1, "step_size": "1", "noise_variance": "1", "batches": []}}]
        * 2,
    ),
    "no requests": (("run", "requests"), []),
    "a batch out of range": (("run", "learn", "batches"), [[0, 9]]),
    "a batch with a row twice": (("run", "learn", "batches"), [[0, 0, 3]]),
    "an empty batch": (("run", "learn", "batches"), [[]]),
    "a start of another size": (("run", "start", "mean"), ["0"]),
    "an unknown normalizer": (("run", "normalizer"), "mean"),
    "steps below 0": (("run", "reference", "steps"), -1),
}


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("of", ["logistic_bounds", "plane_bounds", "line_exact"])
def test_runs_without_sense_are_refused(name, of):
    path, value = NONSENSE[name]
    if name == "a row out of range" and of == "line_exact":
        value = [3]
    if name in ("a start of another size",) and of == "line_exact":
        value = ["0", "0"]
    assert refused(altered(certificate(of), path, value))


@pytest.mark.parametrize("of", ["P", "Q"])
def test_contractions_of_the_wrong_world_are_refused(of):
    """S3 of one world goes with the other world's maps."""
    content = certificate("plane_bounds")
    lines = content["proofs"][0]["lines"]
    own = [
        k
        for k, one in enumerate(lines)
        if one["rule"] == "residual-law" and one["witness"]["world"] == of
    ]
    wrong = lines[own[0]]["uses"]
    for k, one in enumerate(lines):
        if one["rule"] == "I1" and lines[lines[one["uses"][0]]["uses"][0]]["witness"]["world"] == of:
            assert refused(altered(content, ("proofs", 0, "lines", k, "uses"), [one["uses"][0], *wrong]))


def test_a_final_bound_does_not_decay_again():
    content = certificate("plane_bounds")
    lines = content["proofs"][0]["lines"]
    decayed = [k for k, one in enumerate(lines) if one["rule"] == "R2"]
    forged = altered(
        content,
        ("proofs", 0, "lines"),
        [*lines, {**lines[decayed[0]], "uses": [decayed[0], *lines[decayed[0]]["uses"][1:]]}],
    )
    assert refused(forged)


HYPERBOLA = {
    "b": ("0", "-1", "1p-300", "1p300"),
    "h": ("0", "-1p-4", "1p-300", "1p60"),
    "gamma": ("0", "-1p-20", "1p-30000", "1p300"),
    "m": ("-1/2", "0", "-1", "1p300", "-1p300"),
    "theta": ("2", "-2", "0"),
    "lo": ("2", "-2", "-1p300"),
    "hi": ("2", "-2", "1p300"),
    "bits": (1, 2),
    "n": (0, 1, 2),
    "epsilon": ("-1", "1p300", "0"),
}


@pytest.mark.parametrize("field", HYPERBOLA)
def test_contours_of_nonsense_prove_no_stronger_claim(field):
    """A claim of half the truth, and one refuted at twice the truth."""
    content = certificate("plane_exact")
    claims = claims_of(content)
    p, _k, entry = next(one for one in claims if one[2]["claim"]["id"] == "bent")
    half = spelled(value_of(entry["claim"]["delta"]) / 2)
    double = spelled(value_of(entry["claim"]["delta"]) * 2)
    for value in HYPERBOLA[field]:
        for at in entry["lines"]:
            forged = altered(content, ("proofs", p, "lines", at, "witness", field), value)
            claim = {**entry["claim"], "delta": half}
            low = {"claim": claim, "verdict": "proved", "lines": entry["lines"]}
            high = {"claim": {**claim, "delta": double}, "verdict": "refuted", "lines": [at]}
            if field == "epsilon" and value == "-1":
                high = low
            for one in (low, high):
                assert refused(altered(forged, ("proofs", p, "claims"), [one]))


STAND_INS = ("0", "-1", "-2", "1", "1p-300", "1p300", "-1p-1")


@pytest.mark.parametrize("value", STAND_INS)
@pytest.mark.parametrize("field", ["l", "nu", "vectors"])
def test_stand_ins_of_nonsense_prove_no_stronger_claim(field, value):
    content = certificate("plane_exact")
    p, _k, entry = next(one for one in claims_of(content) if one[2]["claim"]["id"] == "bent")
    content = altered(
        content, ("proofs", p, "claims"), [{**entry, "claim": stronger(entry["claim"], "proved")}]
    )
    for at, line in enumerate(content["proofs"][p]["lines"]):
        if line["rule"] == "C7b":
            place = ("proofs", p, "lines", at, "witness", field)
            size = 2
            tables = {"vectors": ([[value] * size] * size, [[value]] * size, [[value] * size])}
            for other in tables.get(field, ([value] * size, [value], [value, "0"], ["0", value])):
                assert refused(altered(content, place, other))


def test_splits_that_dip_below_zero():
    """Trap (a) of theory.md: c = s = 1, a = 3/2^t, and ratios below 1 in any block of several steps."""
    content = certificate("logistic_bounds")
    for k, line in enumerate(content["proofs"][0]["lines"]):
        if line["rule"] == "I1":
            for ratio in ("1/2", "0", "99/100", "-1", "-2"):
                split = [{"count": 4, "first": "1/100", "ratio": ratio}]
                assert refused(altered(content, ("proofs", 0, "lines", k, "witness", "split"), split))
            for first in ("-1", "-1p-100"):
                split = [{"count": 4, "first": first, "ratio": "1"}]
                assert refused(altered(content, ("proofs", 0, "lines", k, "witness", "split"), split))


def test_covers_out_of_order_are_refused():
    content = certificate("plane_cover")
    lines = content["proofs"][0]["lines"]
    for k, line in enumerate(lines):
        if line["rule"] == "C5-cover" and len(line["uses"]) > 1:
            uses = line["uses"]
            for other in (uses[::-1], uses[1:], uses[:-1], [*uses[1:], uses[0]], []):
                assert refused(altered(content, ("proofs", 0, "lines", k, "uses"), other))


def test_two_removed_rows_have_no_exact_tail():
    assert refused(altered(certificate("line_exact"), ("run", "requests", 0, "rows"), [0, 2]))


@pytest.mark.parametrize("clip", [Clip(Fraction(1, 2), False)])
def test_the_regularizer_outside_the_clip(clip):
    """mu = 21/8, where 5.02 at 1e-5 was proved."""
    run = make(
        np.ones((4, 1)),
        np.array([0.0, 1.0, 0.0, 1.0]),
        "softmax",
        classes=2,
        clip=clip,
        l2=Fraction(8),
        learn=phase(1, Fraction(0), Fraction(1)),
        unlearn=phase(1, Fraction(1), Fraction(1)),
        rows_gone=(1, 2, 3),
        start=Start((Fraction(0),) * 2, Fraction(0)),
    )
    maker = Maker(run)
    with precision(BITS):
        maker.gaussians("mu", [maker.evidence._gaussian(maker.evidence.sensitivities["S2"])])
        content = document(run, maker.decided, SPEC, include_data=True)
    assert judge(resealed(content)).core
    claim = next(one["claim"] for _, _, one in claims_of(content))
    assert value_of(claim["mu"]) >= Fraction(21, 8)
    assert judge(resealed(content)).check
