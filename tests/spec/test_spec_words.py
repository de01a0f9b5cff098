"""The run in words, and the README's spec as it is printed."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from spec_samples import GOOD, spoiled, write

from certaudit.report import words
from certaudit.spec import build_claims, build_run, load_spec

README = Path(__file__).parents[2] / "README.md"


def said(folder: Path, text: str) -> list[str]:
    return words.run(build_run(load_spec(write(folder, text))))


def test_the_example(tmp_path: Path) -> None:
    assert said(tmp_path, GOOD) == [
        "data        442 rows x 10 features; forgotten row 7",
        "model       ridge, l2 0.05, normalizer fixed",
        "learning    200 steps, step size 2.5, noise variance 0.0004 a step",
        "unlearning  20 steps, step size 2.5, noise variance 0.0004 a step",
        "compared with unlearn-retrained; an observer sees the final model",
        "not about   a holder of the model before the deletion (release: before-and-after is about that "
        "one)",
    ]


def test_batches_output_noise_and_another_reference(tmp_path: Path) -> None:
    text = spoiled("batches: full", "batches: {cyclic: {size: 64}}")
    text = text.replace("{steps: 20,", "{batches: {cyclic: {size: 221}}, steps: 20,")
    text = text.replace("claims:", "output_noise: {std: 0.1}\nclaims:").replace(
        "reference: unlearn-retrained",
        "reference: {unlearn-retrained: {noise: {std: 0.3}, output_noise: {std: 0}}}",
    )
    lines = said(tmp_path, text)
    assert lines[2].endswith(" a step, 7 batches of 64 (the last 58) in turn")
    assert lines[3].endswith(" a step, 2 batches of 221 in turn")
    assert lines[4] == "output      noise variance 0.01 on the released model"
    assert "its unlearning with noise variance 0.09 a step" in lines[5]
    assert "its output with noise variance 0;" in lines[5]


def test_losses_with_a_number_of_their_own(tmp_path: Path) -> None:
    text = spoiled("loss: ridge", "loss: huber, threshold: 1/3")
    assert said(tmp_path, text)[1] == "model       huber, threshold 1/3, l2 0.05, normalizer fixed"
    text = spoiled("sklearn:diabetes", "sklearn:iris").replace("  target: unit\n", "")
    text = text.replace("loss: ridge", "loss: softmax, classes: 3")
    assert "softmax, 3 classes (12 parameters), l2 0.05" in said(tmp_path, text)[1]


def test_stages(tmp_path: Path) -> None:
    phase = "{steps: 1, step_size: 1, noise: {std: 1}}"
    head, tail = GOOD[: GOOD.index("forget:")], GOOD[GOOD.index("reference:") :]

    def stages(count: int) -> str:
        listed = "".join(
            f"  - {{rows: [{2 * k}, {2 * k + 1}], unlearn: {phase}}}\n" for k in range(count)
        )
        return f"{head}forget:\n{listed}{tail}"

    one, two = said(tmp_path, stages(2))[3:5]
    assert one == "stage 1     rows 0, 1: 1 step, step size 1, noise variance 1 a step"
    assert two.startswith("stage 2     rows 2, 3: ")
    many = said(tmp_path, stages(20))
    assert many[0].endswith("forgotten rows 0, 1, 2, 3, 4, 5, 6, 7 ... (40 in all)")
    assert many[11].strip() == "... 20 stages in all"
    text = stages(2).replace("id: issued", "id: issued, after: 1")
    claims = build_claims(load_spec(write(tmp_path, text)))
    assert words.claimed(claims[0]) == "ε ≤ 0.12 at δ = 0.00001 after stage 1"


def test_the_specs_in_the_readme(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    whole = next(block for block in blocks if block.startswith("certaudit: 1"))
    forget = next(block for block in blocks if block.startswith("forget:"))
    assert build_run(load_spec(write(tmp_path, whole))).forget == (7,)
    staged = re.sub(r"forget:.*\nunlearn:.*\n", forget, whole)
    assert build_run(load_spec(write(tmp_path, staged))).forget == (3, 7, 41)
    references = re.findall(
        r"`(?:reference: )?({(?:unlearn-)?retrained: .*})`", README.read_text("utf-8")
    )
    assert len(references) == 2
    for reference in references:
        text = re.sub(r"reference: unlearn-retrained.*", f"reference: {reference}", whole)
        assert build_run(load_spec(write(tmp_path, text))).reference.output_variance == Fraction(1, 100)
