"""The numbers of a run put into a formula, for reading: rounded in the formula, enclosed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb
from sympy.printing.str import StrPrinter

from certaudit.kernel import pair as pair_symbols
from certaudit.kernel import schedule
from certaudit.kernel.balls import ball
from certaudit.kernel.expr import evaluate
from certaudit.kernel.pair import Whitened, whitened
from certaudit.kernel.schedule import Pair
from certaudit.kernel.slope import gradient_bound
from certaudit.kernel.spectrum import label, row_norm
from certaudit.kernel.statement import Statement
from certaudit.run import Run

SHORT = 6
Numbers = dict[str, Any]


@dataclass(frozen=True)
class Substituted:
    """A formula with numbers in it; ``value`` encloses it, None where a symbol is left."""

    left: sp.Basic
    right: sp.Basic
    value: arb | None

    def text(self) -> str:
        """On one line."""
        return f"{sp.sstr(self.left)} = {_Plain().doprint(self.right)}"

    def latex(self) -> str:
        """As LaTeX."""
        names = {dummy: _latex_number(dummy.name) for dummy in self.right.atoms(sp.Dummy)}
        return f"{sp.latex(self.left)} = {sp.latex(self.right, symbol_names=names)}"


def substitutions(step: Statement) -> Iterator[Substituted]:
    """A step's formulas with the numbers that are known of it."""
    source = SOURCES.get(step.rule.id)
    if source is not None:
        yield from substitute(step.formulas, source(step))


def substitute(formulas: Sequence[sp.Basic], numbers: Numbers) -> Iterator[Substituted]:
    """The formulas whose symbols are all among the numbers (by name), in order; each result is known to
    the next.  An integral is shown with the numbers known; a formula for one of the numbers is left out,
    and so is one without a finite value."""
    known = {name: _ball(value) for name, value in numbers.items()}
    for formula in formulas:
        if not isinstance(formula, sp.Eq) or isinstance(formula.rhs, sp.MatrixExpr):
            continue
        if str(formula.lhs) in numbers:
            continue
        needed = formula.rhs.free_symbols
        values = {one: known[one.name] for one in needed if one.name in known}
        whole = len(values) == len(needed)
        if not values or not (whole or formula.has(sp.Integral)):
            continue
        value = evaluate(formula, values) if whole else None
        if value is not None:
            if not value.is_finite():
                continue
            known[str(formula.lhs)] = value
            known[str(formula.lhs).removesuffix("(s)")] = value
        yield Substituted(formula.lhs, _put(formula.rhs, values), value)


class _Plain(StrPrinter):  # type: ignore[misc]
    def _print_Dummy(self, expr: sp.Dummy) -> str:
        return str(expr.name)


def _put(formula: sp.Basic, values: dict[sp.Symbol, arb]) -> sp.Basic:
    return formula.xreplace(
        {symbol: sp.Dummy(short(value), **symbol.assumptions0) for symbol, value in values.items()}
    )


def short(value: arb) -> str:
    """A rounded number; in parentheses if negative."""
    mantissa, mark, exponent = str(value.str(SHORT, radius=False)).partition("e")
    text = (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + mark + exponent
    return f"({text})" if text.startswith("-") else text


def _latex_number(text: str) -> str:
    mantissa, mark, exponent = text.strip("()").partition("e")
    number = rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if mark else mantissa
    return rf"\left({number}\right)" if text.startswith("(") else number


def _ball(value: Any) -> arb:
    return value if isinstance(value, arb) else ball(value)


def _curvature(step: Statement) -> Numbers:
    run: Any = step.subject
    exact = step.exact
    rows = run.rows(exact["batch"])
    return {
        "tau": sum((row_norm(run, j) ** 2 for j in rows), arb(0)),
        "n_w": len(rows),
        "kappa_min": arb(0) if run.loss != "ridge" or run.clip is not None else step.values["kappa_min"],
        "kappa_max": step.values["kappa_max"],
        "N": exact["N"],
        "lambda": exact["l2"],
        "beta": exact["beta"],
    }


def _contraction(step: Statement) -> Numbers:
    run: Any = step.subject
    return {
        "eta": step.exact["step_size"],
        "m": step.values["m"],
        "L": step.values["L"],
        "lambda": run.l2,
    }


def _first_removal(step: Statement) -> tuple[int, Pair] | None:
    """The first step that removes a row, and its number from 0."""
    t = 0
    run: Any = step.subject
    last = step.exact.get("last")
    pairs = schedule.last(step.rule, run, last) if last else schedule.from_start(step.rule, run)
    for pair in pairs:
        if pair.first != pair.second:
            return t, pair
        t += pair.count
    return None


def _step(run: Run, pair: Pair) -> Numbers:
    removed, kept = pair.removed(run), run.rows(pair.second)
    return {
        "eta": pair.step_size,
        "N": run.count(pair.first),
        "k": len(removed),
        "n_kept": max(len(kept), 1),
        "sigma^2": pair.noise_variance,
    }


def _worst(step: Statement) -> Numbers:
    found = _first_removal(step)
    run: Any = step.subject
    return {} if found is None else {**_step(run, found[1]), "M": step.values["M"]}


def _instance(step: Statement) -> Numbers:
    found = _first_removal(step)
    if found is None:
        return {}
    run: Any = step.subject
    confined = step.exact["last"] is not None

    def total(rows: tuple[int, ...]) -> arb:
        bounds = (gradient_bound(step.rule, run, j, [], confined=confined) for j in rows)
        return sum(bounds, arb(0))

    pair = found[1]
    numbers = {**_step(run, pair), "S_F": total(pair.removed(run))}
    return numbers | ({"S_rest": total(run.rows(pair.second))} if run.normalizer == "current" else {})


def _drift(step: Statement) -> Numbers:
    run: Any = step.subject
    last = step.exact["last"]
    pairs = schedule.last(step.rule, run, last) if last else schedule.whole(step.rule, run)
    if not pairs:
        return {}
    confined = last is not None
    numbers: Numbers = {"eta": pairs[0].step_size, "lambda": run.l2}
    if run.clip is not None and run.clip.regularizer:
        numbers["c"] = 1
    for name, batch in (("g_P", pairs[0].first), ("g_Q", pairs[0].second)):
        bounds = (gradient_bound(step.rule, run, j, [], confined=confined) for j in run.rows(batch))
        numbers[name] = sum(bounds, arb(0)) / run.count(batch)
    return numbers


def _last(rows_of_steps: Sequence[Any]) -> int:
    """The last step with a row in it, -1 if there is none."""
    return max((t for t, rows in enumerate(rows_of_steps) if rows), default=-1)


def _tail(step: Statement) -> Numbers:
    """S3 before the last step that removes a row, and for one step's exact tail."""
    run: Any = step.subject
    (law,) = step.uses
    if step.kind == "exceedance":
        t = step.exact["step"] - 1
        extra: Numbers = {"s": step.exact["sensitivity"]}
    else:
        t = _last(step.exact["bounds"])
        extra = {}
    if t < 0 or t >= len(law.values["mean"]) or not law.values["mean"][t]:
        return {}
    pair = _pair_at(step, t)
    rows = pair.removed(run)
    numbers = {
        **_step(run, pair),
        **extra,
        "X": row_norm(run, rows[0]),
        "mu": law.values["mean"][t][0],
        "v": law.values["variance"][t][0],
    }
    if step.kind != "exceedance":
        bounds = step.exact["bounds"][t]
        numbers["q"] = bounds[0]
        numbers["S_F"] = sum(
            (row_norm(run, i) * ball(q) for i, q in zip(rows, bounds, strict=True)), arb(0)
        )
    if numbers["v"].is_zero():
        numbers.pop("mu")
    return numbers


def _margin(step: Statement) -> Numbers:
    """S4 at the last step that removes a row: its first row's half-width and the larger end's slope."""
    run: Any = step.subject
    (law,) = step.uses
    t = _last(law.values["margin"])
    if t < 0:
        return {}
    pair = _pair_at(step, t)
    row = pair.removed(run)[0]
    numbers: Numbers = {
        **_step(run, pair),
        "X": row_norm(run, row),
        "tau_t^2": law.values["tau_squared"][t][0],
        "b_t": law.values["bias"][t][0],
        "d_t": step.exact["share"],
        "y": label(run, row),
    }
    half = evaluate(
        step.formulas[0], {one: _ball(numbers[one.name]) for one in step.formulas[0].rhs.free_symbols}
    )
    slope = step.formulas[1].rhs
    if run.threshold is not None:
        numbers["k"] = run.threshold

    def size(end: arb) -> arb:
        names = {**numbers, "u": end}
        value: arb = evaluate(slope, {one: _ball(names[one.name]) for one in slope.free_symbols})
        return abs(value)

    ends = [law.values["margin"][t][0] - half, law.values["margin"][t][0] + half]
    numbers["u"] = ends[0] if size(ends[0]) >= size(ends[1]) else ends[1]
    if len(pair.removed(run)) == 1:
        numbers["S_F"] = numbers["X"] * size(numbers["u"])
    return numbers


def _pair_at(step: Statement, t: int) -> Pair:
    run: Any = step.subject
    for pair in schedule.from_start(step.rule, run):
        if t < pair.count:
            return pair
        t -= pair.count
    raise ValueError("a step beyond the schedule")


def _order_and_gaussian(step: Statement) -> Numbers:
    return {"alpha": step.exact["order"], "mu": step.uses[0].values["mu"]}


def _conversion(step: Statement) -> Numbers:
    (used,) = step.uses
    return {"alpha": used.exact["order"], "r": used.values["r"], "delta": step.exact["delta"]}


def _optimal(step: Statement) -> Numbers:
    (used,) = step.uses
    inside, outside = step.exact["log_ratios"]
    return {
        "alpha": used.exact["order"],
        "r": used.values["r"],
        "epsilon": step.exact["epsilon"],
        "u": inside,
        "v": outside,
    }


def _gaussian_delta(step: Statement) -> Numbers:
    return {"mu": step.uses[0].values["mu"], "epsilon": step.exact["epsilon"]}


def _moment(pair: Statement, point: arb) -> Numbers:
    """The symbols of log M(s) at a real s, but for the terms dropped; none outside its domain."""
    form = whitened(pair)
    last, log_det = _pivots(form, point)
    _, at_minus_one = _pivots(form, arb(-1))
    if last is None:
        return {}
    numbers: Numbers = {"s": point, "nu": form.nu, "ell": log_det, "ell_1": at_minus_one}
    if len(form.diagonal) == 1:
        return {**numbers, "p_1": last}
    below, _ = _pivots(form, point, skip=1)
    return {
        **numbers,
        "p_1": last,
        "a": form.diagonal[0],
        "b^2": form.off_diagonal_squared[0],
        "p": below,
    }


def _pivots(form: Whitened, point: arb, skip: int = 0) -> tuple[arb | None, arb]:
    """The last pivot of I - s T, from the last row up to row ``skip``, and the sum of the logarithms."""
    last: arb | None = None
    log_det = arb(0)
    for k in reversed(range(skip, len(form.diagonal))):
        values = {pair_symbols.s: point, pair_symbols.a: form.diagonal[k]}
        if last is None:
            last = 1 - point * form.diagonal[k]
        else:
            below = {pair_symbols.b2: form.off_diagonal_squared[k], pair_symbols.p: last}
            last = evaluate(pair_symbols.PIVOT, {**values, **below})
        if not last > 0:
            return None, log_det
        log_det += last.log()
    return last, log_det


def _contour(step: Statement) -> Numbers:
    """log M is shown at s = 1, where it is the Rényi divergence of order 2."""
    return {**_moment(step.uses[0], arb(1)), "epsilon": step.exact["epsilon"]}


def _line(step: Statement) -> Numbers:
    form = whitened(step.uses[0])
    return {"lambda": form.diagonal[0], "v": form.nu, "epsilon": step.exact["epsilon"]}


def _event(step: Statement) -> Numbers:
    form = whitened(step.uses[0])
    return {
        "lambda": form.diagonal[0] + form.rho * arb(0, 1),
        "v": abs(form.nu),
        "epsilon": step.exact["epsilon"],
        "x": step.exact["threshold"],
    }


def _exact_renyi(step: Statement) -> Numbers:
    order = ball(step.exact["order"])
    return {**_moment(step.uses[0], order - 1), "alpha": order}


def _decay(step: Statement) -> Numbers:
    return {
        "alpha": step.exact["order"],
        "r_rest": step.uses[0].values["r"],
        "c^2n": step.values["factor"],
        "C_t": 1,
        "C_N": 1,
    }


def _adaptive(step: Statement) -> Numbers:
    """The last step that costs, at the order asked for."""
    run: Any = step.subject
    (law,) = step.uses
    t = _last(law.values["mean"])
    if t < 0:
        return {}
    pair = _pair_at(step, t)
    exponents: tuple[Fraction, ...] = step.exact["exponents"]
    return {
        **_step(run, pair),
        "alpha": step.exact["order"],
        "p": exponents[0] if exponents else 1,
        "X": row_norm(run, pair.removed(run)[0]),
        "mu": law.values["mean"][t][0],
        "v": law.values["variance"][t][0],
    }


def _triangle(step: Statement) -> Numbers:
    first, second = step.uses
    return {"alpha": step.exact["order"], "r_rest": first.values["r"], "r_2": second.values["r"]}


SOURCES: dict[str, Callable[[Statement], Numbers]] = {
    "curvature": _curvature,
    "contraction": _contraction,
    "S1": _worst,
    "S2": _instance,
    "S3": _tail,
    "S4": _margin,
    "S1-drift": _drift,
    "R1": _order_and_gaussian,
    "R2": _decay,
    "R4": _adaptive,
    "R5": _triangle,
    "C1": _conversion,
    "C2": _conversion,
    "C3": _optimal,
    "C5": _gaussian_delta,
    "C6": _contour,
    "C6-1d": _line,
    "C6-event": _event,
    "E3": _exact_renyi,
}
