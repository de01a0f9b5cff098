"""Traces against a spec: what is recorded from honest runs passes, and each broken fact is named."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
from scipy.stats import binom
from shadow_runs import cycle, huber_run, logistic_run, ridge_run, softmax_run, two_requests

from certaudit.audit.conformance.recorder import record
from certaudit.audit.conformance.steps import conform
from certaudit.audit.shadows.train import train
from certaudit.run import Clip, Phase, Reference, Request, Start

LEVEL = 1e-3
RUNS = {
    "ridge": ridge_run(),
    "ridge, two requests": ridge_run(**two_requests()),
    "ridge, projected": ridge_run(projection=F(1, 8)),
    "ridge, random start": ridge_run(start=Start((F(1),) * 6, F(1, 4))),
    "logistic, clipped": logistic_run(clip=Clip(F(1, 4), False)),
    "logistic, clipped with the regularizer": logistic_run(clip=Clip(F(1, 4), True)),
    "huber, cyclic": huber_run(learn=Phase(9, F(1, 2), F(1, 100), cycle(25))),
    "softmax": softmax_run(),
    "no noise": ridge_run(learn=Phase(12, F(1), F(0)), requests=(Request((7,), Phase(5, F(1), F(0))),)),
    "retrained": ridge_run(reference=Reference("retrained", 20)),
    "nothing to learn": ridge_run(learn=Phase(0, F(1), F(1))),
}


def failed(trace, run, world="P", level=LEVEL):
    return {check.name for check in conform(trace, run, world, level).failures}


def change(trace, field, step, value):
    """The trace with one entry of a field set."""
    column = getattr(trace, field)
    if isinstance(column, tuple):
        changed = (*column[:step], np.asarray(value), *column[step + 1 :])
    else:
        changed = column.copy()
        changed[step] = value
    return dataclasses.replace(trace, **{field: changed})


def keep(trace, steps):
    """The trace's steps at the given places."""
    kept = {
        field.name: getattr(trace, field.name)[steps]
        for field in dataclasses.fields(trace)
        if field.name != "rows"
    }
    return dataclasses.replace(trace, **kept, rows=tuple(trace.rows[t] for t in steps))


@pytest.mark.parametrize("world", "PQ")
@pytest.mark.parametrize("name", RUNS)
def test_what_is_recorded_passes_and_ends_at_the_shadow(name, world):
    run = RUNS[name]
    trace = record(run, world, seed=3)
    report = conform(trace, run, world, LEVEL)
    assert not report.failures
    assert report.models == 1
    if trace.steps and run.output_variance == 0 and run.reference.output_variance in (None, 0):
        model = train(run, world, 1, seed=3).final[0]
        assert np.allclose(trace.after[-1], model, rtol=1e-9, atol=1e-12)


def test_the_level_is_shared_by_the_noise_tests_alone():
    report = conform(record(RUNS["ridge"], "P"), RUNS["ridge"], "P", 0.05)
    tests = [c.threshold for c in report.checks if c.threshold > 0]
    assert sum(tests) == pytest.approx(0.05)
    facts = {c.name for c in report.checks if c.threshold == 0}
    assert {"steps", "phases", "step size", "batches", "removed rows", "chain", "arithmetic"} <= facts


def test_another_number_of_parameters_is_an_error():
    with pytest.raises(ValueError, match="6 parameters, the run 18"):
        conform(record(RUNS["ridge"], "P"), RUNS["softmax"], "P", LEVEL)


def test_steps_too_few_and_too_many():
    run = RUNS["ridge"]
    trace = record(run, "P")
    assert failed(keep(trace, list(range(trace.steps - 1))), run) == {"steps"}
    last = trace.steps - 1
    longer = keep(trace, [*range(trace.steps), last])
    assert "steps" in failed(longer, run)
    report = conform(keep(trace, list(range(60))), run, "P", LEVEL)
    assert [c.meaning for c in report.failures] == ["0 steps were made, the spec asks for 10"]
    assert report.failures[0].where == "world P, phase 1"


def test_steps_of_no_phase():
    run = RUNS["ridge"]
    trace = record(run, "P")
    for phase in (2, -1):
        assert "phases" in failed(change(trace, "phase", trace.steps - 1, phase), run)


@pytest.mark.parametrize("factor", [1 + 1e-6, 0.5])
def test_another_step_size(factor):
    run = RUNS["ridge"]
    trace = record(run, "P")
    assert failed(change(trace, "step_size", 4, 2.5 * factor), run) == {"step size"}


def test_other_rows_and_rows_that_are_gone():
    run = RUNS["ridge"]
    trace = record(run, "P")
    assert failed(change(trace, "rows", 3, trace.rows[3][:-1]), run) == {"batches"}
    repeated = np.append(trace.rows[3], 0)
    assert failed(change(trace, "rows", 3, repeated), run) == {"batches"}
    back = np.append(trace.rows[65], 7)
    assert failed(change(trace, "rows", 65, back), run) == {"batches", "removed rows"}
    assert not failed(change(trace, "rows", 3, trace.rows[3][::-1]), run)


def test_rows_of_the_second_request_stay_until_then():
    run = RUNS["ridge, two requests"]
    trace = record(run, "P")
    second = int(np.flatnonzero(trace.phase == 2)[0])
    back = np.append(trace.rows[second], 31)
    assert "removed rows" in failed(change(trace, "rows", second, back), run)
    assert any(31 in rows for rows in trace.rows[:second])


def test_a_chain_that_is_broken():
    run = RUNS["ridge"]
    trace = record(run, "P")
    moved = change(trace, "before", 5, trace.before[5] + 1e-3)
    assert failed(moved, run) == {"chain", "arithmetic"}


def test_a_chain_broken_between_phases():
    """Unlearning that begins at zero: every step is the spec's, but it is another run."""
    run = RUNS["ridge"]
    trace = record(run, "P")
    fresh = record(ridge_run(learn=Phase(0, F(1), F(1, 2500))), "P", seed=9)
    joined = dataclasses.replace(
        trace,
        before=np.concatenate([trace.before[:60], fresh.before]),
        after=np.concatenate([trace.after[:60], fresh.after]),
        noise=np.concatenate([trace.noise[:60], fresh.noise]),
    )
    assert failed(joined, run) == {"chain"}


def test_another_start():
    run = RUNS["ridge"]
    other = ridge_run(start=Start((F(1, 1000),) * 6, F(0)))
    assert failed(record(other, "P"), run) == {"start"}
    assert not failed(record(RUNS["ridge, random start"], "P"), RUNS["ridge, random start"])


@pytest.mark.parametrize(
    "other",
    [
        {"l2": F(1, 10)},
        {"l2": F(50001, 1000000)},
        {"normalizer": "sum", "l2": F(1, 10**6)},
        {"projection": F(1, 10)},
    ],
)
def test_another_arithmetic(other):
    trace = record(ridge_run(**other), "P")
    assert "arithmetic" in failed(trace, RUNS["ridge"])


def test_an_error_far_below_the_noise_is_seen():
    run = RUNS["ridge"]
    trace = record(run, "P")
    off = trace.after.copy()
    off[30] += 1e-7
    assert "arithmetic" in failed(dataclasses.replace(trace, after=off), run)
    off[30] = trace.after[30] + 1e-13
    before = trace.before.copy()
    before[31] = off[30]
    assert not failed(dataclasses.replace(trace, after=off, before=before), run)


def test_numbers_that_are_not_finite_fail():
    run = RUNS["ridge"]
    trace = record(run, "P")
    assert "arithmetic" in failed(change(trace, "after", 8, np.nan), run)


def test_gradients_longer_than_the_clip():
    run = RUNS["logistic, clipped"]
    trace = record(run, "P")
    assert failed(change(trace, "largest_gradient", 2, 0.2501), run) == {"clip"}
    assert failed(change(trace, "largest_gradient", 2, np.nan), run) == {"clip"}


def test_projections():
    run = RUNS["ridge, projected"]
    trace = record(run, "P")
    assert failed(change(trace, "radius", 2, np.nan), run) == {"projection"}
    assert failed(change(trace, "radius", 2, 0.25), run) == {"projection"}
    out = 1.001 * trace.after[2] / np.linalg.norm(trace.after[2]) / 8
    assert "within the ball" in failed(change(trace, "after", 2, out), run)


def test_noise_where_there_is_none():
    run = RUNS["no noise"]
    trace = record(run, "P")
    assert "no noise" in failed(change(trace, "noise", 3, 1e-30), run)


def evenly(z):
    """Uniform numbers of variance 1, in the order of z: none is large."""
    ranks = np.argsort(np.argsort(z.ravel())).reshape(z.shape)
    return np.sqrt(3) * (2 * ranks + 1 - z.size) / z.size


NOISES = {
    "noise scale": lambda z: 1.25 * z,
    "noise scale, too small": lambda z: 0.8 * z,
    "noise law": lambda z: np.where(z > 0, 1.0, -1.0),
    "largest noise": lambda z: np.where(np.arange(z.size).reshape(z.shape) == 33, 8.0, z),
    "largest noise, too small": evenly,
    "consecutive noise": lambda z: np.repeat(z[::2], 2, axis=0),
    "fresh noise": lambda z: np.round(z * 256) / 256,
}


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("name", NOISES)
def test_each_noise_test_sees_its_fault(name, phase):
    run = ridge_run(requests=(Request((7,), Phase(60, F(5, 2), F(1, 2500))),))
    trace = record(run, "P", seed=1)
    noise = trace.noise.copy()
    of = trace.phase == phase
    noise[of] = NOISES[name](noise[of] * 50) / 50
    failures = conform(dataclasses.replace(trace, noise=noise), run, "P", LEVEL).failures
    places = {check.where for check in failures if check.name == name.split(",")[0]}
    assert places in ({f"world P, phase {phase}"}, {"world P"})
    others = {check.where for check in failures} - {"world P", f"world P, phase {phase}"}
    assert not others


def test_noise_scaled_copies_of_learning_in_unlearning():
    """Not the same numbers, so not "fresh noise": the correlation alone tells."""
    run = ridge_run(requests=(Request((7,), Phase(30, F(5, 2), F(1, 100))),))
    trace = record(run, "P", seed=2)
    noise = trace.noise.copy()
    rng = np.random.default_rng(8)
    noise[60:] = 5 * (0.8 * noise[:30] + 0.6 * rng.normal(size=(30, 6)) / 50)
    found = failed(dataclasses.replace(trace, noise=noise), run)
    assert "noise of two phases" in found
    assert "fresh noise" not in found


def alarms(traces, level):
    """Honest traces of short runs that fail; only the noise is drawn anew."""
    run = ridge_run(
        learn=Phase(4, F(1), F(1, 4), cycle(30)), requests=(Request((7,), Phase(2, F(1), F(1, 9))),)
    )
    return sum(conform(record(run, "P", seed=s), run, "P", level).differs for s in range(traces))


def test_false_alarms():
    """150 honest traces; the bound fails falsely with probability at most 1e-6."""
    assert alarms(150, 0.05) <= binom.isf(1e-6, 150, 0.05)


@pytest.mark.statistics
@pytest.mark.parametrize("level", [0.05, 0.5])
def test_false_alarms_over_many_traces(level):
    """2000 honest traces each; a bound fails falsely with probability at most 1e-6."""
    count = alarms(2000, level)
    print(f"level {level}: {count} alarms in 2000")
    assert count <= binom.isf(1e-6, 2000, level)
