"""Compare every part of a derivation with the ledger and with what the checker computes itself."""

from __future__ import annotations

import hashlib
import json
import marshal
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import mpmath
from mpmath import mpf

from certaudit import __version__
from certaudit.check import gaussian
from certaudit.check.claims import Claim, claim_of, follows
from certaudit.check.document import FORMAT, Rejected, choice, exact, listed, natural, seal, show, table
from certaudit.check.known import DIGITS, Approx, Data, Known, Stage, mpf_of
from certaudit.check.ledger import LEDGER, VERDICTS, Entry
from certaudit.check.model import run_of

SLACK = mpf(10) ** -20
"""Relative printing slack of an enclosure."""

STEP_KEYS = (
    *("step", "kind", "rule", "title", "source", "formulas", "premises", "exact", "values", "uses"),
    "requests",
)
_ENCLOSURE = re.compile(r"\[(?:(-?[\d.]+(?:e[+-]?\d+)?) )?\+/- ([\d.]+(?:e[+-]?\d+)?|inf)\]")
_PLAIN = re.compile(r"-?[\d.]+(?:e[+-]?\d+)?")


@dataclass
class Report:
    """What was checked, and every reason to reject (none: accepted)."""

    steps: int = 0
    numbers: int = 0
    claims: dict[str, str] = field(default_factory=dict)
    """Verdict of each claim of the file."""
    reasons: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against the derivation."""
        return not self.reasons


@dataclass(frozen=True)
class _Found:
    """A statement recomputed, and a key that says from what."""

    key: int
    known: Known
    requests: int


class Checker:
    """Checks derivations; what it computes is kept, so that variants of one derivation are cheap."""

    def __init__(self) -> None:
        self._data: dict[str, Data] = {}
        self._known: dict[Any, Known | Rejected] = {}
        self._keys: dict[Any, int] = {}

    def check(self, content: dict[str, Any], most: int = 20) -> Report:
        """Check a derivation as :func:`certaudit.check.document.read` returns it; stops after ``most``
        reasons to reject it."""
        report = Report()
        with mpmath.workdps(DIGITS):
            try:
                self._check(content, report, most)
            except Rejected as reason:
                report.reasons.append(str(reason))
            except Exception as error:  # whatever goes wrong, nothing is accepted
                report.reasons.append(
                    f"could not be computed again: {type(error).__name__}: {show(error)}"
                )
        return report

    def _check(self, content: dict[str, Any], report: Report, most: int) -> None:
        table(content, "file", ("format", "certaudit", "spec", "run", "claims", "steps", "sha256"))
        if content["sha256"] != seal(content):
            report.reasons.append(
                "sha256: the seal is broken: the file was changed after it was written"
            )
            if len(report.reasons) >= most:
                return
        choice(content["format"], "format", (FORMAT,))
        choice(content["certaudit"], "certaudit", (__version__,))
        spec = table(content["spec"], "spec", ("name", "sha256"))
        if not all(isinstance(text, str) and text for text in spec.values()):
            raise Rejected("spec", "name and sha256 must be text")
        if not re.fullmatch("[0-9a-f]{64}", spec["sha256"]):
            raise Rejected("spec.sha256", "no SHA-256")
        if not isinstance(content["run"], dict):
            raise Rejected("run", "no table")
        data = self._data_of(content["run"].get("X"), content["run"].get("y"))
        run = run_of(content["run"], data.n, data.d)
        stages = {k: Stage(run.after(k), data) for k in range(1, len(run.requests) + 1)}
        claims = [
            claim_of(one, f"claims[{k}]", len(run.requests))
            for k, one in enumerate(listed(content["claims"], "claims"))
        ]
        if not claims:
            raise Rejected("claims", "none: the file proves nothing")
        found: list[_Found | None] = []
        for number, step in enumerate(listed(content["steps"], "steps"), 1):
            try:
                found.append(self._step(number, step, found, stages, claims, report))
            except Rejected as reason:
                rule = show(step.get("rule")) if isinstance(step, dict) else "?"
                report.reasons.append(f"step {number} ({rule}): {reason}")
                found.append(None)
            if len(report.reasons) >= most:
                return
            report.steps += 1
        if None not in found:
            _order(content["steps"], claims)
        report.claims = {claim.id: claim.verdict for claim in claims}

    def _data_of(self, x: Any, y: Any) -> Data:
        name = hashlib.sha256(marshal.dumps((x, y), 2)).hexdigest()
        if name not in self._data:
            self._data[name] = Data(x, y)
        return self._data[name]

    def _step(
        self,
        number: int,
        step: Any,
        found: Sequence[_Found | None],
        stages: dict[int, Stage],
        claims: Sequence[Claim],
        report: Report,
    ) -> _Found:
        table(step, "", STEP_KEYS)
        if step["step"] != number or type(step["step"]) is not int:
            raise Rejected("step", f"{show(step['step'])} is not its number {number}")
        requests = natural(step["requests"], "requests", 1)
        if requests not in stages:
            raise Rejected("requests", f"the run has {len(stages)} requests")
        rule, kind = step["rule"], step["kind"]
        entry = LEDGER.get((rule, kind)) if isinstance(rule, str) and isinstance(kind, str) else None
        if entry is None:
            raise Rejected("rule", f"no rule {show(rule)} with a {show(kind)} statement in the ledger")
        _same(step["title"], entry.title, "title")
        _same(step["source"], entry.source, "source")
        used = _used(step["uses"], number, requests, found)
        if not isinstance(step["exact"], dict):
            raise Rejected("exact", "no table")
        if entry.compute is None:
            known = self._verdict(number, step, [one.known for one in used], stages[requests], claims)
            key = -number
        else:
            _links(entry, used)
            key, known = self._recomputed(step, entry, used, stages[requests])
        _alike(step["formulas"], list(known.formulas), "formulas", _same)
        _premises(step["premises"], known, report)
        _alike(step["exact"], known.exact, "exact", _exactly)
        _alike(step["values"], known.values, "values", _encloses)
        report.numbers += _leaves(step["values"])
        return _Found(key, known, requests)

    def _recomputed(
        self, step: dict[str, Any], entry: Entry, used: Sequence[_Found], stage: Stage
    ) -> tuple[int, Known]:
        assert entry.compute is not None
        compute = entry.compute
        rule, kind = step["rule"], step["kind"]
        digits = 0
        if compute is gaussian.hockey_stick:
            digits = _digits(step["values"])
            compute = partial(gaussian.hockey_stick, digits=digits)
        given = json.dumps(step["exact"], sort_keys=True)
        key = (rule, kind, given, digits, tuple(one.key for one in used), stage.run, id(stage.data))
        if key not in self._known:
            try:
                result = compute(stage, step["exact"], [one.known for one in used])
                self._known[key] = replace(result, rule=rule, kind=kind)
            except Rejected as reason:
                self._known[key] = reason
        known = self._known[key]
        if isinstance(known, Rejected):
            raise known
        return self._keys.setdefault(key, len(self._keys)), known

    def _verdict(
        self, number: int, step: dict[str, Any], used: Sequence[Known], stage: Stage, claims: Any
    ) -> Known:
        claim = next((one for one in claims if one.proof == number), None)
        if claim is None or step["exact"].get("claim") != claim.id:
            raise Rejected("exact.claim", "no claim of the file rests on this verdict")
        if claim.verdict != step["rule"]:
            raise Rejected("rule", f"the claim {show(claim.id)!r} is said to be {claim.verdict}")
        if claim.stage != step["requests"]:
            raise Rejected("requests", f"the claim {show(claim.id)!r} is about another model")
        follows(claim, stage.run, step["rule"], used)
        words = (VERDICTS[step["rule"]],)
        return Known({"claim": claim.id}, {}, words, (), step["rule"], "verdict")


def _used(uses: Any, number: int, requests: int, found: Sequence[_Found | None]) -> list[_Found]:
    used = []
    for k in listed(uses, "uses"):
        if natural(k, "uses", 1) >= number:
            raise Rejected("uses", f"step {k} does not come before")
        one = found[k - 1]
        if one is None:
            raise Rejected("uses", f"rests on the rejected step {k}")
        if one.requests != requests:
            raise Rejected("uses", f"step {k} is about another run")
        used.append(one)
    return used


def _links(entry: Entry, used: Sequence[_Found]) -> None:
    wanted = list(entry.uses)
    if entry.further is not None:
        wanted += [entry.further] * (len(used) - len(wanted))
    if len(wanted) != len(used):
        raise Rejected("uses", f"{len(used)} steps where {len(wanted)} belong")
    for (rules, kind), one in zip(wanted, used, strict=True):
        if one.known.rule not in rules.split() or one.known.kind != kind:
            raise Rejected("uses", f"a {one.known.kind} by {one.known.rule} where a {kind} belongs")


def _order(steps: Sequence[dict[str, Any]], claims: Sequence[Claim]) -> None:
    """Steps in the order in which the verdicts need them, each needed, claims in that order too."""
    needed: dict[int, None] = {}

    def visit(number: int) -> None:
        stack: list[tuple[int, Iterator[int]]] = [(number, iter(steps[number - 1]["uses"]))]
        while stack:
            top, rest = stack[-1]
            following = next((k for k in rest if k not in needed), None)
            if following is None:
                needed.setdefault(top)
                stack.pop()
            else:
                stack.append((following, iter(steps[following - 1]["uses"])))

    if len({claim.id for claim in claims}) < len(claims):
        raise Rejected("claims", "two claims with one id")
    for claim in claims:
        if claim.proof > len(steps):
            raise Rejected(f"claims.{show(claim.id)}", f"no step {claim.proof}")
        if steps[claim.proof - 1]["kind"] != "verdict":
            raise Rejected(f"claims.{show(claim.id)}", f"step {claim.proof} is no verdict")
        visit(claim.proof)
    if list(needed) != list(range(1, len(steps) + 1)):
        raise Rejected("steps", "not the steps the claims need, each once, in the order they need them")


def _alike(written: Any, wanted: Any, at: str, same: Callable[[Any, Any, str], None]) -> None:
    """Compare two nested tables and lists leaf by leaf."""
    if isinstance(wanted, dict):
        table(written, at, list(wanted))
        for key, value in wanted.items():
            _alike(written[key], value, f"{at}.{key}", same)
    elif isinstance(wanted, list):
        if not isinstance(written, list) or len(written) != len(wanted):
            raise Rejected(at, f"not a list of {len(wanted)}")
        for k, (one, value) in enumerate(zip(written, wanted, strict=True)):
            _alike(one, value, f"{at}[{k}]", same)
    else:
        same(written, wanted, at)


def _same(written: Any, wanted: Any, at: str) -> None:
    if written != wanted or type(written) is not type(wanted):
        raise Rejected(at, f"{show(written)} instead of {show(wanted)}")


def _exactly(written: Any, wanted: Any, at: str) -> None:
    if isinstance(wanted, Fraction):
        if exact(written, at) != wanted:
            raise Rejected(at, f"{show(written)} instead of {show(wanted)}")
    else:
        _same(written, wanted, at)


def _encloses(written: Any, wanted: Any, at: str) -> None:
    """Whether an enclosure holds a recomputed number, up to the printing slack and its error."""
    value, error = wanted if isinstance(wanted, Approx) else (mpf_of(wanted), mpf(0))
    middle, radius = _parsed(written) if isinstance(written, str) else (None, mpf(0))
    if middle is None:
        raise Rejected(at, f"{show(written)} is no enclosure")
    if mpmath.isinf(value) or mpmath.isinf(radius):
        holds = mpmath.isinf(value) and mpmath.isinf(radius)
    else:
        if error > radius + SLACK * abs(value) + mpf(10) ** -80:
            raise Rejected(at, "could not be recomputed as precisely as it is stated")
        holds = abs(value - middle) <= radius + SLACK * abs(middle) + error
    if not holds:
        raise Rejected(at, f"{show(written)} does not hold the recomputed {mpmath.nstr(value, 15)}")


@lru_cache(1 << 18)
def _parsed(text: str) -> tuple[mpf | None, mpf]:
    """Middle and radius of ``[m +/- r]``, ``[+/- r]`` or a plain number."""
    if len(text) > 500:
        return None, mpf(0)
    try:
        if found := _ENCLOSURE.fullmatch(text):
            return mpf(found[1] or 0), mpf(found[2])
        return (mpf(text) if _PLAIN.fullmatch(text) else None), mpf(0)
    except ValueError:
        return None, mpf(0)


def _digits(values: Any) -> int:
    """Digits an enclosure calls for: two more than its own, at most half of DIGITS."""
    written = values.get("delta") if isinstance(values, dict) else None
    middle, radius = _parsed(written) if isinstance(written, str) else (None, mpf(0))
    if not middle or not radius or mpmath.isinf(radius):
        return DIGITS // 2
    return int(min(max(mpmath.ceil(mpmath.log(abs(middle) / radius, 10)) + 2, 4), DIGITS // 2))


def _premises(written: Any, known: Known, report: Report) -> None:
    wanted = known.premises
    if len(listed(written, "premises")) != len(wanted):
        raise Rejected("premises", f"{len(written)} where {len(wanted)} belong")
    for k, (premise, (name, text, values)) in enumerate(zip(written, wanted, strict=True)):
        at = f"premises[{k}]"
        table(premise, at, ("name", "text", "basis", "values"))
        _same(premise["name"], name, f"{at}.name")
        _same(premise["text"], text, f"{at}.text")
        _same(premise["basis"], "checked", f"{at}.basis")
        _alike(premise["values"], values, f"{at}.values", _encloses)
        report.numbers += _leaves(values)


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return sum(map(_leaves, value)) if isinstance(value, list) else 1
