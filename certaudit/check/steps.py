"""One step of a run again: curvature, contraction, sensitivity, and the laws these rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from certaudit.check.document import Rejected, choice, exact, listed, natural
from certaudit.check.fixed import BITS, ONE, Fixed, array, identity, real, size
from certaudit.check.gaussian import STEP, one_step, require_affine
from certaudit.check.known import Approx, Known, Stage, ends, mpf_of, total
from certaudit.check.model import Batch, Rows, Stretch
from certaudit.check.spectrum import extremes

CURVATURE = {"ridge": (1, 1), "logistic": (1, 4), "huber": (1, 1), "softmax": (1, 2)}
SLOPE = {"logistic": "g = -y/(exp(u*y) + 1)", "huber": "g = Max(-k, Min(k, u - y))"}
TAIL = "p = erfc(sqrt(2)*(-mu + q)/(2*sqrt(v)))/2 + erfc(sqrt(2)*(mu + q)/(2*sqrt(v)))/2"
INSTANCE = "s = S_F*eta/N"
LIPSCHITZ = "M = G*X"
Premises = dict[str, tuple[str, str, dict[str, Any]]]
LOOSEST_BOUND = 1 + Fraction(1, 10**9)


def batch_of(stage: Stage, value: Any) -> Batch:
    """A batch of the run, as the file writes it."""
    for batch in stage.run.batches:
        if shown(batch) == value:
            return batch
    raise Rejected("exact.batch", "no batch of this run")


def shown(batch: Batch) -> dict[str, Any]:
    """A batch as the file writes it."""
    return {"members": "all" if batch[0] is None else list(batch[0]), "removed": list(batch[1])}


def labelled(stage: Stage, rows: Rows) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """The premise that the labels of some rows are those the loss is defined for."""
    run = stage.run
    if run.loss == "logistic":
        allowed, text = {-1, 1}, "logistic labels are -1 and +1"
    elif run.loss in ("softmax", "network"):
        allowed, text = set(range(run.classes)), "softmax labels are the numbers of the classes, from 0"
    else:
        return ()
    if any(stage.data.labels[j] not in allowed for j in rows):
        raise Rejected("run.y", f"{text}; some are not")
    return (("labels", text, {}),)


def _labels(stage: Stage) -> Premises:
    return {premise[0]: premise for premise in labelled(stage, tuple(range(stage.run.n)))}


def curvature(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """m = lambda + kappa_min/N and L = beta kappa_max/N + lambda; the clip's variants."""
    run, batch = stage.run, batch_of(stage, given.get("batch"))
    if run.loss not in CURVATURE:
        raise Rejected("", f"the loss of a {run.loss} has no known curvature")
    gram = stage.data.gram(batch)
    low, high = stage.data.kept(("extremes", batch), lambda: extremes(gram))
    beta, divisor, lam = Fraction(*CURVATURE[run.loss]), run.size(batch), mpf_of(run.l2)
    trace = real(sum(int(gram.units[i, i]) for i in range(run.d)))
    kappa = {"kappa_min": low, "kappa_max": high}
    if run.convex:
        free = run.loss == "ridge" and run.clip is None
        m = Approx(lam + low.value / divisor, low.error) if free else lam
        largest = Approx(lam + mpf_of(beta) * high.value / divisor, high.error)
        formulas = "m = lambda + kappa_min/N", "L = lambda + beta*kappa_max/N"
    else:
        m = mpf(0)
        if run.clip_regularizer:
            smooth = (mpf_of(beta) * trace + len(run.rows(batch)) * lam) / divisor
            formulas = "m = 0", "L = (beta*tau + lambda*n_w)/N"
        else:
            smooth = lam + mpf_of(beta) * trace / divisor
            formulas = "m = 0", "L = lambda + beta*tau/N"
        largest = Approx(smooth, high.error)
    text = "kappa_min I <= X^T X <= kappa_max I on the rows of the batch"
    return Known(
        {"batch": shown(batch), "N": divisor, "l2": run.l2, "beta": beta},
        {"m": m, "L": largest, **kappa},
        formulas,
        (*labelled(stage, run.rows(batch)), ("spectrum", text, kappa)),
        work=batch,
    )


def contraction(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """c = max(|1 - eta m|, |1 - eta L|), |1 - eta lambda| + eta (L - lambda), or 1 + eta L; ``bound`` is
    at or hardly above c."""
    (curved,) = used
    step_size = exact(given.get("step_size"), "exact.step_size")
    bound = exact(given.get("bound"), "exact.bound")
    eta = mpf_of(step_size)
    m, largest = curved.values["m"], curved.values["L"]
    if stage.run.convex:
        c = max(abs(1 - eta * mpf_of(m)), abs(1 - eta * mpf_of(largest)))
        formula = "c = Max(Abs(L*eta - 1), Abs(eta*m - 1))"
    elif stage.run.clip_regularizer:
        c, formula = 1 + eta * mpf_of(largest), "c = L*eta + 1"
    else:
        lam = mpf_of(stage.run.l2)
        c = abs(1 - eta * lam) + eta * (mpf_of(largest) - lam)
        formula = "c = eta*(L - lambda) + Abs(eta*lambda - 1)"
    rate = Approx(c, eta * max(ends(x)[1] - mpf_of(x) for x in (m, largest)))
    if not ends(rate)[1] <= mpf_of(bound) or not mpf_of(bound) <= c * mpf_of(LOOSEST_BOUND):
        raise Rejected("exact.bound", f"not just above the recomputed c = {mpmath.nstr(c, 15)}")
    return Known(
        {"batch": shown(curved.work), "step_size": step_size, "bound": bound},
        {"c": rate, "m": m, "L": largest},
        (formula,),
        work=(curved.work, step_size, bound),
    )


def rates(used: Sequence[Known], wanted: Sequence[tuple[Batch, Fraction]]) -> dict[Any, Fraction]:
    """The contraction bounds of the maps wanted, which must be used in the order they come first."""
    if [one.work[:2] for one in used if one.kind == "contraction"] != list(dict.fromkeys(wanted)):
        raise Rejected("uses", "not the contractions of the run's steps, in their order")
    if any(one.kind != "contraction" for one in used):
        raise Rejected("uses", "a step of another kind among the contractions")
    return {one.work[:2]: one.work[2] for one in used}


def gradient(stage: Stage, j: int, premises: Premises, confined: bool) -> mpf:
    """A bound on the loss gradient at row j: the clip, or the slope times |x_j|, the smaller."""
    run, norm = stage.run, stage.norms([j])[0]
    bounds = [] if run.clip is None else [mpf_of(run.clip)]
    if run.clip_regularizer:
        return bounds[0]
    y = abs(stage.data.label(j))
    known = confined or run.loss == "ridge" or run.start_variance == 0
    if run.loss == "softmax":
        bounds.append(mpmath.sqrt(2) * norm)
    elif run.projection is not None and known and run.loss != "network":
        reach = mpf_of(run.projection) * norm
        name = "projection" if confined else "start"
        if name not in premises:
            premises[name] = _confined(stage, confined)
        slope = {
            "logistic": lambda: 1 / (1 + mpmath.exp(-reach)),
            "ridge": lambda: reach + y,
            "huber": lambda: min(mpf_of(run.threshold), reach + y),
        }[run.loss]()
        bounds.append(slope * norm)
    elif run.loss == "logistic":
        bounds.append(norm)
    elif run.loss == "huber":
        bounds.append(mpf_of(run.threshold) * norm)
    if not bounds:
        raise Rejected("", "the loss has no bounded slope")
    return min(bounds)


def _confined(stage: Stage, confined: bool) -> tuple[str, str, dict[str, Any]]:
    run = stage.run
    if confined:
        return "projection", "every iterate met was projected onto the ball", {}
    assert run.projection is not None
    squared = sum((x * x for x in run.start), Fraction(0))
    if run.start_variance or squared > run.projection**2:
        raise Rejected("", "the run does not start at a point inside its ball")
    numbers = {
        "start_norm": mpmath.sqrt(mpf_of(squared)),
        "radius": mpf_of(run.projection),
        "start_variance": mpf(0),
    }
    return "start", "the run starts at a point inside the ball it is projected onto", numbers


def _last(given: dict[str, Any]) -> int | None:
    last = given.get("last")
    return None if last is None else natural(last, "exact.last", 1)


def _restart(last: int | None, premises: Premises) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    if last is not None:
        text = f"both worlds are projected onto one ball before the last {last} steps"
        premises["restart"] = ("restart", text, {})
    return tuple(premises.values())


def _everywhere(
    stage: Stage,
    given: dict[str, Any],
    formulas: tuple[str, ...],
    shift: Callable[[Stretch], mpf],
    premises: Premises,
    **more: Any,
) -> Known:
    last = _last(given)
    stretches = stage.run.shared if last is None else stage.run.last(last)
    sizes: dict[Stretch, mpf] = {}
    for one in stretches:
        if one not in sizes:
            sizes[one] = mpf(0) if one.p == one.q else shift(one)
    return Known(
        {"world": "any", "repeats": [one.count for one in stretches], "last": last},
        {"s": [sizes[one] for one in stretches], "delta": mpf(0), **more},
        formulas,
        _restart(last, premises),
    )


def worst_case(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """S1: s = eta k M/N, twice that for the normalizer ``current``."""
    run, premises = stage.run, _labels(stage)
    confined = _last(given) is not None
    largest = max(gradient(stage, j, premises, confined) for j in range(run.n))
    factor = 2 if run.normalizer == "current" else 1

    def shift(one: Stretch) -> mpf:
        return factor * mpf_of(one.step_size) * len(run.removed(one)) * largest / run.size(one.p)

    formula = "s = 2*M*eta*k/N" if factor == 2 else "s = M*eta*k/N"
    return _everywhere(stage, given, (LIPSCHITZ, formula), shift, premises, M=largest)


def per_instance(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """S2: s = (eta/N) sum over F of the gradient bounds; ``current`` moves the others' weights too."""
    run, premises = stage.run, _labels(stage)
    bound = _bounds(stage, given, premises)
    current = run.normalizer == "current"

    def shift(one: Stretch) -> mpf:
        gone, left = run.removed(one), run.rows(one.q)
        size_ = bound(gone)
        if current:
            size_ += mpf(len(gone)) / max(len(left), 1) * bound(left)
        return mpf_of(one.step_size) * size_ / run.size(one.p)

    formula = "s = eta*(S_F + S_rest*k/n_kept)/N" if current else INSTANCE
    return _everywhere(stage, given, (LIPSCHITZ, formula), shift, premises)


def bounded_drift(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """S1-drift: s = eta (g_P + g_Q) at every step and c = |1 - eta lambda|, or 1 with all clipped."""
    run, premises, last = stage.run, _labels(stage), _last(given)
    bound = _bounds(stage, given, premises)
    stretches = run.coupled if last is None else run.last(last)

    def shift(one: Stretch) -> mpf:
        means = [bound(run.rows(batch)) / run.size(batch) for batch in (one.p, one.q)]
        return mpf_of(one.step_size) * (means[0] + means[1])

    sizes = {one: shift(one) for one in dict.fromkeys(stretches)}
    factors = [
        mpf(1) if run.clip_regularizer else mpf_of(abs(1 - one.step_size * run.l2)) for one in stretches
    ]
    return Known(
        {"world": "any", "repeats": [one.count for one in stretches], "last": last},
        {"s": [sizes[one] for one in stretches], "delta": mpf(0), "c": factors},
        (LIPSCHITZ, "s = eta*(g_P + g_Q)", "c = Abs(eta*lambda - 1)"),
        _restart(last, premises),
    )


def _bounds(stage: Stage, given: dict[str, Any], premises: Premises) -> Callable[[Rows], mpf]:
    confined, known = _last(given) is not None, {}

    def bound(rows: Rows) -> mpf:
        for j in rows:
            if j not in known:
                known[j] = gradient(stage, j, premises, confined)
        return total(known[j] for j in rows)

    return bound


def _require_fixed(stage: Stage) -> None:
    if stage.run.normalizer == "current":
        raise Rejected("", "the normalizer `current` reweights every other point as well")


def _sensitivity(
    stage: Stage, size_at: Callable[[int, Stretch, Rows], mpf]
) -> tuple[list[int], list[mpf]]:
    """Repeats and shifts: one entry a step where a point is removed, else one a stretch."""
    repeats: list[int] = []
    shifts: list[mpf] = []
    t = 0
    for one in stage.run.shared:
        rows = stage.run.removed(one)
        for k in range(one.count if rows else 1):
            scale = mpf_of(one.step_size) / stage.run.size(one.p)
            shifts.append(scale * size_at(t + k, one, rows) if rows else mpf(0))
        repeats += [1] * one.count if rows else [one.count]
        t += one.count
    return repeats, shifts


def residual_law(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """Mean and variance of the removed points' residuals before each step.

    v_t = (A^t x).S (A^t x) + sigma^2 sum_{k<t} |A^k x|^2 within a stretch.  ``lost`` adds up what every
    step rounds, in units; later steps multiply that by at most ``growth``, a product of contraction
    bounds (twice for a covariance).
    """
    require_affine(stage)
    run, stretches = stage.run, stage.run.removing
    world = choice(given.get("world"), "exact.world", ("P", "Q"))
    bounds = rates(used, [(one.batch(world), one.step_size) for one in stretches])
    mean = array(run.start, (run.d,))
    covariance = identity(run.d, run.start_variance)
    growth, lost = mpf(1), 1
    means: list[list[Approx]] = []
    variances: list[list[Approx]] = []
    for one in stretches:
        batch, rows = one.batch(world), run.removed(one)
        step = one_step(stage, batch, one.step_size, one.variance)
        rate = mpf_of(bounds[batch, one.step_size]) ** one.count
        growth *= max(mpf(1), rate)
        lost += one.count * (step.a.error + step.m.error + run.d)
        slack = growth * real(lost) * (1 + real(size(mean.units)) + real(step.m.norm))
        images = [stage.data.x.units[j] for j in rows]
        past = [mpf(0) for _ in rows]
        point = mean.units
        for _ in range(one.count if rows else 0):
            means.append([])
            variances.append([])
            for k, j in enumerate(rows):
                x, length = stage.data.x.units[j], stage.norms([j])[0]
                residual = real(int(np.dot(x, point)) >> BITS) - stage.data.label(j)
                carried = np.dot(images[k], np.dot(covariance.units, images[k]) >> BITS)
                variance = real(int(carried) >> BITS) + mpf_of(one.variance) * past[k]
                means[-1].append(Approx(residual, slack * (1 + length)))
                spread = (
                    growth
                    * slack
                    * (1 + length) ** 2
                    * (1 + real(size(covariance.units)) + mpf_of(one.variance) * one.count)
                )
                variances[-1].append(Approx(variance, spread if variance else mpf(0)))
                past[k] += mpf(int(np.dot(images[k], images[k]))) / ONE**2
                images[k] = np.dot(step.a.units, images[k]) >> BITS
            point = (np.dot(step.a.units, point) >> BITS) + step.m.units
        whole = step.repeated(one.count)
        if not rows:
            means += [[]] * one.count
            variances += [[]] * one.count
        mean = whole.a @ Fixed(mean.units) + whole.m
        covariance = whole.a @ Fixed(covariance.units) @ whole.a.T + whole.s
        lost += mean.error + covariance.error
        if growth**2 * lost > mpf(2) ** (BITS // 2):
            raise Rejected("", "the steps lose too many digits to be followed")
    return Known(
        {"world": world},
        {"mean": means, "variance": variances},
        (*STEP, "m_{t+1} = A*m_t + b", "mu_t = -y_i + x_i.T*m_t", "V_t = A^t x_i.T*S*A^t x_i",
         "v = V_t + Z_t*sigma^2"),
    )  # fmt: skip


def _tail(law: Known, t: int, j: int, bound: mpf) -> mpf:
    """P(|r_t| > bound) of a residual."""
    mean, variance = mpf_of(law.values["mean"][t][j]), mpf_of(law.values["variance"][t][j])
    if variance == 0:
        return mpf(0) if ends(law.values["mean"][t][j])[1] <= bound and -bound <= mean else mpf(1)
    width = mpmath.sqrt(2 * variance)
    return (mpmath.erfc((bound - mean) / width) + mpmath.erfc((bound + mean) / width)) / 2


def high_probability(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """S3: s_t from the bounds given on the residuals, delta the sum of their tails."""
    _require_fixed(stage)
    (law,) = used
    rows = [listed(row, "exact.bounds") for row in listed(given.get("bounds"), "exact.bounds")]
    bounds = [[exact(x, f"exact.bounds[{t}]") for x in row] for t, row in enumerate(rows)]
    if list(map(len, bounds)) != list(map(len, law.values["mean"])):
        raise Rejected("exact.bounds", "not one bound for each residual")
    if any(x < 0 for row in bounds for x in row):
        raise Rejected("exact.bounds", "a bound is negative")

    def size_at(t: int, one: Stretch, gone: Rows) -> mpf:
        return total(x * mpf_of(b) for x, b in zip(stage.norms(gone), bounds[t], strict=True))

    repeats, shifts = _sensitivity(stage, size_at)
    tails = [_tail(law, t, j, mpf_of(b)) for t, row in enumerate(bounds) for j, b in enumerate(row)]
    return Known(
        {"world": law.exact["world"], "repeats": repeats, "last": None, "bounds": bounds},
        {"s": shifts, "delta": total(tails)},
        (TAIL, INSTANCE),
    )


def exceedance(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """S3 for one step: the tail of the residual at shift N/(eta |x_i|)."""
    _require_fixed(stage)
    (law,) = used
    step = natural(given.get("step"), "exact.step", 1)
    shift = exact(given.get("sensitivity"), "exact.sensitivity")
    before = 0
    for one in stage.run.shared:
        if step <= before + one.count:
            break
        before += one.count
    else:
        raise Rejected("exact.step", "the two worlds do not share that step")
    rows = stage.run.removed(one)
    if len(rows) > 1 or shift < 0:
        raise Rejected("", "needs a single removed point, and a shift not negative")
    norm = stage.norms(rows)[0] if rows else mpf(0)
    value = mpf(0)
    if norm:
        scale = mpf_of(one.step_size) * norm / stage.run.size(one.p)
        value = _tail(law, step - 1, 0, mpf_of(shift) / scale)
    return Known(
        {"world": law.exact["world"], "step": step, "sensitivity": shift},
        {"probability": value},
        ("q = N*s/(X*eta)", TAIL),
    )


def margin_law(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """Margins of the removed points along the noiseless run, tau_t^2 and b_t.

    The noiseless run is followed in integers of FINE bits after the point.  A step is off by at most
    ``rounding``: x and the slopes are within a few units, and so is every product; later steps multiply
    what is lost by the contraction bounds.
    """
    run, stretches = stage.run, stage.run.removing
    if run.loss not in SLOPE or run.projection is not None or run.clip is not None:
        raise Rejected("", "needs the logistic or huber loss, no projection, no clip")
    labels = _labels(stage)
    world = choice(given.get("world"), "exact.world", ("P", "Q"))
    bounds = rates(used, [(one.batch(world), one.step_size) for one in stretches])
    whole = stage.data.x.units >> (BITS - FINE)
    point = array(run.start, (run.d,)).units >> (BITS - FINE)
    spread, bias = mpf_of(run.start_variance), mpf(0)
    error, crude = mpf(run.d) * UNIT if any(run.start) else mpf(0), mpf("inf")
    third = 1 / (6 * mpmath.sqrt(3)) if run.loss == "logistic" else crude
    steepest = 1 if run.loss == "logistic" else mpf_of(run.threshold)
    values: dict[str, list[list[Any]]] = {"margin": [], "tau_squared": [], "bias": []}
    for one in stretches:
        rows, batch = run.removed(one), one.batch(world)
        rate, eta, divisor = mpf_of(bounds[batch, one.step_size]), mpf_of(one.step_size), run.size(batch)
        members = list(run.rows(batch))
        x, y = whole[members], [mpf_of(stage.data.label(j)) for j in members]
        norms = stage.norms(members)
        cubes = total(norm**3 for norm in norms)
        longest = max(norms, default=mpf(0))
        lost = len(members) * (longest + steepest + 1) * (1 + eta) * 64 + run.d * (eta + 1) * 8
        for _ in range(one.count):
            margins = [
                Approx(mpf(int(np.dot(whole[j], point))) * UNIT**2, (norm + 1) * error)
                for j, norm in zip(rows, stage.norms(rows), strict=True)
            ]
            values["margin"].append(margins)
            values["tau_squared"].append([spread] * len(rows))
            values["bias"].append([bias] * len(rows))
            slopes = _slopes(stage, np.dot(x, point) >> FINE, y)
            change = (np.dot(slopes, x) >> FINE) // divisor
            change += point * run.l2.numerator // run.l2.denominator
            point = point - change * one.step_size.numerator // one.step_size.denominator
            reach = 1 + sum(abs(int(v)) for v in point) * UNIT
            error = rate * error + lost * reach * (1 + longest) * UNIT
            bias = rate * bias + eta / divisor * cubes * third * spread / 2 if third < crude else crude
            spread = rate * rate * spread + mpf_of(one.variance)
            bias = min(bias, mpmath.sqrt(run.parameters * spread))
        if error > mpf(10) ** -33:
            raise Rejected("", "the steps lose too many digits to be followed")
    return Known(
        {"world": world},
        values,
        (SLOPE[run.loss], "tau_{t+1}^2 = c**2*tau_t^2 + sigma^2",
         "b_{t+1} = B_3*S_3*eta*tau_t^2/(2*N) + b_t*c", "b_t = sqrt(d)*sqrt(tau_t^2)"),
        tuple(labels.values()),
    )  # fmt: skip


FINE = 168
UNIT = mpf(2) ** -FINE
TABLE = 12
"""Bits after the point of the arguments whose exponentials are kept in a table."""


def _slopes(stage: Stage, margins: Any, labels: Sequence[mpf]) -> Any:
    """Slopes of the loss at margins, within a few units of FINE bits."""
    if stage.run.loss == "huber":
        k = int(mpf_of(stage.run.threshold) / UNIT)
        return np.clip(margins - np.array([int(y / UNIT) for y in labels], dtype=object), -k, k)
    signs = np.array([int(y) for y in labels], dtype=object)
    one = 1 << FINE
    far = 256 * one  # beyond, the slope is within one unit of 0 or 1
    return -signs * (one * one // (one + _exponential(np.clip(signs * margins, -far, far))))


def _exponential(units: Any) -> Any:
    """exp of numbers in units: a table for the first TABLE bits, a Taylor series for the rest."""
    heads = units >> (FINE - TABLE)
    rest = units - (heads << (FINE - TABLE))
    term = result = rest * 0 + (1 << FINE)
    for k in range(1, FINE // TABLE + 2):
        term = (term * rest >> FINE) // k
        result = result + term
    return result * np.array([_tabulated(head) for head in heads], dtype=object) >> FINE


@lru_cache(1 << 16)
def _tabulated(head: int) -> int:
    return int(mpmath.exp(mpf(head) / 2**TABLE) / UNIT)


def _slope(stage: Stage, u: mpf, y: mpf) -> mpf:
    """|loss'| at a margin."""
    if stage.run.loss == "huber":
        return min(mpf_of(stage.run.threshold), abs(u - y))
    return abs(y) / (1 + mpmath.exp(y * u))


def margin_sensitivity(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """S4: s_t = (eta/N) sum_F |x_i| max |loss'| over margin +- |x_i| (tau sqrt(2 log(2/p)) + b)."""
    _require_fixed(stage)
    (law,) = used
    share = exact(given.get("share"), "exact.share")
    if not 0 < share < 1:
        raise Rejected("exact.share", "not between 0 and 1")
    reach = mpmath.sqrt(2 * mpmath.log(2 / mpf_of(share)))
    spent = 0

    def size_at(t: int, one: Stretch, gone: Rows) -> mpf:
        nonlocal spent
        parts = []
        for k, (j, norm) in enumerate(zip(gone, stage.norms(gone), strict=True)):
            u, tau2, b = (mpf_of(law.values[name][t][k]) for name in ("margin", "tau_squared", "bias"))
            half, y = norm * (mpmath.sqrt(tau2) * reach + b), stage.data.label(j)
            spent += tau2 > 0
            parts.append(norm * max(_slope(stage, u - half, y), _slope(stage, u + half, y)))
        return total(parts)

    repeats, shifts = _sensitivity(stage, size_at)
    return Known(
        {"world": law.exact["world"], "repeats": repeats, "last": None, "share": share},
        {"s": shifts, "delta": mpf_of(spent * share)},
        ("h_t = X*(b_t + sqrt(2)*sqrt(tau_t^2)*sqrt(log(2/d_t)))", SLOPE[stage.run.loss], INSTANCE),
    )
