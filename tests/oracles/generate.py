"""Random runs, as wide as the spec: run k of a kind is the same for ever."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
from oracles import networks
from oracles.data_draws import rows_and_labels
from oracles.dice import Dice
from oracles.gradients import moved, projected
from oracles.line_map import on_a_line
from oracles.worlds import steps

from certaudit.run import Clip, Network, Phase, Reference, Request, Run, Start

Kind = Literal["line", "gaussian", "sampled"]
KINDS: tuple[Kind, ...] = ("line", "gaussian", "sampled")
LOSSES = {
    "line": ("ridge", "logistic", "huber", "softmax", "softmax"),
    "gaussian": ("ridge",),
    "sampled": ("ridge", "logistic", "huber", "softmax", "softmax", "network"),
}
GROWTH = 1e3
TERSE = 0.4
"""Share of runs of one step each, with noise where it matters: there bounds are tight."""

Batches = tuple[tuple[int, ...], ...]


def random_run(kind: Kind, index: int, attempt: int = 0) -> Run:
    """Run ``index`` of a kind, drawn again where its iterates grow too much to be told apart."""
    dice = Dice(np.random.default_rng([KINDS.index(kind), index, attempt]))
    while True:
        terse = dice.chance(TERSE)
        run = _noise_sized(dice, _draw(dice, kind, terse), terse)
        if run is not None and (kind != "line" or on_a_line(run)):
            return run


def _draw(dice: Dice, kind: Kind, terse: bool) -> Run:
    loss = dice.of(*LOSSES[kind])
    d = (
        1
        if kind == "line"
        else dice.whole(2, 4)
        if kind == "sampled"
        else dice.of(1, 1, 1, 2, 2, 2, 3, 3, 4, 6)
    )
    classes = (2 if d == 1 else dice.of(2, 3)) if loss in ("softmax", "network") else 1
    n = dice.whole(2, 7)
    X, y = rows_and_labels(dice, loss, n, d, classes)
    network = _network(dice, d) if loss == "network" else None
    size = d * classes if network is None else networks.parameters(network, d, classes)
    run = Run(
        X=X,
        y=y,
        loss=loss,
        l2=dice.decimal(dice.of(0, 0.01, 0.1, 0.5, 1, 2, 8)),
        normalizer=dice.of("fixed", "fixed", "current", "sum"),
        learn=Phase(1, Fraction(1), Fraction(1)),
        requests=(),
        start=_start(dice, size),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 1),
        release="final",
        threshold=dice.decimal(dice.of(0.1, 0.5, 1, 3)) if loss == "huber" else None,
        classes=classes,
        network=network,
    )
    run = _with_phases(dice, run, terse)
    return run if kind == "gaussian" else _constrained(dice, run)


def _network(dice: Dice, d: int) -> Network:
    activation = dice.of("tanh", "relu")
    if d == 4 and dice.chance(0.4):
        return Network("cnn", (dice.whole(1, 2),), activation, (2, 2), dice.whole(1, 2))
    widths = tuple(dice.whole(1, 3) for _ in range(dice.whole(1, 2)))
    return Network("mlp", widths, activation)


def _start(dice: Dice, size: int) -> Start:
    spread = dice.of(0, 0, 1) * dice.decimal(dice.of(0.1, 1, 3)) ** 2
    far = dice.of(0, 0, 0.3, 3)
    same = dice.decimal(dice.normal() * far)
    mean = (
        (same,) * size
        if dice.chance(0.3)
        else tuple(dice.decimal(x * far) for x in dice.rng.normal(size=size))
    )
    return Start(mean, Fraction(spread))


def _with_phases(dice: Dice, run: Run, terse: bool) -> Run:
    """Batches, requests, steps, step sizes and the reference; noise comes later."""
    n = len(run.X)
    batches = _batches(dice, n)
    size = _step_size(dice, run)
    learn = Phase(1 if terse else _steps(dice), size, Fraction(1), batches)
    requests = []
    for rows in _stages(dice, n, batches, terse):
        own = dice.of(batches, batches, batches, _batches(dice, n))
        eta = size if dice.chance(0.6) else _step_size(dice, run)
        steps_ = 1 if terse else dice.of(1, 1, 2, 3, 4)
        requests.append(Request(rows, Phase(steps_, eta, Fraction(1), own)))
    total = learn.steps + sum(request.unlearn.steps for request in requests)
    reference = Reference("unlearn-retrained", learn.steps)
    if dice.chance(0.1 if terse else 0.25):
        reference = Reference("retrained", dice.of(learn.steps, total, dice.whole(1, 5)))
    return replace(run, learn=learn, requests=tuple(requests), reference=reference)


def _steps(dice: Dice) -> int:
    return dice.of(1, 1, 2, 3, dice.whole(1, 6), dice.whole(1, 15))


def _batches(dice: Dice, n: int) -> Batches:
    if n == 1 or dice.chance(0.55):
        return ()
    size = dice.whole(1, n - 1)
    order = dice.of(list(range(n)), dice.shuffled(n))
    return tuple(tuple(sorted(order[k : k + size])) for k in range(0, n, size))


def _stages(dice: Dice, n: int, batches: Batches, terse: bool) -> list[tuple[int, ...]]:
    """The removed rows, request by request: one, several, all but one, or a whole batch."""
    count = dice.of(1, 1, 1, n - 1, n - 1, dice.whole(1, n - 1))
    gone = dice.shuffled(n)[:count]
    if batches and dice.chance(0.35):
        gone = list(dice.of(*batches))
    most = 1 if terse else dice.of(1, 1, 1, 2, 3)
    cuts = sorted(set(dice.shuffled(len(gone))[:most]) - {0}) if most > 1 else []
    ends = [0, *cuts, len(gone)]
    return [tuple(sorted(gone[a:b])) for a, b in pairwise(ends)]


def _step_size(dice: Dice, run: Run) -> Fraction:
    """Plain, or placed by eta L (around and above 2 too), or by eta lambda above 2."""
    l2 = float(run.l2)
    divisor = 1 if run.normalizer == "sum" else len(run.X)
    bend = {"logistic": 0.25, "softmax": 0.5}.get(run.loss, 1.0)
    top = bend * float(np.linalg.norm(run.X.astype(float), 2)) ** 2 / divisor + l2
    plain = dice.of(0.1, 0.5, 1, 2)
    placed = dice.of(0.05, 0.3, 0.8, 1, 1.5, 1.9, 2, 2.2, 3) / max(top, 1e-3)
    steep = dice.log_uniform(2, 12) / l2 if l2 > 0 else plain
    return dice.decimal(min(dice.of(plain, placed, placed, steep, steep), 50.0))


def _constrained(dice: Dice, run: Run) -> Run:
    """With a clip and a projection of the size of what they act on, or without."""
    models = np.stack([models for world in "PQ" for models in _noiseless(run, world)])
    reach = max(float(np.median(np.linalg.norm(models, axis=1))), 0.1)
    X = np.linalg.norm(run.X.astype(float), axis=1)
    slope = float(np.median(X)) + 1e-3
    if dice.chance(0.85 if run.loss == "network" else 0.55):
        norm = dice.decimal(slope * dice.of(0.1, 0.5, 1, 3))
        run = replace(run, clip=Clip(norm, dice.chance(0.4)))
    if run.loss != "network" and dice.chance(0.35):
        run = replace(run, projection=dice.decimal(min(reach, 1e3) * dice.of(0.3, 1, 3)))
    return run


def _noiseless(run: Run, world: str) -> list[np.ndarray]:
    """The iterates of a world from the start's mean without noise."""
    models = np.array([[float(m) for m in run.start.mean]])
    path = [models[0]]
    for step in steps(run, world):
        with np.errstate(all="ignore"):
            models = np.nan_to_num(projected(run, moved(run, step, models)), posinf=1e9, neginf=-1e9)
        path.append(models[0])
    return path


def _noise_sized(dice: Dice, run: Run, terse: bool) -> Run | None:
    """With noise of the size of what it hides; None where the iterates grow too much."""
    p, q = _noiseless(run, "P"), _noiseless(run, "Q")
    gap = float(np.linalg.norm(p[-1] - q[-1]))
    base = gap if gap > 1e-3 else dice.of(0.01, 0.1, 1)
    if max(np.abs(p).max(), np.abs(q).max()) > GROWTH * max(base, 1.0):
        return None
    own = base * dice.log_uniform(0.15, 4)

    def variance(scale: float = 1.0) -> Fraction:
        return dice.decimal(own * scale * dice.of(1, 1, dice.log_uniform(0.2, 3))) ** 2

    quiet = terse and dice.chance(0.7)
    requests = tuple(
        replace(r, unlearn=replace(r.unlearn, noise_variance=dice.of(1, 1, 1, 1, quiet) * variance()))
        for r in run.requests
    )
    learn = replace(run.learn, noise_variance=dice.of(1, 1, 1, 0) * (not quiet) * variance())
    output = (dice.of(0, 0, 1) if not quiet else 0) * variance()
    run = replace(run, learn=learn, requests=requests, output_variance=Fraction(output))
    if dice.chance(0.12):
        reference = replace(run.reference, output_variance=dice.of(1, 1, 0) * variance())
        run = replace(run, reference=reference)
    if run.reference.kind == "unlearn-retrained" and dice.chance(0.12):
        run = replace(run, reference=replace(run.reference, unlearn_variance=variance()))
    if not output and run.reference.output_variance is None and dice.chance(0.35):
        pair = run.reference.kind == "unlearn-retrained"
        run = replace(run, release=dice.of("every-step", "every-step", *["before-and-after"] * pair))
    return run
