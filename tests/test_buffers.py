"""Columns as arrays and back: the values of pyarrow's own ways, without pandas."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings, strategies as st

from geodata import buffers

KINDS = {
    pa.int8(): st.integers(-128, 127),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
}

columns = st.sampled_from(sorted(KINDS, key=str)).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.lists(st.lists(st.none() | KINDS[kind], max_size=20), max_size=3)
    )
)


@settings(deadline=None)  # the first example imports pandas
@given(columns, st.integers(0, 5))
def test_numbers_are_the_cells_in_their_order(made, start):
    kind, chunks = made
    column = pa.chunked_array([pa.array(chunk, kind) for chunk in chunks], kind).slice(start)
    found = buffers.numbers(column, absent=7)
    assert found.dtype == kind.to_pandas_dtype()
    assert found.tolist() == [7 if v is None else v for v in column.to_pylist()]
    if column.null_count:
        with pytest.raises(ValueError, match=f"{column.null_count} of {len(column)} values"):
            buffers.numbers(column)


@settings(deadline=None)
@given(st.lists(st.none() | st.booleans(), max_size=40), st.integers(0, 9), st.booleans())
def test_flags_are_the_cells_in_their_order(cells, start, absent):
    column = pa.array(cells, pa.bool_()).slice(start)
    found = buffers.flags(column, absent=absent)
    assert found.dtype == bool
    assert found.tolist() == [absent if v is None else v for v in column.to_pylist()]


@settings(deadline=None)
@given(columns, st.integers(1, 3))
def test_a_column_is_the_array_also_where_it_is_not_contiguous(made, step):
    kind, chunks = made
    cells = [v for chunk in chunks for v in chunk]
    values = np.array([0 if v is None else v for v in cells], kind.to_pandas_dtype())[::step]
    absent = np.array([v is None for v in cells], bool)[::step]
    found = buffers.column(values, absent=absent)
    assert found.type == kind
    found.validate(full=True)
    assert found.to_pylist() == cells[::step]
    assert buffers.column(values).equals(pa.array(values))


def test_an_array_may_go_while_its_column_stays():
    values = np.arange(100_000.0)
    column = buffers.column(values)
    back = buffers.numbers(buffers.column(values + 1))
    del values
    assert pc.sum(column).as_py() == 99_999 * 50_000
    assert back[-1] == 100_000


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.data())
def test_flags_become_a_column(cells, data):
    absent = data.draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells)))
    found = buffers.column(np.array(cells, bool), absent=np.array(absent, bool))
    found.validate(full=True)
    assert found.type == pa.bool_()
    assert found.to_pylist() == [
        None if gone else cell for cell, gone in zip(cells, absent, strict=True)
    ]


@settings(deadline=None)
@given(st.lists(st.none() | st.text(max_size=6), max_size=20))
def test_texts_are_the_column_of_them(words):
    found = buffers.texts(words)
    found.validate(full=True)
    assert found.equals(pa.array(words, pa.string()))


def test_a_flag_that_is_missing_is_not_set():
    assert buffers.flags(pa.chunked_array([[True, None], [False]])).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "chunks", [[], [[]], [[1, 2]], [[1], [2]], [[1], [], [2]], [[1], [2], [3]]]
)
def test_chunks_are_joined_whatever_their_number(chunks):
    column = pa.chunked_array([pa.array(chunk, pa.int32()) for chunk in chunks], pa.int32())
    found = buffers.numbers(column)
    assert found.dtype == np.int32
    assert found.tolist() == [cell for chunk in chunks for cell in chunk]
