"""Where a proof of each kind of claim is looked for: one module a kind, named as the claim's module.

Each holds ``search(evidence, claim)``, which returns lines that may decide the claim, and the number
each route gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from certaudit.claims import KINDS
from certaudit.core.proof import Line
from certaudit.search.evidence import Evidence
from certaudit.verdict import Bound

Found = tuple[list[Line], list[Bound]]
Route = Callable[[Evidence, Any], Found]


def _found() -> Mapping[str, Route]:
    modules = {kind: claim.__module__.rpartition(".")[2] for kind, claim in KINDS.items()}
    return {kind: import_module(f"{__name__}.{name}").search for kind, name in modules.items()}


ROUTES = _found()
