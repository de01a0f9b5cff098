"""The shift of one step between the worlds, in learning and in every unlearning phase."""

import dataclasses

import numpy as np
import pytest
from shadow_runs import RUNS, plain_gradient, ridge_run, two_requests

from certaudit.audit.shadows.shift import NoCounterpart, step_shifts, steps_before
from certaudit.run import Reference


@pytest.mark.parametrize("loss", RUNS)
@pytest.mark.parametrize(
    ("step", "phase", "batch", "gone"),
    [
        (1, "learn", 0, ()),
        (5, "learn", 1, ()),
        (17, "learn", 1, ()),
        (18, 0, 0, (7, 20)),
        (21, 0, 3, (7, 20)),
        (22, 0, 0, (7, 20)),
        (23, 1, None, (7, 20, 31)),
    ],
)
def test_shift_is_the_step_size_times_the_gap_of_the_gradients(loss, step, phase, batch, gone):
    """``gone``: what world P has removed by then; Q has removed rows 7, 20 and 31 from the first."""
    run = RUNS[loss](**two_requests())
    own = run.learn if phase == "learn" else run.requests[phase].unlearn
    members = range(run.n) if batch is None else own.batches[batch]
    models = np.random.default_rng(2).normal(size=(3, run.parameters))
    expected = [
        float(own.step_size)
        * np.linalg.norm(
            plain_gradient(run, w, members, gone) - plain_gradient(run, w, members, (7, 20, 31))
        )
        for w in models
    ]
    assert np.allclose(step_shifts(run, step, models), expected, rtol=1e-9, atol=1e-12)
    assert (max(expected) > 0) == bool({7, 20, 31} - set(gone) & set(members))


def test_a_step_is_met_after_the_same_phases_in_both_worlds():
    run = ridge_run(**two_requests())
    assert [steps_before(run, w, 20) for w in ("P", "Q")] == [19, 19]
    longer = dataclasses.replace(run, reference=Reference("unlearn-retrained", 30))
    assert [steps_before(longer, w, 20) for w in ("P", "Q")] == [19, 32]
    shorter = dataclasses.replace(run, reference=Reference("unlearn-retrained", 10))
    assert [steps_before(shorter, w, 12) for w in ("P", "Q")] == [11, None]


def test_a_reference_without_unlearning_has_learning_steps_only():
    run = ridge_run(**two_requests(reference=Reference("retrained", 17)))
    assert steps_before(run, "Q", 17) == 16
    with pytest.raises(NoCounterpart, match="step 18 is an unlearning step"):
        steps_before(run, "P", 18)
    with pytest.raises(ValueError, match="no step 27"):
        steps_before(run, "P", 27)
