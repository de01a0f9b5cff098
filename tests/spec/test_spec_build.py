"""From spec to run: exact conversions, and faults that only the data can show."""

from __future__ import annotations

import hashlib
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_samples import GOOD, faults, places, spoiled, write

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.run import Clip, Phase, Reference, Request, Run, Start
from certaudit.spec import build, build_claims, build_run, load_spec


def built(folder: Path, old: str = "", new: str = "") -> Run:
    return build_run(load_spec(write(folder, spoiled(old, new))))


def test_the_example(tmp_path: Path) -> None:
    run = built(tmp_path)
    assert (run.n, run.d, run.X.dtype, run.y.dtype) == (442, 10, np.float64, np.float64)
    assert (run.loss, run.l2, run.normalizer) == ("ridge", Fraction(1, 20), "fixed")
    assert run.learn == Phase(200, Fraction(5, 2), Fraction(1, 2500))
    assert run.requests == (Request((7,), Phase(20, Fraction(5, 2), Fraction(1, 2500))),)
    assert (run.output_variance, run.threshold, run.classes) == (0, None, 1)
    assert run.start == Start((Fraction(0),) * 10, Fraction(0))
    assert (run.forget, run.projection, run.clip) == ((7,), None, None)
    assert (run.reference, run.release) == (Reference("unlearn-retrained", 200), "final")
    assert run.assumptions == (
        "the data are the float64 numbers after preprocessing, taken as exact; the issuer's run did "
        "what this spec says, in exact arithmetic and with exactly Gaussian noise",
        "the preprocessing statistics (target centre and scale; column means and scales) were "
        "computed with the forgotten rows included and are taken as public",
    )


def test_claims(tmp_path: Path) -> None:
    text = spoiled("order: 8", "direction: Q|P, order: 8")
    text = text.replace("mu: 0.05, delta: 1e-6", "mu: 0.05, theorem: benarroch-2026")
    tiny = Fraction(1, 10**6)
    assert build_claims(load_spec(write(tmp_path, text))) == (
        EpsilonDelta("issued", Fraction(3, 25), Fraction(1, 10**5)),
        RenyiClaim("renyi", Fraction(8), Fraction(1, 1000), ("Q|P",)),
        GaussianClaim("gaussian", Fraction(1, 20), Fraction(0), theorem="benarroch-2026"),
        SensitivityClaim("sensitivity", 10, Fraction(6, 1000), tiny),
    )


@pytest.mark.parametrize(
    ("noise", "variance"),
    [
        ("std: 1/3", Fraction(1, 9)),
        ("langevin_sigma: 1/3", 2 * Fraction(5, 2) / 9),
        ("inverse_temperature: 7", 2 * Fraction(5, 2) / 7),
        ("std: 0", Fraction(0)),
    ],
)
def test_noise_conventions(noise: str, variance: Fraction, tmp_path: Path) -> None:
    assert built(tmp_path, "std: 0.02", noise).learn.noise_variance == variance


def test_starts(tmp_path: Path) -> None:
    point = tuple(Fraction(k, 10) for k in range(10))
    listed = "[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]"
    for text, start in [
        (f"{{point: {listed}}}", Start(point, Fraction(0))),
        (f"{{gaussian: {{mean: {listed}, std: 2}}}}", Start(point, Fraction(4))),
        ("{gaussian: {mean: 1/3, std: 0.1}}", Start((Fraction(1, 3),) * 10, Fraction(1, 100))),
        ("{gaussian: {std: 1}}", Start((Fraction(0),) * 10, Fraction(1))),
    ]:
        assert built(tmp_path, "start: zeros", f"start: {text}").start == start


def test_clip_projection_reference_release(tmp_path: Path) -> None:
    assert built(tmp_path, "batches: full", "clip: 0.5").clip == Clip(Fraction(1, 2), False)
    inside = "clip: {norm: 2, regularizer: true}"
    assert built(tmp_path, "batches: full", inside).clip == Clip(Fraction(2), True)
    assert built(tmp_path, "batches: full", "projection: 3").projection == 3
    for text, reference in [
        ("retrained", Reference("retrained", 200)),
        ("{retrained: {steps: 220}}", Reference("retrained", 220)),
    ]:
        assert built(tmp_path, "unlearn-retrained", text).reference == reference
    assert built(tmp_path, "audit: {", "release: every-step\naudit: {").release == "every-step"
    assert built(tmp_path, "[7]", "[9, 7, 8]").forget == (7, 8, 9)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 30), size=st.integers(1, 35), seed=st.none() | st.integers(0, 99))
def test_cyclic_batches(
    tmp_path_factory: pytest.TempPathFactory, n: int, size: int, seed: int | None
) -> None:
    folder = tmp_path_factory.mktemp("batches")
    np.savez(folder / "d.npz", X=np.ones((n, 1)), y=np.arange(float(n)))
    order = list(range(n))
    if seed is not None:
        random.Random(seed).shuffle(order)
    cycle = f"size: {size}" + (f", order: {order}" if seed is not None else "")
    text = GOOD.replace("sklearn:diabetes", "npz:d.npz").replace("[7]", "[0]")
    text = text.replace("batches: full", f"batches: {{cyclic: {{{cycle}}}}}")
    batches = build_run(load_spec(write(folder, text))).learn.batches
    if size >= n:
        assert batches == ()
        return
    for place, row in enumerate(order):
        assert [row in batch for batch in batches].index(True) == place // size
    assert sorted(row for batch in batches for row in batch) == list(range(n))
    assert {len(batch) for batch in batches[:-1]} <= {size}


def test_unlearning_takes_the_learning_batches_unless_it_has_its_own(tmp_path: Path) -> None:
    cyclic = spoiled("batches: full", "batches: {cyclic: {size: 100}}")
    run = build_run(load_spec(write(tmp_path, cyclic)))
    assert [len(batch) for batch in run.learn.batches] == [100, 100, 100, 100, 42]
    assert run.requests[0].unlearn.batches == run.learn.batches
    for own, sizes in [("full", []), ("{cyclic: {size: 300}}", [300, 142])]:
        text = cyclic.replace("{steps: 20,", f"{{batches: {own}, steps: 20,")
        run = build_run(load_spec(write(tmp_path, text)))
        assert len(run.learn.batches) == 5
        assert [len(batch) for batch in run.requests[0].unlearn.batches] == sizes


STAGES = """\
forget:
  - {rows: [9, 3], unlearn: {steps: 5, step_size: 1, noise: {std: 0.1}}}
  - {rows: [5], unlearn: {steps: 6, step_size: 2, noise: {langevin_sigma: 0.1}}}
"""


def staged(old: str = "", new: str = "") -> str:
    text = GOOD[: GOOD.index("forget:")] + STAGES + GOOD[GOOD.index("reference:") :]
    return text.replace(old, new, 1)


def test_stages_are_requests_in_their_order(tmp_path: Path) -> None:
    run = build_run(load_spec(write(tmp_path, staged())))
    assert run.requests == (
        Request((3, 9), Phase(5, Fraction(1), Fraction(1, 100))),
        Request((5,), Phase(6, Fraction(2), Fraction(1, 25))),
    )
    assert run.forget == (3, 5, 9)
    claims = load_spec(write(tmp_path, staged("id: issued", "id: issued, after: 1")))
    assert [getattr(claim, "after", None) for claim in build_claims(claims)] == [1, None, None, None]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("{retrained: {}}", Reference("retrained", 200)),
        (
            "{retrained: {steps: 3, output_noise: {std: 0.2}}}",
            Reference("retrained", 3, None, Fraction(1, 25)),
        ),
        ("{unlearn-retrained: {}}", Reference("unlearn-retrained", 200)),
        (
            "{unlearn-retrained: {noise: {std: 0.2}}}",
            Reference("unlearn-retrained", 200, Fraction(1, 25)),
        ),
        (
            "{unlearn-retrained: {noise: {langevin_sigma: 0.2}, output_noise: {std: 0}}}",
            Reference("unlearn-retrained", 200, 2 * Fraction(1, 2) / 25, Fraction(0)),
        ),
        (
            "{unlearn-retrained: {noise: {inverse_temperature: 3}}}",
            Reference("unlearn-retrained", 200, Fraction(1, 3)),
        ),
    ],
)
def test_references(text: str, reference: Reference, tmp_path: Path) -> None:
    spec = spoiled("20, step_size: 2.5", "20, step_size: 1/2")
    spec = spec.replace("reference: unlearn-retrained", f"reference: {text}")
    assert build_run(load_spec(write(tmp_path, spec))).reference == reference


def test_output_noise(tmp_path: Path) -> None:
    run = built(tmp_path, "claims:", "output_noise: {std: 1/3}\nclaims:")
    assert (run.output_variance, run.output_noise("Q")) == (Fraction(1, 9), Fraction(1, 9))
    assert built(tmp_path, "claims:", "output_noise: {std: 0}\nclaims:").output_variance == 0


def test_huber(tmp_path: Path) -> None:
    run = built(tmp_path, "loss: ridge", "loss: huber, threshold: 1/3")
    assert (run.loss, run.threshold, run.parameters) == ("huber", Fraction(1, 3), 10)


def softmax(classes: int) -> str:
    text = spoiled("sklearn:diabetes", "sklearn:iris").replace("  target: unit\n", "")
    return text.replace("loss: ridge", f"loss: softmax, classes: {classes}")


def test_softmax(tmp_path: Path) -> None:
    run = build_run(load_spec(write(tmp_path, softmax(4))))
    assert (run.loss, run.classes, run.d, run.parameters) == ("softmax", 4, 4, 16)
    assert run.start == Start((Fraction(0),) * 16, Fraction(0))
    assert set(run.y) == {0.0, 1.0, 2.0}
    text = softmax(3).replace("start: zeros", "start: {gaussian: {mean: 1, std: 2}}")
    assert build_run(load_spec(write(tmp_path, text))).start == Start((Fraction(1),) * 12, Fraction(4))
    text = softmax(3).replace("start: zeros", "start: {point: [1, 2, 3, 4]}")
    (found,) = faults(tmp_path, text, build=True)
    assert found.message == "has 4 numbers, the model has 12 parameters (4 features x 3 classes)"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2, 1], None),
        ([0, 1, 3, -1], "softmax loss needs whole labels 0 to 2, row 2 has 3"),
        ([0, -1, 2, 1], "softmax loss needs whole labels 0 to 2, row 1 has -1"),
        ([0, 1, 2, 1.0000000001], "softmax loss needs whole labels 0 to 2, row 3 has 1.0000000001"),
        (["0", "b\n", "2", "x"], "softmax loss needs whole labels 0 to 2, row 1 has the text 'b\\\\n'"),
    ],
)
def test_class_labels(y: list[object], message: str | None, tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.eye(4), y=np.array(y))
    text = softmax(3).replace("sklearn:iris", "npz:d.npz").replace("[7]", "[1]")
    if message is None:
        assert build_run(load_spec(write(tmp_path, text))).y.tolist() == y
        return
    (found,) = faults(tmp_path, text, build=True)
    assert places((found,)) == [(7, 33, "model.classes")]
    assert found.message == message


def test_stage_rows_and_orders_that_do_not_fit_the_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.eye(4), y=np.arange(4.0))
    text = staged("sklearn:diabetes", "npz:d.npz").replace("[9, 3]", "[1, 3]")
    (found,) = faults(tmp_path, text, build=True)
    assert places((found,)) == [(12, 13, "forget.1.rows.0")]
    assert found.message == "row 5 is outside the data, which has 4 rows (0 to 3)"
    (found,) = faults(tmp_path, text.replace("[5]", "[0, 2]"), build=True)
    assert places((found,)) == [(11, 3, "forget")]
    assert found.message == "all 4 rows are forgotten: no data remain"
    text = text.replace("[5]", "[0]")
    cycle = "batches: {cyclic: {size: 9, order: [3, 0, 4, 1, 2]}}"
    for place, spec in [
        ("learn.batches.cyclic.order", text.replace("batches: full", cycle)),
        ("forget.1.unlearn.batches.cyclic.order", text.replace("steps: 6,", f"steps: 6, {cycle},")),
    ]:
        found = faults(tmp_path, spec, build=True)
        assert [(d.key, d.message) for d in found] == [
            (place, "lists 5 rows, the data have 4: every row must stand in it once"),
            (f"{place}.2", "row 4 is outside the data, which has 4 rows (0 to 3)"),
        ]
        short = spec.replace("[3, 0, 4, 1, 2]", "[3, 0, 1]")
        assert [d.message[:12] for d in faults(tmp_path, short, build=True)] == ["lists 3 rows"]


def test_assumptions_follow_the_preprocessing(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.eye(9), y=np.arange(9.0))
    text = GOOD.replace("sklearn:diabetes", "npz:d.npz")
    assert "(target centre and scale)" in _assumptions(tmp_path, text)
    assert _assumptions(tmp_path, text.replace("target: unit", "target: none")) == ""
    text = text.replace("target: unit", "columns: standard")
    assert "(column means and scales)" in _assumptions(tmp_path, text)


def _assumptions(folder: Path, text: str) -> str:
    run = build_run(load_spec(write(folder, text)))
    return "".join(run.assumptions[1:])


def test_data_hash(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.eye(9), y=np.arange(9.0))
    digest = hashlib.sha256((tmp_path / "d.npz").read_bytes()).hexdigest()
    text = GOOD.replace("sklearn:diabetes", "npz:d.npz")
    right = text.replace("sha256: null", f"sha256: '{digest.upper()}'")
    assert build(load_spec(write(tmp_path, right))).data_sha256 == digest
    wrong = text.replace("sha256: null", f"sha256: '{'0' * 64}'")
    (found,) = faults(tmp_path, wrong, build=True)
    assert places((found,)) == [(7, 11, "data.sha256")]
    assert digest in found.message


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            "[7]",
            "[7, 900]",
            (10, 13, "forget.1"),
            "row 900 is outside the data, which has 442 rows (0 to 441)",
        ),
        (
            "[7]",
            "[441, 442]",
            (10, 15, "forget.1"),
            "row 442 is outside the data, which has 442 rows (0 to 441)",
        ),
        (
            "start: zeros",
            "start: {point: [1, 2]}",
            (9, 72, "learn.start.point"),
            "has 2 numbers, the model has 10 parameters (10 features)",
        ),
        (
            "start: zeros",
            "start: {gaussian: {mean: [1], std: 1}}",
            (9, 82, "learn.start.gaussian.mean"),
            "has 1 number, the model has 10 parameters (10 features)",
        ),
        (
            "  target: unit",
            "  positive: 1000",
            (6, 13, "data.positive"),
            "no row has that label; there are: 25, 31, 37, 39, 40, …",
        ),
        ("sklearn:diabetes", "npz:no.npz", (4, 11, "data.source"), "no such file: no.npz"),
        (
            "sklearn:diabetes",
            "csv:../x",
            (4, 11, "data.source"),
            "../x lies outside the spec's folder",
        ),
    ],
)
def test_faults_that_need_the_data(
    old: str, new: str, place: tuple[int, int, str], message: str, tmp_path: Path
) -> None:
    (found,) = faults(tmp_path, spoiled(old, new), build=True)
    assert places((found,)) == [place]
    assert found.message == message


def test_several_at_once(tmp_path: Path) -> None:
    text = spoiled("[7]", "[500, 7, 600]").replace("start: zeros", "start: {point: []}")
    text = text.replace("target: unit", "positive: no-such")
    assert [d.line for d in faults(tmp_path, text, build=True)] == [6, 9, 10, 10]


def test_nothing_left(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.eye(3), y=np.arange(3.0))
    text = spoiled("sklearn:diabetes", "npz:d.npz").replace("[7]", "[2, 0, 1]")
    (found,) = faults(tmp_path, text, build=True)
    assert places((found,)) == [(10, 9, "forget")]
    assert found.message == "all 3 rows are forgotten: no data remain"


def test_logistic_labels(tmp_path: Path) -> None:
    text = spoiled("loss: ridge", "loss: logistic").replace("  target: unit\n", "")
    text = text.replace("sklearn:diabetes", "sklearn:breast_cancer")
    (found,) = faults(tmp_path, text, build=True)
    assert found.key == "data.positive"
    assert found.message == (
        "logistic loss needs labels -1 and +1, row 0 has 0: "
        "name the label that becomes +1 with `positive`"
    )
    text = text.replace("sha256: null", "positive: 1")
    run = build_run(load_spec(write(tmp_path, text)))
    assert set(run.y) == {-1.0, 1.0}
    assert (run.y == 1).sum() == 357


def test_constant_target(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.eye(9), y=np.ones(9))
    (found,) = faults(tmp_path, spoiled("sklearn:diabetes", "npz:d.npz"), build=True)
    assert places((found,)) == [(6, 11, "data.target")]
