"""Both checkers on a file, and a file sealed again after it was altered."""

import copy
import hashlib
import json
from dataclasses import dataclass

from certaudit.certificate.read import loads, sealed
from certaudit.certificate.replay import Rejected, replay
from certaudit.certificate.strict import Malformed
from certaudit.check.checker import examined


@dataclass(frozen=True)
class Judgement:
    """What each checker said, with its reason."""

    core: bool
    check: bool
    core_reason: str
    check_reason: str

    @property
    def accepted(self):
        return self.core or self.check

    @property
    def agreed(self):
        return self.core == self.check


def resealed(content):
    """The bytes of a file whose digests fit what it holds."""
    content = {key: value for key, value in content.items() if key != "sha256"}
    data = content.get("data")
    if isinstance(data, dict) and "X" in data and "y" in data:
        text = json.dumps(
            {"X": data["X"], "y": data["y"]}, sort_keys=True, separators=(",", ":"), ensure_ascii=True
        )
        content["data"] = {**data, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return json.dumps({**content, "sha256": sealed(content)}).encode()


def judge(raw):
    """Both checkers on the bytes of a file."""
    core_reason = by_core(raw)
    report = examined(raw)
    return Judgement(not core_reason, report.accepted, core_reason, "; ".join(report.reasons))


def by_core(raw):
    """Why the first checker refuses; empty if it does not.  No other exception may leave it."""
    try:
        replay(loads(raw))
    except (Malformed, Rejected) as error:
        return str(error) or "refused"
    return ""


def altered(content, path, value):
    """A copy with another value at a path."""
    found = copy.deepcopy(content)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return found
