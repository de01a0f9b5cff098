"""A spec that forgets by id, over tables written in every format that has ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from certaudit.errors import Diagnostic, InputError
from certaudit.spec import Built, build, load_spec

SPEC = """\
certaudit: 1
name: subjects
data: {{source: '{source}', id_column: whose{data}}}
model: {{loss: ridge, l2: 0.05, normalizer: fixed}}
learn: {{steps: 20, step_size: 0.5, noise: {{std: 0.02}}}}
forget: {forget}
unlearn: {{steps: 5, step_size: 0.5, noise: {{std: 0.02}}}}
reference: unlearn-retrained
claims: [{{id: issued, epsilon: 20, delta: 1e-5}}]
"""

STAGES = """\
certaudit: 1
name: subjects in stages
data: {{source: '{source}', id_column: whose}}
model: {{loss: ridge, l2: 0.05, normalizer: fixed}}
learn: {{steps: 20, step_size: 0.5, noise: {{std: 0.02}}}}
forget:
{stages}
reference: unlearn-retrained
claims: [{{id: issued, epsilon: 20, delta: 1e-5}}]
"""
STAGE = "  - {{{whom}, unlearn: {{steps: 5, step_size: 0.5, noise: {{std: 0.02}}}}}}\n"


def numbers(n: int, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Features (n, 2) and target (n,), no whole numbers among them."""
    draw = np.random.default_rng(seed).uniform(0.01, 0.5, (n, 3))
    return draw[:, :2], draw[:, 2]


def csv_table(
    folder: Path, ids: Sequence[str], header: str = "whose,a,b,spend", bom: bool = False
) -> str:
    """A csv file whose first column is the ids as written; the source that names it."""
    X, y = numbers(len(ids))
    rows = [
        f"{whose},{a!r},{b!r},{t!r}"
        for whose, (a, b), t in zip(ids, X.tolist(), y.tolist(), strict=True)
    ]
    text = "\n".join([header, *rows, ""])
    (folder / "t.csv").write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode())
    return "csv:t.csv"


def parquet_table(folder: Path, ids: Any) -> str:
    """A parquet file with a column of ids, of the type that pyarrow or an array gives it."""
    X, y = numbers(len(ids))
    columns = {"a": X[:, 0], "whose": ids, "b": X[:, 1], "spend": y}
    pq.write_table(pa.table(columns), folder / "t.parquet")
    return "parquet:t.parquet"


def npz_table(folder: Path, ids: Any) -> str:
    """An npz archive with an array of ids."""
    X, y = numbers(len(ids))
    np.savez(folder / "t.npz", X=X, y=y, whose=np.asarray(ids))
    return "npz:t.npz"


def spec(folder: Path, source: str, forget: str, data: str = "") -> Path:
    """The spec, written."""
    path = folder / "spec.yaml"
    text = SPEC.format(source=source, forget=forget, data=f", {data}" if data else "")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def stages(folder: Path, source: str, *whom: str) -> Path:
    """The spec with one stage for each of ``whom``, such as ``ids: [17]``."""
    path = folder / "spec.yaml"
    path.write_text(STAGES.format(source=source, stages="".join(STAGE.format(whom=one) for one in whom)))
    return path


def built(path: Path) -> Built:
    """The run, its subjects and warnings."""
    return build(load_spec(path))


def refused(path: Path) -> list[Diagnostic]:
    """What is said of a spec that cannot be used, each in one printable line."""
    with pytest.raises(InputError) as caught:
        built(path)
    for one in caught.value.diagnostics:
        assert str(one).isprintable()
        assert len(str(one)) < 400
    return list(caught.value.diagnostics)
