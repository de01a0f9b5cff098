"""What a word of a report means."""

from __future__ import annotations

import argparse
from difflib import get_close_matches

from certaudit.commands.exits import PROVED
from certaudit.commands.output import as_json
from certaudit.errors import Diagnostic, InputError

NAME = "explain"
SUMMARY = "say what a rule, theorem or verdict is; `explain hazards` is a checklist"
EPILOG = "exit code 0: explained, or the list of topics; 2: no such topic"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("topic", nargs="*", metavar="TOPIC", help="such as S3; none: list all topics")
    parser.add_argument("--json", metavar="FILE", help="write it as JSON (- for stdout)")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit.explain import find, topics

    name = " ".join(options.topic)
    if not name:
        known = topics().values()
        if not as_json(options.json, {"topics": [_brief(one.data()) for one in known]}):
            width = max(len(one.name) for one in known)
            for one in known:
                print(f"{one.name:<{width}}  {one.kind:<9}  {one.title}")
        return PROVED
    topic = find(name)
    if topic is None:
        close = get_close_matches(name, topics(), n=1)
        meant = f"did you mean {close[0]}?" if close else "`certaudit explain` lists the topics"
        raise InputError([Diagnostic("explain", f"no topic is called {name[:80]!a}: {meant}")])
    if not as_json(options.json, topic.data()):
        for line in topic.lines():
            print(line)
    return PROVED


def _brief(data: dict[str, object]) -> dict[str, object]:
    return {key: data[key] for key in ("name", "kind", "title")}
