"""The trace's file format, and what it refuses."""

import dataclasses

import numpy as np
import pytest
from shadow_runs import ridge_run, two_requests

from certaudit.audit.conformance.recorder import record
from certaudit.audit.conformance.trace import read, write

RUN = ridge_run(**two_requests())


def test_a_trace_is_read_as_it_was_written(tmp_path):
    trace = record(RUN, "P", seed=4)
    write(trace, tmp_path / "trace.npz")
    again = read(tmp_path / "trace.npz")
    for field in dataclasses.fields(trace):
        first, second = getattr(trace, field.name), getattr(again, field.name)
        if field.name == "rows":
            assert len(first) == len(second)
            assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        else:
            assert np.array_equal(first, second, equal_nan=True)
            assert first.dtype == second.dtype


def test_an_empty_trace(tmp_path):
    trace = record(RUN, "P")
    empty = dataclasses.replace(
        trace,
        **{f.name: getattr(trace, f.name)[:0] for f in dataclasses.fields(trace)},
    )
    write(empty, tmp_path / "none.npz")
    assert read(tmp_path / "none.npz").steps == 0


@pytest.mark.parametrize("field", ["noise", "step_size", "rows", "radius", "phase", "after"])
def test_fields_must_fit_one_another(field):
    trace = record(RUN, "P")
    with pytest.raises(ValueError, match=r"a trace needs|all alike"):
        dataclasses.replace(trace, **{field: getattr(trace, field)[:-1]})


def test_iterates_are_a_table():
    trace = record(RUN, "P")
    with pytest.raises(ValueError, match="all alike"):
        dataclasses.replace(
            trace, noise=trace.noise[:, 0], before=trace.before[:, 0], after=trace.after[:, 0]
        )


def spoil(tmp_path, **changes):
    path = tmp_path / "bad.npz"
    write(record(RUN, "P"), path)
    fields = dict(np.load(path))
    fields.update(changes)
    np.savez(path, **{name: value for name, value in fields.items() if value is not None})
    return path


@pytest.mark.parametrize("field", ["noise", "rows", "row_counts"])
def test_a_missing_field_is_named(tmp_path, field):
    path = spoil(tmp_path, **{field: None})
    with pytest.raises(ValueError, match=f"^{path}: a trace needs the field '{field}'$"):
        read(path)


def sizes():
    return np.array([len(rows) for rows in record(RUN, "P").rows])


@pytest.mark.parametrize("change", [(1, 0), (0, -1), (-1000, 1000)])
def test_row_counts_that_do_not_fit(tmp_path, change):
    """Too many, too few, and a negative one in the right sum."""
    counts = sizes()
    counts[:2] += change
    with pytest.raises(ValueError, match="row_counts do not add up"):
        read(spoil(tmp_path, row_counts=counts))


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_one_line(tmp_path, content):
    path = tmp_path / "no.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path}: not a readable npz file$"):
        read(path)


def test_an_array_alone_is_no_archive(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match="not a readable npz file"):
        read(tmp_path / "one.npy")


def test_fields_of_a_file_that_do_not_fit_are_told_with_its_name(tmp_path):
    path = spoil(tmp_path, radius=np.zeros(2))
    with pytest.raises(ValueError, match=f"^{path}: a trace needs one entry a step"):
        read(path)


def test_pickled_objects_are_not_loaded(tmp_path):
    path = spoil(tmp_path, noise=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        read(path)
