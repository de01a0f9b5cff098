"""The model: every bad input is refused at its line, column and key, all of them at once."""

from __future__ import annotations

import json
import random
import warnings
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from spec_samples import GOOD, faults, places, spoiled, write

from certaudit.claims import Theorem
from certaudit.errors import InputError
from certaudit.spec import Spec, load_spec
from certaudit.spec.build import build
from certaudit.spec.reader import read


def load(folder: Path, text: str) -> Spec:
    return load_spec(write(folder, text)).spec


def test_the_example_is_exact(tmp_path: Path) -> None:
    spec = load(tmp_path, GOOD)
    assert spec.model.l2 == Fraction(1, 20)
    assert spec.learn.noise.std == Fraction(1, 50)
    assert spec.claims[0].delta == Fraction(1, 100000)  # type: ignore[union-attr]
    assert spec.audit.confidence == Fraction(19, 20)
    assert (spec.audit.dtype, spec.audit.seed, spec.release) == ("float64", 0, "final")
    assert (spec.data.columns, spec.learn.projection, spec.learn.clip) == ("none", None, None)


def test_defaults(tmp_path: Path) -> None:
    text = GOOD.replace("audit: {shadows: 4000, confidence: 0.95}\n", "")
    text = text.replace("  rows: unit\n  target: unit\n  sha256: null\n", "")
    text = text.replace(", start: zeros, batches: full", "")
    spec = load(tmp_path, text)
    assert (spec.audit.shadows, spec.audit.confidence) == (4000, Fraction(19, 20))
    assert (spec.data.rows, spec.data.target) == ("none", "none")
    assert spec.learn.start == "zeros"


def test_quoted_and_rational_numbers(tmp_path: Path) -> None:
    assert load(tmp_path, spoiled("l2: 0.05", "l2: '1e-5'")).model.l2 == Fraction(1, 100000)
    assert load(tmp_path, spoiled("l2: 0.05", "l2: 1/3")).model.l2 == Fraction(1, 3)
    assert load(tmp_path, spoiled("steps: 20,", "steps: 2e1,")).unlearn.steps == 20


def test_loaded_spec_names_its_bytes(tmp_path: Path) -> None:
    loaded = load_spec(write(tmp_path, GOOD))
    assert loaded.sha256 == read(loaded.path).sha256
    assert str(loaded.problem("x", "forget", 0)) == f"{loaded.path}:10:10: forget.0: x"


BAD = [
    ("certaudit: 1", "certaudit: 2", (1, 12, "certaudit"), "must be 1, the only version"),
    ("name: ridge-diabetes", "name: 7", (2, 7, "name"), "must be text, found 7 (quote it)"),
    ("name: ridge-diabetes", 'name: "a\\nb"', (2, 7, "name"), "printable text in one line"),
    ("name: ridge", "nmae: ridge", (2, 1, "nmae"), "unknown key: did you mean name?"),
    ("rows: unit", "rows: units", (5, 9, "data.rows"), "'none', 'unit' or 'clip', found units"),
    ("rows: unit", "columns: std", (5, 12, "data.columns"), "'none' or 'standard'"),
    ("rows: unit", "row: unit", (5, 3, "data.row"), "did you mean rows?"),
    ("sha256: null", "sha256: abc", (7, 11, "data.sha256"), "64 hexadecimal digits, found abc"),
    ("sha256: null", "positive: true", (7, 13, "data.positive"), "must be a label"),
    ("sha256: null", "target_column: y", (7, 18, "data.target_column"), "no meaning for sklearn"),
    ("sha256: null", "positive: 1", (6, 11, "data.target"), "must be none where positive"),
    ("sklearn:diabetes", "diabetes", (4, 11, "data.source"), "must be sklearn:"),
    ("sklearn:diabetes", "sklearn:boston", (4, 11, "data.source"), "one of scikit-learn's"),
    ("sklearn:diabetes", "'csv:'", (4, 11, "data.source"), "must be sklearn:"),
    ("loss: ridge", "loss: []", (8, 15, "model.loss"), "'huber' or 'softmax'"),
    ("loss: ridge", "loss: lasso", (8, 15, "model.loss"), "'huber' or 'softmax', found lasso"),
    ("loss: ridge", "loss: logistic", (6, 11, "data.target"), "must be none for logistic loss"),
    ("l2: 0.05", "l2: -0.05", (8, 26, "model.l2"), "at least 0, found -0.05"),
    ("l2: 0.05", "l2: yes", (8, 26, "model.l2"), "must be a number, at least 0, found yes"),
    ("l2: 0.05", "l2: true", (8, 26, "model.l2"), "must be a number"),
    ("l2: 0.05", "l2:", (8, 25, "model.l2"), "found nothing"),
    ("l2: 0.05", "l2: [1]", (8, 26, "model.l2"), "found a list"),
    ("l2: 0.05, ", "", (8, 1, "model.l2"), "is missing"),
    ("l2: 0.05", "l2: .inf", (8, 26, "model.l2"), "infinity and not-a-number"),
    ("l2: 0.05", "l2: '.nan'", (8, 26, "model.l2"), "infinity and not-a-number"),
    ("l2: 0.05", "l2: 1e-999999999", (8, 26, "model.l2"), "an exponent beyond 3000"),
    ("normalizer: fixed", "normalizer: n", (8, 44, "model.normalizer"), "'fixed', 'current'"),
    ("steps: 200", "steps: 0", (9, 16, "learn.steps"), "whole number, at least 1"),
    ("steps: 200", "steps: 1e10", (9, 16, "learn.steps"), "at most 1000000000, found 1e10"),
    ("steps: 200", "steps: 2.5", (9, 16, "learn.steps"), "whole number"),
    ("step_size: 2.5", "step_size: 0", (9, 32, "learn.step_size"), "greater than 0, found 0"),
    ("std: 0.02", "std: -0.02", (9, 50, "learn.noise.std"), "at least 0, found -0.02"),
    (
        "std: 0.02",
        "std: 0.02, langevin_sigma: 1",
        (9, 44, "learn.noise"),
        "names two noise conventions, std and langevin_sigma: keep one",
    ),
    ("{std: 0.02}", "{}", (9, 44, "learn.noise"), "must name one noise convention of std, "),
    ("{std: 0.02}", "0.02", (9, 44, "learn.noise"), "must be a mapping, found 0.02"),
    ("std: 0.02", "sigma: 1", (9, 45, "learn.noise.sigma"), "unknown key"),
    ("std: 0.02", "inverse_temperature: 0", (9, 66, "learn.noise.inverse_temperature"), "than 0"),
    ("std: 0.02", "langevin_sigma: -1", (9, 61, "learn.noise.langevin_sigma"), "at least 0"),
    ("start: zeros", "start: ones", (9, 64, "learn.start"), "must be 'zeros', found ones"),
    ("start: zeros", "start: {at: 1}", (9, 64, "learn.start"), "mapping with point or gaussian"),
    ("start: zeros", "start: {point: 1}", (9, 72, "learn.start.point"), "must be a list, found 1"),
    (
        "start: zeros",
        "start: {point: [1, x]}",
        (9, 76, "learn.start.point.1"),
        "must be a number, found x",
    ),
    (
        "start: zeros",
        "start: {gaussian: {mean: [0, x], std: 1}}",
        (9, 86, "learn.start.gaussian.mean.1"),
        "must be a number, found x",
    ),
    (
        "start: zeros",
        "start: {gaussian: {mean: 0}}",
        (9, 65, "learn.start.gaussian.std"),
        "is missing",
    ),
    ("batches: full", "batches: cyclic", (9, 80, "learn.batches"), "must be 'full'"),
    ("batches: full", "batches: {cyclic: 8}", (9, 89, "learn.batches.cyclic"), "must be a mapping"),
    (
        "batches: full",
        "batches: {cyclic: {size: 0}}",
        (9, 96, "learn.batches.cyclic.size"),
        "a whole number, at least 1",
    ),
    (
        "batches: full",
        "batches: {cyclic: {sise: 8}}",
        (9, 90, "learn.batches.cyclic.sise"),
        "did you mean size?",
    ),
    (
        "batches: full",
        "batches: {cyclic: {order: [0]}}",
        (9, 81, "learn.batches.cyclic.size"),
        "is missing",
    ),
    (
        "batches: full",
        "batches: {cyclic: {size: 8, order: [0, 1, 0]}}",
        (9, 113, "learn.batches.cyclic.order.2"),
        "row 0 is listed twice",
    ),
    (
        "batches: full",
        "batches: {cyclic: {size: 8, order: [-1]}}",
        (9, 107, "learn.batches.cyclic.order.0"),
        "at least 0",
    ),
    ("batches: full", "batches: {cycle: 1}", (9, 81, "learn.batches.cycle"), "did you mean cyclic?"),
    ("20, step", "20, batches: 5, step", (11, 31, "unlearn.batches"), "must be 'full', found 5"),
    ("20, step", "20, batches: [5], step", (11, 31, "unlearn.batches"), "must be 'full'"),
    ("ridge, l2", "huber, l2", (8, 1, "model.threshold"), "is missing: huber loss needs it"),
    ("ridge,", "huber, threshold: 0,", (8, 33, "model.threshold"), "greater than 0, found 0"),
    ("ridge,", "ridge, threshold: 1,", (8, 33, "model.threshold"), "no meaning for ridge loss"),
    ("ridge,", "softmax, threshold: 1, classes: 9,", (8, 35, "model.threshold"), "for softmax loss"),
    ("ridge, l2", "softmax, l2", (8, 1, "model.classes"), "is missing: softmax loss needs it"),
    ("ridge,", "softmax, classes: 1,", (8, 33, "model.classes"), "at least 2 and at most 1000"),
    ("ridge,", "softmax, classes: 1001,", (8, 33, "model.classes"), "at most 1000, found 1001"),
    ("ridge,", "softmax, classes: 2.5,", (8, 33, "model.classes"), "a whole number"),
    ("ridge,", "huber, classes: 2, threshold: 1,", (8, 31, "model.classes"), "for huber loss"),
    ("ridge,", "softmax, classes: 9,", (6, 11, "data.target"), "must be none for softmax loss"),
    (
        "rows: unit\n  target: unit\n  sha256: null\nmodel: {loss: ridge,",
        "positive: 3\n\n\nmodel: {loss: softmax, classes: 9,",
        (5, 13, "data.positive"),
        "must be null for softmax loss",
    ),
    ("20, step", "20, bathces: full, step", (11, 22, "unlearn.bathces"), "did you mean batches?"),
    ("unlearn: {", "unlaern: {", (1, 1, "unlearn"), "is missing: give it here, or in every stage"),
    ("unlearn: {", "unlaern: {", (11, 1, "unlaern"), "did you mean unlearn?"),
    ("[7]", "[{rows: [7]}]", (10, 10, "forget.0.unlearn"), "is missing"),
    ("[7]", "[{rows: [7]}]", (11, 10, "unlearn"), "must be left out: every stage of forget has"),
    ("[7]", "[{rows: []}]", (10, 17, "forget.0.rows"), "must not be empty"),
    ("[7]", "[{rows: [7]}, 8]", (10, 23, "forget.1"), "must be a mapping, found 8"),
    ("[7]", "[{rows: [7]}, {rows: [8, 7]}]", (10, 34, "forget.1.rows.1"), "row 7 is listed twice"),
    ("[7]", "[{row: [7]}]", (10, 11, "forget.0.row"), "did you mean rows?"),
    (
        "[7]",
        "[{rows: [7], unlearn: {steps: 0}}]",
        (10, 39, "forget.0.unlearn.steps"),
        "at least 1",
    ),
    (
        "[7]",
        "[{rows: [7], unlearn: {noise: {sdt: 1}}}]",
        (10, 40, "forget.0.unlearn.noise.sdt"),
        "did you mean std?",
    ),
    ("claims:", "output_noise: 1\nclaims:", (13, 15, "output_noise"), "must be a mapping, found 1"),
    (
        "claims:",
        "output_noise: {langevin_sigma: 1}\nclaims:",
        (13, 16, "output_noise.langevin_sigma"),
        "unknown key: std is known here",
    ),
    (
        "claims:",
        "output_noise: {std: -1}\nclaims:",
        (13, 21, "output_noise.std"),
        "at least 0, found -1",
    ),
    (
        "claims:",
        "release: every-step\noutput_noise: {std: 1}\nclaims:",
        (14, 15, "output_noise"),
        "no meaning with release every-step",
    ),
    (
        "unlearn-retrained\n",
        "{unlearn-retrained: {output_noise: {std: 1}}}\nrelease: every-step\n",
        (12, 47, "reference.unlearn-retrained.output_noise"),
        "no meaning with release every-step",
    ),
    (
        "claims:",
        "release: before-and-after\noutput_noise: {std: 1}\nclaims:",
        (14, 15, "output_noise"),
        "no meaning with release before-and-after",
    ),
    (
        "unlearn-retrained\n",
        "retrained\nrelease: before-and-after\n",
        (12, 12, "reference"),
        "has no model before unlearning",
    ),
    (
        "unlearn-retrained\n",
        "{retrained: {steps: 5}}\nrelease: before-and-after\n",
        (12, 12, "reference"),
        "has no model before unlearning",
    ),
    (
        "unlearn-retrained\n",
        "{retrained: {output_noise: {std: 1}}}\nrelease: every-step\n",
        (12, 39, "reference.retrained.output_noise"),
        "no meaning with release every-step",
    ),
    (
        "unlearn-retrained",
        "{retrained: {noise: {std: 1}}}",
        (12, 25, "reference.retrained.noise"),
        "unknown key",
    ),
    (
        "unlearn-retrained",
        "{unlearn-retrained: {steps: 1}}",
        (12, 33, "reference.unlearn-retrained.steps"),
        "unknown key: noise, output_noise are known here",
    ),
    (
        "unlearn-retrained",
        "{unlearn_retrained: {noise: {std: 1}}}",
        (12, 13, "reference.unlearn_retrained"),
        "did you mean unlearn-retrained?",
    ),
    (
        "unlearn-retrained",
        "{unlearn-retrained: {noise: {std: 1, langevin_sigma: 1}}}",
        (12, 40, "reference.unlearn-retrained.noise"),
        "names two noise conventions",
    ),
    (
        "unlearn-retrained",
        "{unlearn-retrained: {noise: {sdt: 1}}}",
        (12, 41, "reference.unlearn-retrained.noise.sdt"),
        "did you mean std?",
    ),
    ("id: issued,", "id: issued, after: 0,", (14, 25, "claims.0.after"), "at least 1"),
    ("id: issued,", "id: issued, after: 2,", (14, 25, "claims.0.after"), "2 is beyond the 1 stage of"),
    ("id: sensitivity,", "id: sensitivity, after: 1,", (17, 23, "claims.3.after"), "unknown key"),
    ("batches: full", "projection: 0", (9, 83, "learn.projection"), "greater than 0"),
    ("batches: full", "clip: 0", (9, 77, "learn.clip"), "greater than 0, found 0"),
    ("batches: full", "clip: {norm: 1}", (9, 71, "learn.clip.regularizer"), "is missing"),
    (
        "batches: full",
        "clip: {norm: 1, regularizer: yes}",
        (9, 100, "learn.clip.regularizer"),
        "must be true or false, found yes",
    ),
    ("forget: [7]", "forget: []", (10, 9, "forget"), "must not be empty"),
    ("forget: [7]", "forget: 7", (10, 9, "forget"), "must be a list, found 7"),
    ("forget: [7]", "forget: [7, -1]", (10, 13, "forget.1"), "at least 0"),
    ("forget: [7]", "forget: [7, 7.0]", (10, 13, "forget.1"), "row 7 is listed twice"),
    ("forget: [7]", "forget: [1e3000]", (10, 10, "forget.0"), "at most 1000000000, found 1e3000"),
    ("steps: 20,", "steps: 0,", (11, 18, "unlearn.steps"), "whole number, at least 1"),
    ("20, step", "20, clip: 1, step", (11, 22, "unlearn.clip"), "unknown key"),
    ("unlearn-retrained", "fresh", (12, 12, "reference"), "'unlearn-retrained' or 'retrained'"),
    (
        "unlearn-retrained",
        "{retrained: {steps: 0}}",
        (12, 32, "reference.retrained.steps"),
        "at least 1",
    ),
    ("epsilon: 0.12", "epsilon: -1", (14, 27, "claims.0.epsilon"), "at least 0"),
    ("delta: 1e-5", "delta: 1", (14, 40, "claims.0.delta"), "less than 1, found 1"),
    ("delta: 1e-5", "delta: 1.5", (14, 40, "claims.0.delta"), "less than 1"),
    ("delta: 1e-5", "detla: 1e-5", (14, 33, "claims.0.detla"), "did you mean delta?"),
    ("order: 8", "order: 1", (15, 24, "claims.1.order"), "greater than 1, found 1"),
    ("renyi: 0.001", "renyi: -1", (15, 34, "claims.1.renyi"), "at least 0"),
    ("mu: 0.05", "mu: -1", (16, 24, "claims.2.mu"), "at least 0"),
    ("mu: 0.05", "theorem: foo, mu: 1", (16, 29, "claims.2.theorem"), "'benarroch-2026', "),
    ("mu: 0.05", "direction: P, mu: 1", (16, 31, "claims.2.direction"), "'both', 'P|Q' or 'Q|P'"),
    ("step: 10,", "step: 221,", (17, 29, "claims.3.step"), "221 is beyond the 220 steps of"),
    ("step: 10,", "step: 0,", (17, 29, "claims.3.step"), "at least 1"),
    ("sensitivity: 0.006", "sensitivity: -1", (17, 46, "claims.3.sensitivity"), "at least 0"),
    ("probability: 1e-6", "probability: 1", (17, 66, "claims.3.probability"), "less than 1"),
    ("step: 10,", "step: 10, direction: both,", (17, 33, "claims.3.direction"), "unknown key"),
    ("id: renyi", "id: issued", (15, 10, "claims.1.id"), "duplicate claim id issued"),
    ("id: renyi", "id: a b", (15, 10, "claims.1.id"), "must be made of letters"),
    ("id: renyi, ", "", (15, 5, "claims.1.id"), "is missing"),
    ("shadows: 4000", "shadows: 9", (18, 18, "audit.shadows"), "an even whole number, at least 8"),
    ("shadows: 4000", "shadows: 6", (18, 18, "audit.shadows"), "at least 8"),
    ("confidence: 0.95", "confidence: 1", (18, 36, "audit.confidence"), "less than 1"),
    ("confidence: 0.95", "dtype: f16", (18, 31, "audit.dtype"), "'float64' or 'float32'"),
    ("confidence: 0.95", "seed: -1", (18, 30, "audit.seed"), "at least 0"),
    (
        "audit: {",
        "release: all\naudit: {",
        (18, 10, "release"),
        "'final', 'before-and-after' or 'every-step'",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "message"), BAD)
def test_bad_input(
    old: str, new: str, place: tuple[int, int, str], message: str, tmp_path: Path
) -> None:
    found = faults(tmp_path, spoiled(old, new))
    assert place in places(found)
    said = next(d.message for d in found if (d.line, d.column, d.key) == place)
    assert message in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("std: 0.02", "inverse_temperature: 5, langevin_sigma: 1, std: 1"),
        ("{std: 0.02}", "{std: .inf}"),
        ("{std: 0.02}", "{<<: {std: 1}}"),
        ("epsilon: 0.12", "<<: {epsilon: 1}"),
        ("epsilon: 0.12", "epsilon: !!float 1"),
        ("claims:\n", "claims: !claims\n"),
        ("model: {", "model: &m {"),
        ("[7]", "[7, *seven]"),
        ("unlearn: {", "unlearn: &u {"),
        ("unlearn: {steps: 20, step_size: 2.5, noise: {std: 0.02}}", "unlearn: *u"),
        ("unlearn: {steps: 20, step_size: 2.5, noise: {std: 0.02}}", "<<: {a: 1}"),
        ("unlearn: {steps: 20, step_size: 2.5, noise: {std: 0.02}}\n", ""),
        ("{loss: ridge", "{<<: {threshold: 1}, loss: huber"),
        ("[7]", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 7]"),
        ("unlearn-retrained", "{}"),
    ],
)
def test_one_mistake_is_one_line(old: str, new: str, tmp_path: Path) -> None:
    assert len(faults(tmp_path, spoiled(old, new))) == 1


TWO_STAGES = (
    GOOD[: GOOD.index("forget:")]
    + """\
forget:
  - {rows: [3], unlearn: {steps: 5, step_size: 1, noise: {std: 0.02}}}
  - {rows: [9, 7], unlearn: {steps: 6, step_size: 2, noise: {std: 1}, batches: {cyclic: {size: 8}}}}
reference: {unlearn-retrained: {noise: {std: 0.1}, output_noise: {std: 0.2}}}
output_noise: {std: 0.3}
claims:
  - {id: first, epsilon: 1, delta: 1e-5, after: 1}
  - {id: second, epsilon: 1, delta: 1e-5, after: 2, theorem: neel-2021}
  - {id: step, step: 211, sensitivity: 1, probability: 0}
"""
)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("after: 2", "after: 3", (17, 50, "claims.1.after"), "3 is beyond the 2 stages of forget"),
        ("step: 211", "step: 212", (18, 22, "claims.2.step"), "212 is beyond the 211 steps of learning"),
        (
            "std: 0.1}",
            "langevin_sigma: 0.1}",
            (13, 57, "reference.unlearn-retrained.noise.langevin_sigma"),
            "the stages of forget have different ones: give std",
        ),
        (
            "std: 0.1}",
            "inverse_temperature: 3}",
            (13, 62, "reference.unlearn-retrained.noise.inverse_temperature"),
            "depends on the step size",
        ),
        (
            "size: 8}",
            "size: 8, order: [4, 4]}",
            (12, 110, "forget.1.unlearn.batches.cyclic.order.1"),
            "twice",
        ),
        ("  - {rows: [3]", "  - {rows: [7]", (12, 16, "forget.1.rows.1"), "row 7 is listed twice"),
        ("  - {rows: [9, 7]", "  - {rows: [9, 9]", (12, 16, "forget.1.rows.1"), "row 9 is listed twice"),
    ],
)
def test_bad_stages(
    old: str, new: str, place: tuple[int, int, str], message: str, tmp_path: Path
) -> None:
    assert TWO_STAGES.count(old) == 1
    (found,) = faults(tmp_path, TWO_STAGES.replace(old, new))
    assert places((found,)) == [place]
    assert message in found.message


def test_a_convention_fits_stages_of_one_step_size(tmp_path: Path) -> None:
    text = TWO_STAGES.replace("step_size: 2,", "step_size: 1,").replace(
        "{std: 0.1}", "{langevin_sigma: 1}"
    )
    load(tmp_path, text)


def test_stages_up_to_the_limit(tmp_path: Path) -> None:
    phase = "{steps: 1, step_size: 1, noise: {std: 1}}"

    def stages(count: int) -> str:
        listed = "".join(f"  - {{rows: [{k}], unlearn: {phase}}}\n" for k in range(count))
        return GOOD[: GOOD.index("forget:")] + "forget:\n" + listed + GOOD[GOOD.index("reference:") :]

    assert len(load(tmp_path, stages(1000)).stages) == 1000
    (found,) = faults(tmp_path, stages(1001))
    assert places((found,)) == [(11, 3, "forget")]
    assert found.message == "must have at most 1000 entries"


@pytest.mark.parametrize("name", get_args(Theorem))
def test_every_theorem_can_be_named_and_a_wrong_name_lists_it(name: str, tmp_path: Path) -> None:
    spec = load(tmp_path, spoiled("delta: 1e-5", f"delta: 1e-5, theorem: {name}"))
    assert spec.claims[0].theorem == name
    (found,) = faults(tmp_path, spoiled("delta: 1e-5", "delta: 1e-5, theorem: no-such"))
    assert f"'{name}'" in found.message


def test_all_faults_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD
    for old, new in [
        ("rows: unit", "rows: &r units"),
        ("loss: ridge", "loss: lasso"),
        ("steps: 200", "steps: 0"),
        ("[7]", "[7, 7]"),
        ("delta: 1e-5", "delta: 2"),
        ("id: renyi", "id: issued"),
        ("audit: {", "audit: {sheds: 1, "),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
    found = faults(tmp_path, text)
    assert [d.line for d in found] == [5, 8, 9, 10, 14, 15, 18]
    assert [d.key for d in found] == [
        "data.rows",
        "model.loss",
        "learn.steps",
        "forget.1",
        "claims.0.delta",
        "claims.1.id",
        "audit.sheds",
    ]


@pytest.mark.parametrize("claims", ["", "claims:\n", "claims: []\n", "claims: null\n"])
def test_no_claims(claims: str, tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("claims:")] + claims + GOOD[GOOD.rindex("audit:") :]
    (found,) = faults(tmp_path, text)
    assert (found.key, found.message) == (
        "claims",
        "no claims at all: nothing would be checked",
    )


@pytest.mark.parametrize(
    ("claim", "key"),
    [
        ("{id: a}", "claims.0"),
        ("{id: a, mu: 1, epsilon: 1}", "claims.0.mu"),
        ("hello", "claims.0"),
        ("[1]", "claims.0"),
        ("{id: a, epsilom: 1}", "claims.0.epsilom"),
        ("{id: a, delta: 0.1}", "claims.0.epsilon"),
        ("{id: a, step: 1}", "claims.0.sensitivity"),
        ("{id: a, renyi: 1}", "claims.0.order"),
    ],
)
def test_claims_of_no_kind(claim: str, key: str, tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("claims:")] + f"claims:\n  - {claim}\n"
    assert key in [d.key for d in faults(tmp_path, text)]


@pytest.mark.parametrize("text", ["", "# nothing\n", "null", "~\n"])
def test_empty_spec(text: str, tmp_path: Path) -> None:
    (found,) = faults(tmp_path, text)
    assert found.message == "the spec is empty"


@pytest.mark.parametrize("text", ["hello", "[1, 2]", "3", "true"])
def test_spec_that_is_no_mapping(text: str, tmp_path: Path) -> None:
    (found,) = faults(tmp_path, text)
    assert found.message.startswith("must be a mapping, found ")


def test_messages_hold_no_control_characters_and_stay_short(tmp_path: Path) -> None:
    nasty = '"\\e[31m\\n\\r\\u202e' + "x" * 5000 + '"'
    text = spoiled("rows: unit", f"{nasty}: 1").replace("loss: ridge", f"loss: {nasty}")
    text = text.replace("id: issued", f"id: {nasty}").replace("sklearn:diabetes", nasty)
    for found in faults(tmp_path, text):
        assert str(found).isprintable()
        assert len(found.message) < 250


def test_lone_surrogates_can_be_printed(tmp_path: Path) -> None:
    for found in faults(tmp_path, spoiled("loss: ridge", 'loss: "\\ud800"')):
        str(found).encode()


def test_model_alone_refuses_contradictions_too(tmp_path: Path) -> None:
    content = load(tmp_path, GOOD).model_dump(mode="json")
    assert Spec.model_validate(content).forget == (7,)
    with pytest.raises(ValidationError, match="listed twice"):
        Spec.model_validate({**content, "forget": [7, 7]})
    with pytest.raises(ValidationError, match="must be left out"):
        Spec.model_validate({**content, "forget": [{"rows": [7], "unlearn": content["unlearn"]}]})
    with pytest.raises(ValidationError, match="give it here"):
        Spec.model_validate({**content, "unlearn": None})
    with pytest.raises(ValidationError, match="binary float"):
        Spec.model_validate({**content, "model": {**content["model"], "l2": 0.1}})


def test_spec_survives_json(tmp_path: Path) -> None:
    text = spoiled("l2: 0.05", "l2: 1/3").replace("start: zeros", "start: {point: [1e-3, 5]}")
    text = text.replace("delta: 1e-5", "delta: 1e-3000")
    for valid in (text, TWO_STAGES):
        spec = load(tmp_path, valid)
        assert Spec.model_validate_json(spec.model_dump_json()) == spec


def test_json_schema_describes_every_field() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = Spec.model_json_schema()
    json.dumps(schema)
    assert schema["properties"]["certaudit"]["const"] == 1
    for name, part in schema["$defs"].items():
        assert part["additionalProperties"] is False
        for key, field in part["properties"].items():
            assert "description" in field or "$ref" in field, f"{name}.{key}"


BY_ID = spoiled("sklearn:diabetes", "csv:t.csv\n  id_column: whose").replace("[7]", "{ids: [7, A7]}")
VALUES = st.sampled_from(
    [
        "",
        "null",
        "0",
        "-1",
        "1e-5",
        "1/3",
        "x",
        "[]",
        "{}",
        "[1]",
        "{a: 1}",
        "true",
        "'1'",
        ".nan",
        "&a 1",
        "*a",
        "!!int 1",
        "{<<: 1}",
        "1e99999",
        "{point: [1]}",
        "'<word>'",
        "{steps: 1}",
        "{cyclic: {size: 2}}",
        "{unlearn-retrained: {noise: {std: 1}}}",
        "[{rows: [1]}, 3]",
        "{ids: [17, 017, x]}",
        "[{ids_file: x}, {ids: [1]}]",
        "huber",
        "softmax",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    good=st.sampled_from([GOOD, TWO_STAGES, BY_ID]),
    seed=st.integers(0, 10**9),
    value=VALUES,
    drop=st.booleans(),
)
def test_any_spoiled_spec_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, good: str, seed: int, value: str, drop: bool
) -> None:
    chooser = random.Random(seed)
    words = good.replace("{", " { ").replace("}", " } ").replace(",", " , ").split(" ")
    place = chooser.randrange(len(words))
    words[place] = "" if drop else value
    words[chooser.randrange(len(words))] = value
    path = write(tmp_path_factory.getbasetemp(), " ".join(words))
    said = "nothing"
    try:
        load_spec(path)
    except InputError as error:
        said = str(error)
    assert all(line.isprintable() and line for line in said.split("\n"))


NETWORK = """certaudit: 1
name: n
data: {{source: "sklearn:digits"}}
model: {{loss: {loss}, {classes}l2: 0, normalizer: fixed, network: {network}}}
learn: {{steps: 2, step_size: 1, noise: {{std: 0}}, start: zeros}}
forget: [1]
unlearn: {{steps: 1, step_size: 1, noise: {{std: 0}}}}
reference: retrained
claims: [{{id: c, epsilon: 1, delta: 1e-5}}]
"""


@pytest.mark.parametrize(
    ("network", "loss", "message"),
    [
        ("{}", "softmax", "must name one form of mlp, cnn"),
        ("{mlp: {hidden: [2]}, cnn: {image: [8, 8], channels: [1], kernel: 3}}", "softmax", "one form"),
        ("{mlp: {hidden: []}}", "softmax", "must not be empty"),
        ("{mlp: {hidden: [0]}}", "softmax", "at least 1"),
        ("{mlp: {hidden: [2], activation: gelu}}", "softmax", "must be 'tanh' or 'relu'"),
        ("{mlp: {hidden: [2]}}", "ridge", "has no meaning for ridge loss"),
        ("{cnn: {image: [8, 2], channels: [1], kernel: 3}}", "softmax", "2 is too short for 1 conv"),
        ("{cnn: {image: [8, 7], channels: [1], kernel: 3}}", "softmax", "8 x 7 pixels, the data have"),
        ("{mlp: {hidden: [4096, 4096]}}", "softmax", "at most 200000 are supported"),
    ],
)
def test_networks_that_cannot_be(tmp_path: Path, network: str, loss: str, message: str) -> None:
    path = tmp_path / "n.yaml"
    classes = "classes: 10, " if loss == "softmax" else ""
    path.write_text(NETWORK.format(network=network, loss=loss, classes=classes))
    with pytest.raises(InputError, match=message):
        build(load_spec(path))


def test_networks_become_runs(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    cnn = "{cnn: {image: [8, 8], channels: [2, 3], kernel: 3}}"
    path.write_text(NETWORK.format(network=cnn, loss="softmax", classes="classes: 10, "))
    run = build(load_spec(path)).run
    assert run.loss == "network"
    assert run.parameters == 2 * 10 + 3 * 19 + 10 * (3 * 16 + 1) == len(run.start.mean)
