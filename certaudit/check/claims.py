"""What a claim says, and what a verdict on it must follow from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mpf

from certaudit.check.conversion import gaussian_delta
from certaudit.check.document import Rejected, choice, exact, listed, natural, show, table
from certaudit.check.known import Known, ends, mpf_of
from certaudit.check.model import Run

NUMBERS = {
    "epsilon-delta": ("epsilon", "delta"),
    "renyi": ("order", "renyi"),
    "gaussian": ("mu", "delta"),
    "sensitivity": ("sensitivity", "probability"),
}
THEOREMS = (
    *(None, "benarroch-2026", "chien-2024a", "chien-2024b", "neel-2021", "koloskova-2025"),
    *("sepahvand-2025", "guo-2020"),
)


@dataclass(frozen=True)
class Claim:
    """A claim of the file, and the verdict step it points to."""

    kind: str
    id: str
    numbers: dict[str, Fraction]
    directions: tuple[str, ...]
    stage: int
    verdict: str
    proof: int
    step: int | None = None

    @property
    def cases(self) -> tuple[str, ...]:
        """Directions, or the worlds an iterate may come from."""
        return ("P", "Q") if self.kind == "sensitivity" else self.directions


def claim_of(data: Any, at: str, requests: int) -> Claim:
    """A claim; ``proof`` names the verdict step.  Raises Rejected at a bad field."""
    if not isinstance(data, dict):
        raise Rejected(at, f"{show(data)} is no table")
    kind = choice(data.get("kind"), f"{at}.kind", tuple(NUMBERS))
    own = {"directions", "after"} if kind != "sensitivity" else {"step"}
    table(data, at, [*{"kind", "id", "theorem", "verdict", "proof"} | own, *NUMBERS[kind]])
    if not isinstance(data["id"], str):
        raise Rejected(f"{at}.id", f"{show(data['id'])} is no text")
    choice(data["theorem"], f"{at}.theorem", THEOREMS)
    numbers = {name: exact(data[name], f"{at}.{name}") for name in NUMBERS[kind]}
    if any(x < 0 for x in numbers.values()) or numbers.get("order", 2) <= 1:
        raise Rejected(at, "a number out of range")
    directions: tuple[str, ...] = ()
    after = None
    if kind != "sensitivity":
        directions = tuple(listed(data["directions"], f"{at}.directions"))
        choice(directions, f"{at}.directions", (("P|Q", "Q|P"), ("P|Q",), ("Q|P",)))
        after = data["after"]
        if after is not None and natural(after, f"{at}.after", 1) > requests:
            raise Rejected(f"{at}.after", f"{after} of {requests} requests")
    step = natural(data["step"], f"{at}.step", 1) if kind == "sensitivity" else None
    return Claim(
        kind,
        data["id"],
        numbers,
        directions,
        requests if after is None else after,
        choice(data["verdict"], f"{at}.verdict", ("proved", "refuted")),
        natural(data["proof"], f"{at}.proof", 1),
        step,
    )


def follows(claim: Claim, run: Run, rule: str, used: Sequence[Known]) -> None:
    """Raise Rejected unless the claim follows, or is refuted, from exactly these statements."""
    if rule == "refuted":
        if len(used) != 1 or not _breaks(run, claim, used[0]):
            raise Rejected("uses", f"do not refute the claim {show(claim.id)!r}")
        return
    chosen: list[Known] = []
    for case in claim.cases:
        found = [one for one in used if _covers(run, claim, case, one)]
        if not found:
            raise Rejected("uses", f"do not prove the claim {show(claim.id)!r} for {case}")
        if found[0] not in chosen:
            chosen.append(found[0])
    if chosen != list(used):
        raise Rejected("uses", "a statement is not needed, repeated, or out of order")


def _from_above(one: Known) -> bool:
    """Whether a divergence is at most what is stated."""
    return one.kind in ("epsilon", "gaussian-dp") or one.exact.get("exactness") in ("exact", "upper")


def _at_most(one: Known, name: str, most: Any) -> bool:
    return bool(ends(one.values[name])[1] <= ends(most)[0])


def _above(one: Known, name: str, least: Any) -> bool:
    return bool(ends(one.values[name])[0] > ends(least)[1])


def _covers(run: Run, claim: Claim, case: str, one: Known) -> bool:
    wanted = claim.numbers
    if claim.kind == "sensitivity":
        return one.exact.get("world") in (case, "any") and _bounds_step(claim, one)
    if case not in one.exact.get("directions", ()) or not _from_above(one):
        return False
    if one.exact.get("observer") not in (run.release, "every-step"):
        return False
    if claim.kind == "epsilon-delta":
        if one.kind == "hockey-stick":
            return one.exact["epsilon"] <= wanted["epsilon"] and _at_most(one, "delta", wanted["delta"])
        return (
            one.kind == "epsilon"
            and one.exact["delta"] <= wanted["delta"]
            and _at_most(one, "epsilon", wanted["epsilon"])
        )
    if claim.kind == "renyi":
        return (
            one.kind == "renyi"
            and one.exact["order"] >= wanted["order"]
            and _at_most(one, "r", wanted["renyi"])
        )
    if one.kind != "gaussian-dp":
        return False
    if "half" in one.exact:
        both = len(claim.directions) == 2
        return both and all(one.exact[name] <= wanted[name] for name in ("mu", "delta"))
    return _at_most(one, "mu", wanted["mu"]) and _at_most(one, "delta", wanted["delta"])


def _bounds_step(claim: Claim, one: Known) -> bool:
    wanted = claim.numbers
    if one.kind == "exceedance":
        return (
            one.exact["step"] == claim.step
            and one.exact["sensitivity"] <= wanted["sensitivity"]
            and _at_most(one, "probability", wanted["probability"])
        )
    if one.kind != "sensitivity" or one.exact["last"] is not None or "c" in one.values:
        return False
    assert claim.step is not None
    left = claim.step
    for shift, repeat in zip(one.values["s"], one.exact["repeats"], strict=True):
        if left <= repeat:
            small = ends(shift)[1] <= ends(wanted["sensitivity"])[0]
            return bool(small) and _at_most(one, "delta", wanted["probability"])
        left -= repeat
    return False


def _breaks(run: Run, claim: Claim, one: Known) -> bool:
    wanted = claim.numbers
    if claim.kind == "sensitivity":
        return (
            one.kind == "exceedance"
            and one.exact["step"] == claim.step
            and one.exact["sensitivity"] >= wanted["sensitivity"]
            and _above(one, "probability", wanted["probability"])
        )
    if not set(claim.directions) & set(one.exact.get("directions", ())):
        return False
    if one.exact.get("exactness") not in ("exact", "lower"):
        return False
    if one.exact.get("observer") not in (run.release, "final"):
        return False
    if claim.kind == "epsilon-delta":
        return (
            one.kind == "hockey-stick"
            and one.exact["epsilon"] >= wanted["epsilon"]
            and _above(one, "delta", wanted["delta"])
        )
    if claim.kind == "renyi":
        return (
            one.kind == "renyi"
            and one.exact["order"] <= wanted["order"]
            and _above(one, "r", wanted["renyi"])
        )
    if one.kind == "renyi":
        infinite = mpmath.isinf(mpf_of(one.values["r"]))
        limit = one.exact["order"] * wanted["mu"] ** 2 / 2
        return wanted["delta"] == 0 and (infinite or _above(one, "r", limit))
    if one.kind != "hockey-stick":
        return False
    allowed = gaussian_delta(mpf_of(wanted["mu"]), mpf_of(one.exact["epsilon"]))
    slack: mpf = ends(allowed)[1] + ends(wanted["delta"])[1]
    return bool(ends(one.values["delta"])[0] > slack)
