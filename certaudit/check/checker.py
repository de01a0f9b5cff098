"""A whole certificate: 1 FORMAT, 2 SEAL, 3 DATA, 4 LINE, 5 CLAIM, in this order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from . import affine, contour, path, rules_conversion, rules_iteration, rules_law, rules_pair, rules_step
from .claims import judge, read_claim
from .document import (
    FORMAT,
    choice,
    count,
    data_digest,
    digest,
    hexadecimal,
    items,
    parsed,
    record,
    text,
)
from .observer import told
from .refusal import Exhausted, Refused, limited, need, shown
from .run import Data, Run, read_data, read_run
from .statement import Statement
from .steps import Context

Rule = Callable[[Context, list[Statement], Any], Statement]
RULES: dict[str, Rule] = {
    "curvature": rules_step.curvature,
    "contraction": rules_step.contraction,
    "S1": rules_step.worst_case,
    "S2": rules_step.per_instance,
    "S1-drift": rules_step.drift,
    "residual-law": rules_law.residual_law,
    "S3": rules_law.residual_sensitivity,
    "exceedance": rules_law.exceedance,
    "margin-law": rules_law.margin_law,
    "S4": rules_law.margin_sensitivity,
    "I1": rules_iteration.iteration,
    "I2": rules_iteration.composition,
    "R1": rules_conversion.from_gaussian,
    "R2": rules_conversion.decay,
    "R4": rules_conversion.adaptive,
    "C3": rules_conversion.tangent,
    "C5": rules_conversion.gaussian,
    "C5-cover": rules_conversion.cover,
    "E1": affine.law,
    "O2": path.hockey_stick,
    "O2-renyi": path.renyi,
    "C7b": rules_pair.stand_in,
    "E3": rules_pair.renyi,
    "E3-infinite": rules_pair.infinite,
    "C7": contour.hyperbola,
    "C6": contour.vertical,
    "C6-1d": rules_pair.one_dimension,
    "C6-event": rules_pair.half_space,
}
STAGES = {"FORMAT": 1, "SEAL": 2, "DATA": 3, "LINE": 4, "CLAIM": 5, "LIMIT": 7}
"""By number; 6 SPEC is for whoever compares a certificate with a spec."""
ASSUMED = (
    "the data are the exact numbers of that digest; the issuer's run did what the certificate says, "
    "in exact arithmetic and with exactly Gaussian noise"
)
MOST_LINES = 20_000


@dataclass(frozen=True)
class Judged:
    """A claim whose verdict was confirmed."""

    name: str
    kind: str
    verdict: str
    requests: int


@dataclass(frozen=True)
class Report:
    """``accepted`` only if every line and every claim of the certificate holds."""

    accepted: bool
    claims: tuple[Judged, ...]
    reasons: tuple[str, ...]
    readable: bool
    lines: int
    assumptions: tuple[str, ...]


class Failed(Exception):
    """A reason with its code."""

    def __init__(self, code: str, where: str, why: str) -> None:
        super().__init__(f"{code}{where}: {why}")
        self.code, self.why = code, f"{where}: {why}"


@contextmanager
def _stage(code: str, where: str = "") -> Iterator[None]:
    """Whatever goes wrong in here is a reason not to accept."""
    try:
        yield
    except Exhausted as fault:
        raise Failed("LIMIT", f" in {code}{where}", str(fault)) from None
    except Refused as fault:
        raise Failed(code, where, str(fault)) from None
    except MemoryError:
        raise Failed(
            "LIMIT", f" in {code}{where}", "more memory than a certificate may ask for"
        ) from None
    except Exception as fault:
        raise Failed(code, where, f"cannot be evaluated: {type(fault).__name__}") from None


@dataclass
class _Progress:
    claims: dict[str, Judged] = field(default_factory=dict)
    assumptions: tuple[str, ...] = (ASSUMED,)
    lines: int = 0


def refusal(code: str, why: str, lines: int = 0, assumptions: tuple[str, ...] = (ASSUMED,)) -> Report:
    """A certificate is not accepted, and why."""
    reasons, readable = (f"{STAGES[code]} {code}{why}",), code != "FORMAT"
    return Report(False, (), reasons, readable, lines, assumptions)


def examined(content: bytes, data: bytes | None = None) -> Report:
    """Check a certificate here and now, held by the count of work alone, one at a time; ``data``: the
    bytes of {"X": ..., "y": ...} where it leaves them out."""
    progress = _Progress()
    try:
        with limited():
            _check(content, data, progress)
    except Failed as fault:
        return refusal(fault.code, fault.why, progress.lines, progress.assumptions)
    return Report(True, tuple(progress.claims.values()), (), True, progress.lines, progress.assumptions)


def _check(content: bytes, beside: bytes | None, progress: _Progress) -> None:
    with _stage("FORMAT"):
        value = parsed(content)
        keys = ("format", "spec", "run", "data", "proofs", "sha256")
        words, spec, run, data, proofs, seal = record(value, *keys)
        need(words == FORMAT, f"not a {FORMAT}")
        name, source = record(spec, "name", "sha256")
        text(name), hexadecimal(source), hexadecimal(seal)
    with _stage("SEAL"):
        del value["sha256"]
        need(digest(value) == seal, "the content is not what was sealed")
    with _stage("DATA"):
        brought = None if beside is None else read_data(*record(parsed(beside), "X", "y"))
        found = _data(data, brought)
    with _stage("FORMAT", " run"):
        whole = read_run(run, found)
        progress.assumptions += whole.assumptions
    _check_proofs(whole, proofs, progress)


def _data(value: Any, beside: Data | None) -> Data:
    need(type(value) is dict, "expected an object")
    included = "X" in value or "y" in value
    fields = record(value, "rows", "columns", "sha256", *(("X", "y") if included else ()))
    rows, columns, seal = count(fields[0]), count(fields[1]), hexadecimal(fields[2])
    found = read_data(*fields[3:]) if included else beside
    if found is None:
        raise Refused("the certificate leaves out the data, and none are given")
    for given in (found, beside):
        if given is not None:
            size = len(given.rows), len(given.rows[0])
            need(size == (rows, columns), f"{size[0]} x {size[1]} numbers, not {rows} x {columns}")
            need(data_digest(given.rows, given.targets) == seal, "the data are not those of the digest")
    return found


def _check_proofs(whole: Run, value: Any, progress: _Progress) -> None:
    with _stage("FORMAT", " proofs"):
        proofs = items(value)
        parts = [record(proof, "requests", "lines", "claims") for proof in proofs]
        stages = [count(requests, len(whole.requests), 1) for requests, _, _ in parts]
        need(len(set(stages)) == len(stages), "two proofs about one number of requests")
        need(len(parts) > 0 and all(items(claims) for _, _, claims in parts), "a proof without a claim")
        need(sum(len(items(lines)) for _, lines, _ in parts) <= MOST_LINES, f"over {MOST_LINES} lines")
    for number, (requests, lines, claims) in enumerate(parts):
        with _stage("FORMAT", f" proof {number}"):
            run = told(whole.after(requests))
        shown_lines = _check_lines(run, lines, f" proof {number}", progress)
        for at, claim in enumerate(claims):
            with _stage("CLAIM", f" {at} of proof {number}{_named(claim)}"):
                judged = _check_claim(run, whole, claim, shown_lines)
                need(judged.name not in progress.claims, "two claims of one name")
                progress.claims[judged.name] = judged


def _check_lines(run: Run, lines: list[Any], place: str, progress: _Progress) -> list[Statement]:
    context, found = Context(run), list[Statement]()
    for at, line in enumerate(lines):
        rule = line.get("rule") if type(line) is dict else None
        known = rule if type(rule) is str and rule in RULES else "no rule"
        with _stage("LINE", f" {at} of{place} ({known})"):
            name, uses, witness = record(line, "rule", "uses", "witness")
            need(known == name, f"unknown rule {shown(name)}")
            premises = [found[count(use, at - 1)] for use in items(uses, MOST_LINES)]
            found.append(RULES[known](context, premises, witness))
        progress.lines += 1
    return found


def _named(claim: Any) -> str:
    inner = claim.get("claim") if type(claim) is dict else None
    name = inner.get("id") if type(inner) is dict else None
    return f", {shown(name)}" if type(name) is str else ""


def _check_claim(run: Run, whole: Run, value: Any, found: list[Statement]) -> Judged:
    claim, verdict, lines = record(value, "claim", "verdict", "lines")
    stated = read_claim(claim, len(run.requests), len(run.requests) == len(whole.requests))
    choice(verdict, "proved", "refuted")
    numbers = [count(line, len(found) - 1) for line in items(lines, 2)]
    need(len(set(numbers)) == len(numbers), "a line twice")
    judge(stated, verdict, [found[line] for line in numbers], run.release)
    return Judged(stated.name, stated.kind, verdict, len(run.requests))
