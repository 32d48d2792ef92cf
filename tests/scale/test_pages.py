"""The tutorials about scale, followed word for word; the cluster is one of this machine."""

import shutil
from importlib.util import find_spec

import pytest

from tests import pages
from tests.tables import s3_server

TUTORIALS = pages.ROOT / "docs" / "tutorials"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copy(pages.ROOT / "examples" / "truth.csv", tmp_path / "photos.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_shards_without_an_engine(folder):
    pages.follow(TUTORIALS / "shards.md", folder)


@pytest.mark.parametrize(("engine", "needs"), [("Spark", "pyspark"), ("Daft", "daft")])
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_other_engines(folder, engine, needs):
    """Where the engine is installed; Spark also wants a Java."""
    if find_spec(needs) is None or (engine == "Spark" and shutil.which("java") is None):
        pytest.skip(f"{needs} is not installed")
    text = (TUTORIALS / "other-engines.md").read_text("utf-8")
    part = text.partition(f"## {engine}\n")[2].partition("\n## ")[0]
    (folder / "part.md").write_text(part, "utf-8")
    (code,) = [block for kind, block in pages.blocks(folder / "part.md") if kind == "python"]
    pages.run_python(code, {"__name__": "page"})


@pytest.mark.skipif(find_spec("moto") is None, reason="moto[server] is not installed")
def test_a_table_in_a_bucket(folder, monkeypatch):
    with s3_server.server() as endpoint:
        for key, value in (s3_server.KEYS | {"AWS_ENDPOINT_URL": endpoint}).items():
            monkeypatch.setenv(key, value)
        pages.follow(TUTORIALS / "bucket.md", folder)


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra [ray] is not installed")
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_ray_cluster(folder):
    import ray

    try:
        pages.follow(TUTORIALS / "cluster.md", folder)
    finally:
        ray.shutdown()
