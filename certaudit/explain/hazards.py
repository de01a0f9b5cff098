"""Hazards of privacy guarantees, after NIST SP 800-226's pyramid, and what checks each here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from certaudit.explain.topic import Topic, wrapped

Cover = Literal["covered", "in part", "not covered"]
Sure = Literal["quoted", "summary", "ours"]

SOURCE = (
    "NIST SP 800-226, Guidelines for Evaluating Differential Privacy Guarantees, final, March 2025, "
    "https://doi.org/10.6028/NIST.SP.800-226"
)
SURE: dict[Sure, str] = {
    "quoted": "named by the publication, as quoted with its section by others",
    "summary": "part of the publication's pyramid, as public summaries give it",
    "ours": "our reading; not known to be in the publication",
}
PARAGRAPHS = (
    "A guarantee is a pyramid: the parameters at its top hold only if what lies below them holds. Each "
    "entry is a way to be misled, with what checks it here. What is not covered is for a person to "
    "look at.",
    "Written from public summaries and quotations of the publication, not from its own text: words, "
    "order and choice are ours. Each entry says how sure it is that the publication has it too.",
)


@dataclass(frozen=True)
class Hazard:
    """One way to be misled.

    ``part``: the layer of the pyramid.  ``checks`` name what covers it: ``rule ID``, ``command NAME``,
    ``key NAME`` of the spec, ``spec FILE``, ``fault NAME`` of docs/faults.md.
    """

    name: str
    part: str
    hazard: str
    cover: Cover
    how: str
    checks: tuple[str, ...]
    sure: Sure


TOP, MIDDLE, BOTTOM = "parameters and unit", "algorithms, correctness, use", "deployment"

HAZARDS = (
    Hazard(
        "epsilon-alone",
        TOP,
        "An epsilon without its delta, its direction, or who may see what.",
        "covered",
        "a claim without all of its numbers is refused; a claim holds in both directions unless it says "
        "otherwise, and for the observer that `release` names",
        ("key claims", "key release", "fault one-direction"),
        "summary",
    ),
    Hazard(
        "large-epsilon",
        TOP,
        "A guarantee that is true and protects nobody, because its epsilon is large.",
        "not covered",
        "claimed, proved and measured values are reported apart; no value is called small enough",
        (),
        "summary",
    ),
    Hazard(
        "large-delta",
        TOP,
        "A delta near or above one over the number of rows, which allows giving rows away.",
        "not covered",
        "delta is taken as claimed, and the number of rows stands in the report",
        (),
        "ours",
    ),
    Hazard(
        "unit-of-privacy",
        TOP,
        "Rows are protected where persons were meant: someone with several rows is forgotten in one.",
        "covered",
        "with data.id_column every row of a subject is forgotten; assumed is that each person has one "
        "id. Without it rows are what is forgotten, and nothing says whose they are",
        ("key id_column", "key ids", "fault group-as-one"),
        "quoted",
    ),
    Hazard(
        "adjacency",
        TOP,
        "Guarantees for other pairs of data sets: replaced rows, or known numbers of rows.",
        "covered",
        "a claim is about removal from the stated data; the normalizer before and after is part of "
        "the run",
        ("key normalizer", "fault replacement-as-deletion"),
        "quoted",
    ),
    Hazard(
        "comparing-numbers",
        TOP,
        "Epsilons of different definitions are compared as if they were one.",
        "covered",
        "epsilon with delta, Rényi and Gaussian claims are kinds of their own, and only rules turn one "
        "into another",
        ("rule C3", "rule C5", "rule R1"),
        "ours",
    ),
    Hazard(
        "sensitivity-declared",
        MIDDLE,
        "A sensitivity that is declared and that nothing enforces.",
        "covered",
        "sensitivity is computed from the data and the run; clip and projection count where the spec "
        "has them, and traces are checked for them step by step",
        ("rule S1", "rule S2", "rule S3", "rule S4", "command conform"),
        "summary",
    ),
    Hazard(
        "wrong-proof",
        MIDDLE,
        "A theorem is used where its premises fail, or its proof is wrong.",
        "covered",
        "premises are checked on the run's numbers, or listed as assumed; a second checker verifies "
        "certificates again; the named theorem's own value stands beside the bound",
        ("command derive", "command check", "spec specs/logistic-premise-failed.yaml"),
        "summary",
    ),
    Hazard(
        "wrong-code",
        MIDDLE,
        "Code that does not do what was proved.",
        "in part",
        "shadow models are attacked and compared with the exact law, where it is known, or traces with "
        "the spec; the power lines say what an attack of this size could not have seen",
        ("command audit", "command conform", "command power"),
        "summary",
    ),
    Hazard(
        "composition",
        MIDDLE,
        "Several releases about one person add up.",
        "in part",
        "every iterate is composed if `release` says so; each request's claim is about one released "
        "model, and other releases made from the same data are not known here",
        ("rule I2", "rule R4", "key release", "key after"),
        "summary",
    ),
    Hazard(
        "tuning",
        MIDDLE,
        "Settings were chosen by runs on data with the row in, and tell about it.",
        "not covered",
        "the settings are taken as given",
        (),
        "ours",
    ),
    Hazard(
        "calibration",
        MIDDLE,
        "Noise calibrated to the removed row, so that its level tells about the row.",
        "covered",
        "the reference has a noise of its own if the spec says so; a difference refutes",
        ("key reference", "spec specs/ridge-calibration-leak.yaml", "fault calibration-leak"),
        "ours",
    ),
    Hazard(
        "preprocessing",
        MIDDLE,
        "Centres, scales and encodings were computed with the row in.",
        "in part",
        "listed in each report as assumed to be public; code under audit that does it is attacked",
        ("key columns", "key target", "fault row-in-statistic"),
        "ours",
    ),
    Hazard(
        "adaptive-requests",
        MIDDLE,
        "Requests for deletion were chosen after looking at released models.",
        "not covered",
        "requests are taken as fixed beforehand",
        (),
        "ours",
    ),
    Hazard(
        "utility",
        MIDDLE,
        "The released model is too inaccurate for its use.",
        "not covered",
        "no accuracy is measured",
        (),
        "summary",
    ),
    Hazard(
        "bias",
        MIDDLE,
        "Noise, clipping and deletion weigh more on small groups.",
        "not covered",
        "no groups are compared; `rank` shows which rows are hard to forget, not whose",
        (),
        "summary",
    ),
    Hazard(
        "random-numbers",
        BOTTOM,
        "Seeds used twice, published, or drawn from a weak generator.",
        "in part",
        "conformance tests the noise of a step for its law, and models within and between the worlds "
        "for dependence; how good a generator is, and who knows its seed, is not seen",
        (
            "command audit",
            "command conform",
            "fault same-seed-both-phases",
            "fault seed-shared-by-worlds",
        ),
        "ours",
    ),
    Hazard(
        "floating-point",
        BOTTOM,
        "Samplers in floating point whose outputs tell about the exact value.",
        "not covered",
        "proofs are about exact arithmetic and exactly Gaussian noise, and each report says so",
        (),
        "ours",
    ),
    Hazard(
        "side-channels",
        BOTTOM,
        "Time, memory or errors that depend on the row.",
        "not covered",
        "only models are looked at",
        (),
        "summary",
    ),
    Hazard(
        "trust-model",
        BOTTOM,
        "Who holds the data and the noise is trusted without being named.",
        "in part",
        "`release` names what an observer sees; whoever trains sees the data, and is trusted",
        ("key release",),
        "summary",
    ),
    Hazard(
        "security",
        BOTTOM,
        "Access to stored data, backups, logs, earlier models or the state of the optimizer.",
        "not covered",
        "a claim is about what `release` names; a holder of anything else learns what that tells",
        (),
        "summary",
    ),
    Hazard(
        "data-collection",
        BOTTOM,
        "Data that were exposed, or collected without need, before any model was trained.",
        "not covered",
        "the certificate begins with the data as they are",
        (),
        "summary",
    ),
)


@dataclass(frozen=True)
class Checklist(Topic):
    """A topic with its hazards."""

    hazards: tuple[Hazard, ...] = ()

    def lines(self) -> Iterator[str]:
        """The list, layer after layer, with how many are covered."""
        yield from super().lines()
        for part in dict.fromkeys(one.part for one in self.hazards):
            yield ""
            yield f"== {part}"
            for one in (one for one in self.hazards if one.part == part):
                yield ""
                yield f"[{one.cover}] {one.name}"
                yield from wrapped(one.hazard, "  ")
                checks = f" ({', '.join(one.checks)})" if one.checks else ""
                yield from wrapped(f"here: {one.how}{checks}", "  ")
                yield from wrapped(f"sure: {SURE[one.sure]}", "  ")
        yield ""
        counts = dict.fromkeys(("covered", "in part", "not covered"), 0)
        for one in self.hazards:
            counts[one.cover] += 1
        words = ", ".join(f"{count} {cover}" for cover, count in counts.items())
        yield f"{len(self.hazards)} hazards: {words}"


def topics() -> Iterator[Topic]:
    """The checklist."""
    title = "what can mislead, and what checks it here"
    yield Checklist("hazards", "checklist", title, PARAGRAPHS, SOURCE, hazards=HAZARDS)
