"""Gaussian DP from finitely many hockey sticks."""

from __future__ import annotations

from certaudit.lemmas.gaussian import MONOTONE

LEMMAS = (MONOTONE,)
