"""Run specs: YAML read with places and exact numbers, checked, and built into runs."""

from certaudit.spec.build import Built, build, build_claims, build_run
from certaudit.spec.load import LoadedSpec, load_spec
from certaudit.spec.model import Spec

__all__ = ["Built", "LoadedSpec", "Spec", "build", "build_claims", "build_run", "load_spec"]
