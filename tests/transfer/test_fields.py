"""Values as they lie in what a server sent: to Arrow and back, and together to rows that a server takes."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.catalog.fields import Fields, arrays
from parity_data.database import Database
from parity_data.transfer.encode import HEADER, TRAILER, BinaryWriter

#: Arrow's type: values of it.
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=40),
    pa.large_string(): st.text(max_size=40),
    pa.binary(): st.binary(max_size=40),
    pa.large_binary(): st.binary(max_size=40),
}
#: How the number is sent; anything else is its own bytes.
FORMATS = {
    pa.int16(): ">h",
    pa.int32(): ">i",
    pa.int64(): ">q",
    pa.float32(): ">f",
    pa.float64(): ">d",
    pa.bool_(): "?",
}


@st.composite
def columns(draw: st.DrawFn) -> list[pa.Array]:
    """Columns of equally many rows with NULLs, some of them slices of longer arrays."""
    rows = draw(st.integers(0, 20))
    made = []
    for type_ in draw(st.lists(st.sampled_from(sorted(VALUES, key=str)), min_size=1, max_size=6)):
        before = draw(st.integers(0, 9))
        values = draw(st.lists(st.none() | VALUES[type_], min_size=rows + before, max_size=rows + before))
        made.append(pa.array(values, type_).slice(before))
    return made


def sent(type_: pa.DataType, value: Any) -> bytes | None:
    """The value's bytes as PostgreSQL sends it."""
    if value is None:
        return None
    if type_ in FORMATS:
        return struct.pack(FORMATS[type_], value)
    return value.encode() if isinstance(value, str) else bytes(value)


def row_bytes(values: list[bytes | None]) -> bytes:
    """One row of COPY's binary format."""
    parts = [struct.pack(">h", len(values))]
    for value in values:
        parts.append(struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value)
    return b"".join(parts)


@given(columns())
def test_rows_are_put_together_as_the_format_says(made: list[pa.Array]) -> None:
    rows = len(made[0])
    wire = [[sent(array.type, value) for value in array.to_pylist()] for array in made]
    writer = BinaryWriter()
    fields = [Fields.of(array) for array in made]
    assert [f.null_count for f in fields] == [array.null_count for array in made]
    first, second, last = writer.write(fields, rows), writer.write(fields, rows), writer.finish()
    body = b"".join(row_bytes(list(row)) for row in zip(*wire, strict=True))
    assert bytes(first) == HEADER + body
    assert bytes(second) == body
    assert last == TRAILER


@given(columns(), st.data())
def test_arrow_is_what_it_was_and_a_choice_of_it(made: list[pa.Array], data: st.DataObject) -> None:
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(made[0]), max_size=len(made[0]))), bool)
    for array in made:
        fields = Fields.of(array)
        assert len(fields) == len(array)
        some = fields.filter(keep)
        for found, expected in ((fields.arrow(), array), (some.arrow(), array.filter(pa.array(keep)))):
            found.validate(full=True)
            assert repr(found.to_pylist()) == repr(expected.to_pylist())
            assert found.null_count == expected.null_count


def test_columns_become_arrays_together_wherever_they_lie() -> None:
    raw = np.frombuffer(b"\x00\x07abc\x00\x09\x00\x01de", np.uint8)
    numbers = Fields(raw, np.array([0, 5, 7]), np.array([2, -1, 2], np.int32), 21)
    texts = Fields(raw, np.array([2, 9, 0]), np.array([3, 2, 0], np.int32), 25)
    others = Fields.of(pa.array(["x", None, "yz"]))
    found = [array.to_pylist() for array in arrays([numbers, others, texts])]
    assert found == [[7, None, 1], ["x", None, "yz"], ["abc", "de", ""]]
    with pytest.raises(ValueError, match="wide"):
        Fields(raw, np.array([0]), np.array([3], np.int32), 21).arrow()


def test_many_widths_arrive(target_db: Database) -> None:
    """Each length up to some hundred bytes, which are copied in different ways."""
    texts = [("0123456789abcdef" * 20)[:length] for length in range(300)] + [None, "x" * 100_000]
    numbers = pa.array(range(len(texts)), pa.int32())
    writer = BinaryWriter()
    with target_db.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE widths (id int, t text)")
        with cursor.copy("COPY widths FROM STDIN (FORMAT binary)") as copy:
            copy.write(writer.write([Fields.of(numbers), Fields.of(pa.array(texts))], len(texts)))
            copy.write(writer.finish())
        found = cursor.execute("SELECT t FROM widths ORDER BY id").fetchall()
    assert [row[0] for row in found] == texts
