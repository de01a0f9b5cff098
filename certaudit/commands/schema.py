"""JSON Schema of the spec."""

from __future__ import annotations

import argparse
import json

from certaudit.commands.exits import PROVED

NAME = "schema"
SUMMARY = "print the JSON Schema of the spec"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    return


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit.spec.model import Spec

    print(json.dumps(Spec.model_json_schema(), indent=2))
    return PROVED
