"""Certificates of the small runs: every rule of the format, claims as tight as the lines allow."""

from fractions import Fraction
from functools import cache

import forge_runs

from certaudit.certificate.record import Decided, Spec
from certaudit.certificate.write import document
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.core.balls import ball, lower, precision, upper
from certaudit.core.rules.c5 import Witness as Level
from certaudit.core.rules.r1 import Witness as Order
from certaudit.search import c3, c6
from certaudit.search.evidence import Evidence

SPEC = Spec("forged", "0" * 64)
BITS = 320
HAIR = Fraction(1, 10**6)
SLACK = Fraction(1, 10**4)


def above(x):
    """A short number a hair above."""
    return _short(upper(ball(x) * (1 + ball(HAIR))), 1)


def below(x):
    """A short number a hair below."""
    return _short(lower(ball(x) * (1 - ball(HAIR))), 0)


def _short(x, up):
    scale = Fraction(2) ** (48 - (x.numerator.bit_length() - x.denominator.bit_length()))
    return Fraction(int(x * scale) + up) / scale


class Maker:
    """Lines and the claims they decide."""

    def __init__(self, run):
        self.run, self.evidence, self.decided = run, Evidence(run), []

    def apply(self, rule, uses, witness):
        return self.evidence.proof.apply(rule, tuple(uses), witness)

    def claim(self, claim, verdict, lines):
        self.decided.append(Decided(claim, verdict, tuple(lines), self.evidence.proof))

    def sticks(self, name, lines, verdict="proved"):
        """Lines of one epsilon."""
        found = [line.statement for line in lines]
        directions = tuple(d for one in found for d in one.directions)
        if verdict == "proved":
            delta = max(above(one.delta.upper()) for one in found)
        else:
            delta = min(below(one.delta.lower()) for one in found)
        self.claim(EpsilonDelta(name, found[0].epsilon, delta, directions), verdict, lines)

    def gaussians(self, name, lines):
        found = [line.statement for line in lines]
        mu, delta = (max(above(getattr(one, k)) for one in found) for k in ("mu", "delta"))
        self.claim(GaussianClaim(name, mu, delta), "proved", lines)
        level = Fraction(1, 2)
        self.sticks(f"{name} at 1/2", [self.apply("C5", (one,), Level(level)) for one in lines])

    def shifts(self, name, lines, step=2):
        found = [line.statement for line in lines]
        size = max(
            above(one.shifts[0][1] if one.shifts[0][0] >= step else one.shifts[1][1]) for one in found
        )
        spent = max(above(one.delta) for one in found)
        self.claim(SensitivityClaim(name, step, size, min(spent, Fraction(1))), "proved", lines)

    def document(self):
        return document(self.run, self.decided, SPEC, include_data=True)


def line_exact():
    """E1, C6-1d, exceedance."""
    maker = Maker(forge_runs.line())
    pairs = maker.evidence.exact
    level = Fraction(1, 8)
    sticks = [pairs[d].hockey_stick(level) for d in ("P|Q", "Q|P")]
    maker.sticks("stick", sticks)
    most = max(sticks, key=lambda one: float(one.statement.delta))
    maker.sticks("broken", [most], "refuted")
    _exceedances(maker)
    return maker.document()


def _exceedances(maker):
    from certaudit.core.rules.exceedance import Witness

    size = Fraction(1, 20)
    lines = [
        maker.apply("exceedance", (law,), Witness(2, size)) for law in maker.evidence.residuals.values()
    ]
    chances = [one.statement.probability for one in lines]
    maker.claim(SensitivityClaim("step", 2, size, max(map(above, chances))), "proved", lines)
    most = max(lines, key=lambda one: float(one.statement.probability))
    maker.claim(
        SensitivityClaim("broken step", 2, size, below(most.statement.probability)), "refuted", [most]
    )


def plane_exact():
    """E1, C7b, C7, C6, C6-event, E3, E3-infinite, C5-cover."""
    maker = Maker(forge_runs.plane())
    pairs = maker.evidence.exact
    level = Fraction(1, 16)
    bent = [maker.apply("C7", (pairs[d].pair(),), _hyperbola(pairs[d], level)) for d in pairs]
    maker.sticks("bent", bent)
    upright = [maker.apply("C6", (pairs[d].pair(),), _vertical(pairs[d], Fraction(1, 2))) for d in pairs]
    maker.sticks("upright", upright)
    events = [one for d in pairs if (one := pairs[d].event(level, Fraction(1, 10**9)))]
    maker.sticks("event", events[:1], "refuted")
    _orders(maker, pairs)
    return maker.document()


def _orders(maker, pairs):
    exact = [pairs[d].renyi(Fraction(2)) for d in pairs]
    order = max(above(one.statement.r) for one in exact)
    maker.claim(RenyiClaim("order", Fraction(2), order), "proved", exact)
    most = max(exact, key=lambda one: float(one.statement.r))
    maker.claim(RenyiClaim("broken order", Fraction(2), below(most.statement.r)), "refuted", [most])
    infinite = next(one for d in pairs if (one := pairs[d].infinite_order()))
    maker.claim(GaussianClaim("no slack", Fraction(3), Fraction(0)), "refuted", [infinite])


def _hyperbola(pair, level, digits=6):
    from certaudit.search import c7

    return c7.witness(pair.pair().statement, pair.twin, level, digits)


def _vertical(pair, level, digits=4):
    return c6.witness(pair.pair().statement, pair.twin, level, digits)


def plane_cover():
    """C5-cover over C6-1d."""
    from certaudit.search.routes.gaussian import search

    maker = Maker(forge_runs.line())
    claim = GaussianClaim("cover", Fraction(3, 4), Fraction(1, 20))
    found = [one for one in search(maker.evidence, claim)[0] if one.rule == "C5-cover"]
    maker.claim(claim, "proved", found)
    return maker.document()


def plane_bounds(**changes):
    """residual-law, S3, I1, C5, exceedance, R4, R2, C3."""
    maker = Maker(forge_runs.plane(**changes))
    evidence = maker.evidence
    maker.gaussians("mu", evidence.high_probability(SLACK).lines)
    sensitivities = [evidence.proof.lines[one.uses[0]] for one in evidence.high_probability(SLACK).lines]
    maker.shifts("shift", sensitivities)
    _composed(maker)
    return maker.document()


def _composed(maker, order=Fraction(3, 2)):
    found = maker.evidence.adaptive(order)
    r = max(above(one.statement.r) for one in found)
    maker.claim(RenyiClaim("composed", order, r), "proved", found)
    level = Fraction(1)
    lines = [
        maker.apply("C3", (one,), c3.witness(order, float(one.statement.r), level)) for one in found
    ]
    maker.sticks("composed stick", lines)


def plane_every():
    """The same for an observer of every step: I2, R4 alone."""
    return plane_bounds(release="every-step")


def plane_path():
    """O2, O2-renyi: every step, exactly."""
    maker = Maker(forge_runs.path())
    walked = [maker.evidence.paths[d] for d in ("P|Q", "Q|P")]
    order = Fraction(3)
    found = [one.renyi(order) for one in walked]
    r = max(above(one.statement.r) for one in found)
    maker.claim(RenyiClaim("order", order, r), "proved", found)
    infinite = walked[0].renyi(Fraction(10**6))
    maker.claim(RenyiClaim("broken order", Fraction(10**6), Fraction(100)), "refuted", [infinite])
    sticks = [one.hockey_stick(Fraction(1, 2), 2) for one in walked]
    maker.sticks("stick", sticks)
    most = max(sticks, key=lambda one: float(one.statement.delta))
    maker.sticks("broken", [most], "refuted")
    return maker.document()


def plane_pair():
    """O1: before and after, by the learned model."""
    maker = Maker(forge_runs.plane(release="before-and-after"))
    pairs = [maker.evidence.exact[d] for d in ("P|Q", "Q|P")]
    found = [one.renyi(Fraction(2)) for one in pairs]
    r = max(above(one.statement.r) for one in found)
    maker.claim(RenyiClaim("order", Fraction(2), r), "proved", found)
    sticks = [one.hockey_stick(Fraction(1, 8), 4) for one in pairs]
    maker.sticks("stick", sticks)
    most = max(sticks, key=lambda one: float(one.statement.delta))
    maker.sticks("broken", [most], "refuted")
    return maker.document()


def cyclic_bounds():
    """Batches in turn, two requests, a claim about the first."""
    run = forge_runs.cyclic()
    first, last = Maker(run.after(1)), Maker(run)
    for maker, after in ((first, 1), (last, None)):
        bound = maker.evidence.high_probability(SLACK).lines
        found = [one.statement for one in bound]
        mu, delta = (max(above(getattr(one, k)) for one in found) for k in ("mu", "delta"))
        maker.claim(GaussianClaim(f"after {after}", mu, delta, after=after), "proved", bound)
    pairs = last.evidence.exact
    last.sticks("stick", [pairs[d].hockey_stick(Fraction(1, 8), 4) for d in pairs])
    return document(run, first.decided + last.decided, SPEC, include_data=True)


def logistic_bounds(**changes):
    """curvature, contraction, S1, S2, I1, R1, C5."""
    maker = Maker(forge_runs.logistic(**changes))
    for rule, line in maker.evidence.sensitivities.items():
        bound = maker.evidence._gaussian(line)
        maker.gaussians(f"{rule} mu", [bound])
        maker.shifts(f"{rule} shift", [line])
    known = maker.apply("R1", (bound,), Order(Fraction(3)))
    maker.claim(RenyiClaim("order", Fraction(3), above(known.statement.r)), "proved", [known])
    return maker.document()


def logistic_every():
    return logistic_bounds(release="every-step")


def logistic_current():
    return logistic_bounds(normalizer="current")


def logistic_margins():
    """margin-law, S4."""
    maker = Maker(forge_runs.logistic(start=forge_runs.Start((Fraction(0),) * 2, Fraction(1, 64))))
    maker.gaussians("mu", maker.evidence.high_probability(SLACK).lines)
    return maker.document()


def huber_restart():
    """S2 with a restart."""
    maker = Maker(forge_runs.projected())
    (bound,) = maker.evidence._restarted()
    maker.gaussians("mu", bound.lines)
    return maker.document()


def softmax_drift(regularizer=False):
    """S1-drift."""
    maker = Maker(forge_runs.softmax(regularizer))
    drift = maker.apply("S1-drift", (), _last("S1-drift"))
    maker.gaussians("mu", [maker.evidence._gaussian(drift)])
    maker.gaussians("by S2", [maker.evidence._gaussian(maker.evidence.sensitivities["S2"])])
    return maker.document()


def softmax_inside():
    return softmax_drift(True)


def _last(rule, last=None):
    from certaudit.core.rules import RULES

    return RULES[rule].witness(last)


BUILDERS = {
    one.__name__: one
    for one in (
        line_exact,
        plane_exact,
        plane_cover,
        plane_bounds,
        plane_every,
        plane_path,
        plane_pair,
        cyclic_bounds,
        logistic_bounds,
        logistic_every,
        logistic_current,
        logistic_margins,
        huber_restart,
        softmax_drift,
        softmax_inside,
    )
}


@cache
def certificate(name):
    """The content of one certificate."""
    with precision(BITS):
        return BUILDERS[name]()
