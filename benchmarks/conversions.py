"""The same questions to certaudit, dp-accounting and opacus: our enclosure, their floats, seconds each.

Needs `pip install -e ".[benchmark]"`.  A Gaussian mechanism of noise sigma run k times is mu-GDP with
mu = sqrt(k)/sigma, so the truth is known (C5) and every answer can be judged:

  UNSOUND   below our proved lower end of the truth, by more than float rounding
  NEGATIVE  an epsilon or delta below 0
  ERROR     an exception, nan, or a delta of exactly 0 that is not 0
  ACCEPTED  a number where the question makes no sense (nan, delta above 1)

The rest are upper bounds, and the last column says how many times the truth they are.  The three
conversions of certaudit are timed together.
"""

import contextlib
import importlib.util
import io
import logging
import math
import sys
import time
import warnings
from dataclasses import dataclass
from fractions import Fraction

if any(importlib.util.find_spec(name) is None for name in ("dp_accounting", "opacus")):
    sys.exit('conversions.py: needs dp-accounting and opacus: pip install -e ".[benchmark]"')

import dp_accounting
from dp_accounting.rdp import compute_epsilon
from dp_accounting.rdp.rdp_privacy_accountant import RdpAccountant
from opacus.accountants import RDPAccountant as OpacusAccountant
from opacus.accountants.analysis import gdp as opacus_gdp
from opacus.accountants.analysis import rdp as opacus_rdp

from certaudit.core.balls import ball, lower, precision, upper
from certaudit.core.gaussian import gaussian_delta
from certaudit.search.conversion import improved_epsilon
from certaudit.search.orders import epsilon_range
from certaudit.search.slack import conversions

BITS = 192
ROUNDING = 1e-9
ROW = "{:<34} {:<34} {:>24} {:>10}  {}"


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian mechanism of noise ``sigma``, run ``steps`` times."""

    sigma: Fraction
    steps: int = 1

    @property
    def mu(self):
        return ball(1 / self.sigma) * (ball(self.steps).sqrt() if self.steps > 1 else 1)

    @property
    def float_mu(self):
        return math.sqrt(self.steps) / float(self.sigma)

    def renyi(self, order):
        return ball(order * self.steps / (2 * self.sigma**2))


def dp_exact_epsilon(case, delta):
    return dp_accounting.get_epsilon_gaussian(1 / case.float_mu, delta)


def dp_composed(case):
    event = dp_accounting.GaussianDpEvent(float(case.sigma))
    return RdpAccountant().compose(event, case.steps)


def dp_rdp_epsilon(case, delta):
    return dp_composed(case).get_epsilon(delta)


def dp_rdp_delta(case, epsilon):
    return dp_composed(case).get_delta(epsilon)


def opacus_rdp_epsilon(case, delta):
    orders = OpacusAccountant.DEFAULT_ALPHAS
    curve = opacus_rdp.compute_rdp(
        q=1.0, noise_multiplier=float(case.sigma), steps=case.steps, orders=orders
    )
    return opacus_rdp.get_privacy_spent(orders=orders, rdp=curve, delta=delta)[0]


def opacus_gdp_epsilon(case, delta):
    return opacus_gdp.eps_from_mu(mu=case.float_mu, delta=delta)


def opacus_gdp_delta(case, epsilon):
    return opacus_gdp.delta_eps_mu(eps=epsilon, mu=case.float_mu)


EPSILON = {
    "dp-accounting get_epsilon_gaussian": dp_exact_epsilon,
    "dp-accounting RDP": dp_rdp_epsilon,
    "opacus RDP": opacus_rdp_epsilon,
    "opacus eps_from_mu": opacus_gdp_epsilon,
}
DELTA = {"dp-accounting RDP get_delta": dp_rdp_delta, "opacus delta_eps_mu": opacus_gdp_delta}

AT_DELTA = [
    *((Gaussian(1 / Fraction(mu)), delta) for mu in ("1e-6", "0.1", "1", "30", "1000") for delta in
      ("0.1", "1e-5", "1e-30", "1e-100", "1e-300")),
    (Gaussian(Fraction(1)), "0.9"),
    (Gaussian(1 / Fraction(28)), "1e-5"),
    (Gaussian(Fraction("1e5")), "1e-5"),
    (Gaussian(Fraction("1e-10")), "1e-5"),
    (Gaussian(Fraction(4), 1000), "1e-5"),
]  # fmt: skip
AT_EPSILON = [
    (Gaussian(1 / Fraction(mu)), epsilon)
    for mu, epsilon in (("1", "1"), ("1", "50"), ("30", "710"), ("0.01", "0.3"), ("1000", "500000"))
]
NONSENSE = {
    "RDP [nan, 3] at orders [2, 4]": (
        lambda: improved_epsilon(2, math.nan, Fraction(1, 10**5)),
        {"dp-accounting compute_epsilon": lambda: compute_epsilon([2, 4], [math.nan, 3.0], 1e-5)[0]},
    ),
    "order inf alone, sigma 1": (
        lambda: improved_epsilon(math.inf, math.inf, Fraction(1, 10**5)),
        {
            "dp-accounting RDP": lambda: (
                RdpAccountant([math.inf]).compose(dp_accounting.GaussianDpEvent(1.0)).get_epsilon(1e-5)
            )
        },
    ),
    "delta nan, sigma 1": (
        lambda: epsilon_range(ball(1), math.nan),
        {name: lambda f=f: f(Gaussian(Fraction(1)), math.nan) for name, f in EPSILON.items()},
    ),
    "delta 2, sigma 1": (
        lambda: epsilon_range(ball(1), Fraction(2)),
        {name: lambda f=f: f(Gaussian(Fraction(1)), 2.0) for name, f in EPSILON.items()},
    ),
}


def timed(ask):
    """(answer or exception, seconds): the best of up to three calls, fewer if one takes long."""
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                answer = ask()
        except Exception as error:
            answer = error
        best = min(best, time.perf_counter() - start)
        if best > 0.3:
            break
    return answer, best


def duration(seconds):
    return f"{seconds * 1e3:.3f} ms"


def judge(answer, low, high):
    """The mark of a float against the proved enclosure [low, high] of the truth."""
    if isinstance(answer, Exception):
        return f"ERROR ({type(answer).__name__})"
    if math.isnan(answer):
        return "ERROR (nan)"
    if answer < 0:
        return "NEGATIVE"
    if math.isinf(answer):
        return "infinite"
    if answer == 0 < low:
        return "UNSOUND (0, and the truth is above)"
    value = Fraction(answer)
    if value < low:
        lost = float(1 - value / low)
        return f"UNSOUND (too low by {lost:.2g} of it)" if lost > ROUNDING else "equal, to rounding"
    if value <= high or value - high <= Fraction(ROUNDING) * high:
        return "equal, to rounding"
    if high == 0:
        return "loose (the truth is 0)"
    excess = float(value / high - 1)
    return f"{1 + excess:.6g} times" if excess > 1e-5 else f"above by {excess:.2g} of it"


def judge_nonsense(answer):
    if math.isnan(answer):
        return "ERROR (nan)"
    return "infinite (says nothing)" if answer == math.inf else "ACCEPTED"


def shown(answer):
    return type(answer).__name__ if isinstance(answer, Exception) else f"{float(answer):.15g}"


def digits(x):
    """About ten digits of an exact number of any size."""
    if 0 < x < Fraction(1, 10**300):
        return ball(x).str(10, radius=False)
    return f"{float(x):.12g}"


def compare(label, ours, seconds, answers, low, high):
    marks = []
    print(ROW.format(label, "certaudit (C5)", ours, duration(seconds), ""))
    for name, ask in answers.items():
        answer, took = timed(ask)
        mark = judge(answer, low, high)
        marks.append((name, mark))
        print(ROW.format("", name, shown(answer), duration(took), mark))
    return marks


def at_delta():
    marks = []
    for case, text in AT_DELTA:
        delta = Fraction(text)
        (low, high), seconds = timed(lambda case=case, delta=delta: epsilon_range(case.mu, delta))
        label = f"epsilon: mu {case.float_mu:.6g}, delta {text}"
        answers = {name: lambda f=f, c=case, d=text: f(c, float(d)) for name, f in EPSILON.items()}
        middle = digits(high) if high - low <= high / 10**10 else f"{digits(low)}..{digits(high)}"
        marks += compare(label, middle, seconds, answers, low, high)
        ends, seconds = timed(lambda case=case, delta=delta: conversions(case.renyi, delta))
        for end in ends:
            mark = judge(float(end.epsilon), low, high)
            marks.append((f"certaudit {end.rule}", mark))
            name = f"certaudit {end.rule} at order 1+{float(end.order - 1):.4g}"
            print(ROW.format("", name, digits(end.epsilon), duration(seconds / len(ends)), mark))
    return marks


def at_epsilon():
    marks = []
    for case, text in AT_EPSILON:
        epsilon = Fraction(text)
        value, seconds = timed(lambda case=case, epsilon=epsilon: gaussian_delta(case.mu, epsilon))
        label = f"delta: mu {case.float_mu:.6g}, epsilon {text}"
        answers = {name: lambda f=f, c=case, e=text: f(c, float(e)) for name, f in DELTA.items()}
        marks += compare(
            label, value.str(13, radius=False), seconds, answers, lower(value), upper(value)
        )
    return marks


def nonsense():
    marks = []
    for label, (ours, answers) in NONSENSE.items():
        answer, seconds = timed(ours)
        print(ROW.format(label, "certaudit", shown(answer), duration(seconds), str(answer)))
        for name, ask in answers.items():
            theirs, took = timed(ask)
            mark = "refused" if isinstance(theirs, Exception) else judge_nonsense(theirs)
            marks.append((name, mark))
            print(ROW.format("", name, shown(theirs), duration(took), mark))
    return marks


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    start = time.perf_counter()
    print(ROW.format("question", "asked", "answer", "time", "against the truth"))
    with precision(BITS):
        marks = at_delta() + at_epsilon() + nonsense()
    print()
    bad = ("UNSOUND", "NEGATIVE", "ERROR", "ACCEPTED")
    for name in dict.fromkeys(name for name, _ in marks):
        own = [mark.split(" ")[0] for asked, mark in marks if asked == name]
        counts = ", ".join(f"{own.count(word)} {word}" for word in bad if word in own)
        print(f"{name}: {len(own)} questions; {counts or 'nothing wrong'}")
    print(f"{time.perf_counter() - start:.1f} s in all")


if __name__ == "__main__":
    main()
