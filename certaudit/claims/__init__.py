"""What a certificate may claim: one module a kind of claim, found by name; each holds ``CLAIM``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from certaudit.claims import claim as kind_of_claim
from certaudit.claims.claim import BOTH, Theorem
from certaudit.claims.epsilon_delta import EpsilonDelta
from certaudit.claims.gaussian import GaussianClaim
from certaudit.claims.renyi import RenyiClaim
from certaudit.claims.sensitivity import SensitivityClaim
from certaudit.core.statement import Direction

__all__ = [
    "BOTH",
    "KINDS",
    "Claim",
    "Direction",
    "EpsilonDelta",
    "GaussianClaim",
    "RenyiClaim",
    "SensitivityClaim",
    "Theorem",
]


Claim = EpsilonDelta | RenyiClaim | GaussianClaim | SensitivityClaim


def _found() -> Mapping[str, type[kind_of_claim.Claim]]:
    names = (module.name for module in iter_modules(__path__) if module.name != "claim")
    kinds = [import_module(f"{__name__}.{name}").CLAIM for name in names]
    return {kind.kind: kind for kind in kinds}


KINDS = _found()
