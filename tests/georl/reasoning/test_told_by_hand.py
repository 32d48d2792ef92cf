"""What a plan and a step tell where servers count nothing and two steps fail alike."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from georl.config import load_reason
from georl.reasoning import asking, estimating, stepping
from georl.reasoning.calls import Calls, Spent
from georl.reasoning.rows import SCHEMA, dropped


@pytest.mark.parametrize(
    ("spent", "most", "told"),
    [
        (Spent(10, 20.0, 5000, 300), 1024, "10,000 tokens in, 600 out"),
        (Spent(10, 20.0, 0, 300), 1024, "2,200 tokens in, 600 out"),
        (Spent(10, 20.0, 5000, 0), 1024, "10,000 tokens in, 8,000 out"),
        (Spent(10, 20.0, 0, 0), 100, "2,200 tokens in, 2,000 out"),
    ],
)
def test_a_server_that_counts_no_tokens_is_assumed_to_take_the_usual(tmp_path, spent, most, told):
    """Of 20 calls: 100 tokens of image and 10 of the question each, and 400 said, or the most."""
    given = ["models.a.url=http://h/v1", "models.a.model=m", f"models.a.max_tokens={most}",
             "photos.max_pixels=78400", f"question={'x' * 40}"]  # fmt: skip
    config = load_reason(None, given)
    options = config.models["a"]
    with Calls(tmp_path) as calls:
        calls.spent[asking.kind_of(options, "x" * 40, 78400)] = spent
        lines, _, _ = estimating._of_model("a", options, config, calls, 30)
    assert lines[2].startswith(f"  about {told}; ")
    assert lines[1].startswith("  20 calls left (10 answers are there), 2 s each")


def test_the_example_of_what_failed_is_of_the_step_that_is_told(tmp_path):
    """A photo may be gone before it is asked about, another before it is looked at again."""
    row = {"lat": 1.0, "lon": 2.0, "kept": True, "answers": [], "entities": []}
    rows = [
        dropped(row | {"id": "asked"}, "ask", "image_missing", "no asked.png"),
        dropped(row | {"id": "seen"}, "verify", "image_missing", "no seen.png"),
        row | {"id": "kept"},
    ]
    path = tmp_path / "5-verify.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path)
    for step, name in (("ask", "asked"), ("verify", "seen")):
        assert stepping.told(path, step).splitlines() == [
            f"{step}: 1 of 3 photos are left",
            "          1 image_missing",
            f"    such as {name}: no {name}.png; start again to try again",
        ]
    assert len(stepping.told(path, "truth").splitlines()) == 1
