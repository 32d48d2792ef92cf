"""The file beside a shard: what it holds, and what a folder of shards refuses."""

import hashlib
import json

import pytest

from geodata.scale import manifests
from geodata.scale.dealing import Shard, ShardError
from geodata.scale.manifests import Manifest

ABOUT = {"kind": "labels", "input": {"sha256": "a" * 64, "rows": 7}, "options": {"lang": None}}


def said(call, *args):
    with pytest.raises(ShardError) as told:
        call(*args)
    return str(told.value)


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    first, second = (Manifest(Shard(n, 2), ABOUT, n, {}, {"n": n}) for n in (0, 1))
    second.write(tmp_path)
    first.write(tmp_path)
    path = manifests.path_of(tmp_path, first.shard)
    assert path == tmp_path / "_shard-00000-of-00002.json"
    assert path.read_text() == json.dumps(
        {"schema": "geodata.shard/1", "shard": 0, "of": 2, "about": ABOUT, "rows": 0,
         "files": {}, "more": {"n": 0}}, indent=2
    ) + "\n"  # fmt: skip
    assert manifests.read_all(tmp_path) == [first, second]


def test_the_files_of_a_shard_are_those_that_were_written(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    digests = {n: hashlib.sha256(n.encode()).hexdigest() for n in "ab"}
    one = Manifest(Shard(0, 1), ABOUT, 1, digests)
    assert one.problem(tmp_path) == ""
    (tmp_path / "b").write_text("other")
    assert one.problem(tmp_path) == "b is not what was written"
    (tmp_path / "b").unlink()
    assert one.problem(tmp_path) == "b is gone"
    (tmp_path / "b").mkdir()
    assert one.problem(tmp_path) == "b is gone"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ""),
        ({"kind": "records"}, "kind is 'records', there 'labels'"),
        ({"kind": {"a": 1}}, "kind is {'a': 1}, there 'labels'"),
        (
            {"input": {"sha256": "b" * 64, "rows": 7}},
            f"input sha256 is {'b' * 12}, there {'a' * 12}",
        ),
        (
            {"input": {"sha256": "a" * 63, "rows": 7}},
            f"input sha256 is '{'a' * 63}', there {'a' * 12}",
        ),
        ({"input": {"sha256": "a" * 64, "rows": 8}}, "input rows is 8, there 7"),
        ({"input": {"sha256": "a" * 64}}, "input rows is None, there 7"),
        ({"input": 5}, f"input is 5, there {repr(ABOUT['input'])[:120]}"),
        ({"options": {"lang": "ja"}}, "options lang is 'ja', there None"),
        ({"more": 1}, "more is 1, there None"),
        ({"kind": "x" * 200}, f"kind is '{'x' * 119}, there 'labels'"),
    ],
)
def test_the_first_thing_that_differs_is_named(change, told):
    assert manifests._difference(ABOUT, ABOUT | change) == told


def test_shards_of_other_jobs_are_refused(tmp_path):
    known = Manifest(Shard(0, 2), ABOUT, 1, {})
    manifests.refuse_another_job(known, Shard(1, 2), ABOUT, tmp_path)
    assert said(manifests.refuse_another_job, known, Shard(1, 3), ABOUT, tmp_path) == (
        f"{tmp_path} holds shard {known.shard}, and {Shard(1, 3)} is of another number of shards; "
        "keep one number, or write to another folder"
    )
    other = ABOUT | {"kind": "x"}
    assert said(manifests.refuse_another_job, known, Shard(1, 2), other, tmp_path) == (
        f"{tmp_path}: shard {Shard(1, 2)} differs from shard {known.shard}: kind is 'x', there "
        "'labels'; make all shards from the same input with the same options, or write to another "
        "folder"
    )
    known.write(tmp_path)
    Manifest(Shard(1, 2), other, 1, {}).write(tmp_path)
    assert "kind is 'x', there 'labels'" in said(manifests.read_all, tmp_path)


@pytest.mark.parametrize("other", [2, 3])
def test_any_shard_of_another_job_is_refused(tmp_path, other):
    for n in (1, 2, 3):
        about = ABOUT | {"kind": "x"} if n == other else ABOUT
        Manifest(Shard(n, 3), about, 1, {}).write(tmp_path)
    assert f"shard {other}/3 differs from shard 1/3: kind is 'x'" in said(
        manifests.read_all, tmp_path
    )


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "geodata.shard/2"}, {"shard": 1}, {"of": 3}, {"files": {"/etc/x": "y"}},
        {"files": {"../x": "y"}}, {"files": {"a/../../x": "y"}}, {"rows": "many"},
        {"shard": None}, {"files": []}, {"files": ["a"]}, {"files": "sub/a"}, {"files": None},
        {"files": {"a": 1}}, {"files": {"a": None}}, {"about": []}, {"about": "labels"},
        {"more": []}, {"more": 3},
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_named(tmp_path, change):
    Manifest(Shard(0, 2), ABOUT, 1, {"sub/a": "x"}).write(tmp_path)
    assert len(manifests.read_all(tmp_path)) == 1
    path = tmp_path / "_shard-00000-of-00002.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    told = said(manifests.read_all, tmp_path)
    assert told.startswith(f"{path} is no manifest of a shard (")
    assert told.endswith("); remove it and make the shard again")


def test_a_manifest_counts_nothing_unless_told():
    assert Manifest(Shard(1, 1), ABOUT, 1, {}).more == {}


def test_numbers_are_told_up_to_twenty():
    assert manifests.numbers(range(20)).endswith(", 18, 19")
    assert manifests.numbers(range(21)).endswith(", 18, 19 and 1 more")
