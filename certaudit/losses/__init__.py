"""The losses: one module each, found by name; each holds ``LOSS``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from certaudit.losses.loss import Loss, Settings
from certaudit.run import Run


def _found() -> Mapping[str, Loss]:
    names = (module.name for module in iter_modules(__path__) if module.name != "loss")
    losses = [import_module(f"{__name__}.{name}").LOSS for name in names]
    return {loss.name: loss for loss in losses}


LOSSES = _found()


def settings(run: Run) -> Settings:
    """What the run says beside its loss's name, in floats."""
    return Settings(float(run.threshold or 0), run.classes)
