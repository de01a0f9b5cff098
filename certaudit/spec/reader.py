"""YAML read from its events: plain trees with exact numbers, and a place for every value.

The reader never builds a Python object that a document asks for.  Anchors, aliases, merge keys,
tags, duplicate keys and keys that are not text are refused; numbers are read exactly.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from certaudit.data.number import NumberError, parse_number
from certaudit.data.words import shown, shown_path
from certaudit.errors import Diagnostic, InputError
from certaudit.spec.document import Document, Mark, Marks, Place, Tree, dotted, gather

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32

_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        InputError: with everything wrong in it.
    """
    document = scan(path)
    if document.problems:
        raise InputError(gather(document.problems))
    return document


def scan(path: Path) -> Document:
    """Read a YAML file, leaving out what is refused and saying so in ``problems``.

    Raises:
        InputError: if the file cannot be read to its end: missing, too large, not UTF-8, not
            YAML, too deep or more than one document.
    """
    file = shown_path(path)
    data = _bytes(path, file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError([Diagnostic(file, "the file is not UTF-8", line)]) from None
    builder = _Builder(file)
    try:
        builder.consume(yaml.parse(text, Loader=yaml.SafeLoader))
    except _Stop:
        raise InputError(gather(builder.problems)) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark = before.count("\n") + 1, len(before) - before.rfind("\n")
        builder.report(mark, f"character {text[error.position]!a} is not allowed")
        raise InputError(gather(builder.problems)) from None
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        what = f"not YAML: {shown(error.problem or error.context or '', 160)}"
        builder.report((where.line + 1, where.column + 1) if where else None, what)
        raise InputError(gather(builder.problems)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        builder.report(None, f"not YAML: {shown(str(error), 160)}")
        raise InputError(gather(builder.problems)) from None
    return Document(
        file,
        builder.tree,
        Marks(builder.values, builder.keys, builder.texts),
        hashlib.sha256(data).hexdigest(),
        tuple(builder.problems),
        frozenset(builder.refused),
        frozenset(builder.incomplete),
    )


def _bytes(path: Path, file: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            if path.stat().st_size <= MAX_BYTES:
                data = stream.read(MAX_BYTES + 1)
                if len(data) <= MAX_BYTES:
                    return data
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise InputError([Diagnostic(file, f"cannot be read: {reason.lower()}")]) from None
    raise InputError([Diagnostic(file, f"larger than the {MAX_BYTES >> 10} KiB allowed for a spec")])


class _Stop(Exception):
    """Nothing further can be read."""


@dataclass
class _Frame:
    """An open collection.  ``place`` is None inside a part that is left out."""

    node: dict[str, Tree] | list[Tree]
    place: Place | None
    awaits_key: bool
    key: str | None = None


@dataclass
class _Builder:
    file: str
    tree: Tree = None
    values: dict[Place, Mark] = field(default_factory=dict)
    keys: dict[Place, Mark] = field(default_factory=dict)
    texts: dict[Place, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    refused: set[Place] = field(default_factory=set)
    incomplete: set[Place] = field(default_factory=set)
    stack: list[_Frame] = field(default_factory=list)
    documents: int = 0

    def consume(self, events: Iterator[Event]) -> None:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    self.stop(event, "only one document is allowed")
            elif isinstance(event, NodeEvent):
                self.node(event)
            elif self.stack and isinstance(event, yaml.CollectionEndEvent):
                self.stack.pop()

    def report(self, mark: Mark | None, message: str, place: Place | None = None) -> None:
        line, column = mark or (None, None)
        self.problems.append(Diagnostic(self.file, message, line, column, dotted(place or ())))

    def stop(self, event: Event, message: str) -> None:
        self.report(_mark(event), message)
        raise _Stop

    def node(self, event: NodeEvent) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame and isinstance(frame.node, dict) and frame.awaits_key:
            self.key(event, frame)
            return
        place = self.next_place(frame)
        fault = _fault(event)
        value: Tree = None
        if isinstance(event, ScalarEvent):
            try:
                value = _scalar(event)
            except NumberError as error:
                fault = fault or str(error)
        if fault:
            self.report(_mark(event), fault, place)
        if place is not None:
            if fault:
                self.refused.add(place)
            self.values[place] = _mark(event)
            if isinstance(event, ScalarEvent):
                self.texts[place] = event.value
        if isinstance(event, CollectionStartEvent):
            value = self.open(event, place)
        if place is None:
            return
        if frame is None:
            self.tree = value
        elif isinstance(frame.node, list):
            frame.node.append(value)
        elif frame.key is not None:
            frame.node[frame.key] = value

    def next_place(self, frame: _Frame | None) -> Place | None:
        if frame is None:
            return ()
        if isinstance(frame.node, list):
            return None if frame.place is None else (*frame.place, len(frame.node))
        frame.awaits_key = True
        if frame.place is None or frame.key is None:
            return None
        return (*frame.place, frame.key)

    def open(self, event: CollectionStartEvent, place: Place | None) -> Tree:
        if len(self.stack) >= MAX_DEPTH:
            self.stop(event, f"nested more than {MAX_DEPTH} levels deep")
        is_mapping = isinstance(event, MappingStartEvent)
        node: dict[str, Tree] | list[Tree] = {} if is_mapping else []
        self.stack.append(_Frame(node, place, is_mapping))
        return node

    def key(self, event: NodeEvent, frame: _Frame) -> None:
        frame.awaits_key, frame.key = False, None
        fault = _fault(event)
        if isinstance(event, CollectionStartEvent):
            fault = fault or "a key must be plain text"
        elif isinstance(event, ScalarEvent) and not fault:
            if event.value == "<<" and event.implicit[0]:
                fault = "merge keys are not allowed"
            elif not event.value:
                fault = "a key is empty"
        if frame.place is None:
            if fault:
                self.report(_mark(event), fault)
        elif fault:
            self.report(_mark(event), fault, frame.place)
            self.incomplete.add(frame.place)
        elif isinstance(event, ScalarEvent):
            place = (*frame.place, event.value)
            if place in self.keys:
                first = self.keys[place][0]
                self.report(_mark(event), f"duplicate key, first given in line {first}", place)
            else:
                self.keys[place] = _mark(event)
                frame.key = event.value
        if isinstance(event, CollectionStartEvent):
            self.open(event, None)


def _mark(event: Event) -> Mark:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _fault(event: NodeEvent) -> str | None:
    if isinstance(event, AliasEvent) or event.anchor is not None:
        return "anchors and aliases are not allowed"
    if isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent) and event.tag:
        return f"tags are not allowed: {shown(event.tag)}"
    return None


def _scalar(event: ScalarEvent) -> Tree:
    text = event.value
    if not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if text in _BOOL:
        return _BOOL[text]
    number = parse_number(text)
    return text if number is None else number
