"""The lmms-eval task of the examples: its schema, its functions, what `evaluate` reads of it."""

import importlib.util
import inspect
import json
import shutil
from types import SimpleNamespace

import pytest
import yaml
from PIL import Image

from geodata import evaluation
from tests.pages import ROOT, TUTORIALS, follow

FOLDER = ROOT / "examples" / "lmms_eval"
FIELDS = {
    *("task", "dataset_path", "dataset_name", "dataset_kwargs", "test_split", "output_type"),
    *("doc_to_visual", "doc_to_text", "doc_to_target", "generation_kwargs", "process_results"),
    *("metric_list", "lmms_eval_specific_kwargs", "metadata"),
}
"""Those that lmms-eval's task guide (docs/task_guide.md) names and this task uses."""


@pytest.fixture
def utils():
    spec = importlib.util.spec_from_file_location("lmms_eval_utils", FOLDER / "utils.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def task(utils):
    """The task file, its functions found as lmms-eval finds them: module and name."""

    class Loader(yaml.SafeLoader):
        pass

    def function(loader, node):
        module, _, name = loader.construct_scalar(node).rpartition(".")
        assert module == "utils"
        return getattr(utils, name)

    Loader.add_constructor("!function", function)
    return yaml.load((FOLDER / "geolocation.yaml").read_text("utf-8"), Loader)


def test_the_file_has_the_fields_of_the_guide(task):
    assert set(task) == FIELDS - {"dataset_name"}
    assert task["output_type"] == "generate_until"
    assert task["test_split"] in task["dataset_kwargs"]["data_files"]
    for metric in task["metric_list"]:
        assert set(metric) == {"metric", "aggregation", "higher_is_better"}


def test_a_run_leaves_what_evaluate_reads(task, tmp_path, monkeypatch):
    """As lmms-eval walks: a prompt and a picture a row, metrics a row, one aggregation a metric."""
    monkeypatch.setenv("PHOTOS", str(tmp_path))
    Image.new("L", (8, 6)).save(tmp_path / "a.jpg")
    truth = [
        {"id": "007", "image": "a.jpg", "lat": 48.8584, "lon": 2.2945},
        {"id": "008", "image": "a.jpg", "lat": 35.6586, "lon": 139.7454},
        {"id": "009", "image": "a.jpg", "lat": -33.8568, "lon": 151.2153},
    ]
    said = [
        'It is Paris.\n```json\n{"lat": 48.86, "lon": 2.29}\n```',
        "東京タワー、日本。北緯35.65度 (35.65, 139.74)",
        "I'm sorry, but I can't help with identifying this location.",
    ]
    picture = task["doc_to_visual"](truth[0])[0]
    assert (picture.size, picture.mode) == ((8, 6), "RGB")
    settings = task["lmms_eval_specific_kwargs"]["default"]
    assert "(latitude, longitude)" in task["doc_to_text"](truth[0], settings)
    assert task["doc_to_text"](truth[0], {"pre_prompt": "<", "post_prompt": ">"})[0 :: 10**6] == "<"
    assert task["doc_to_target"](truth[0]) == "(48.8584, 2.2945)"
    rows = [task["process_results"](doc, [words]) for doc, words in zip(truth, said, strict=True)]
    values = {m["metric"]: [row[m["metric"]] for row in rows] for m in task["metric_list"]}
    assert values["within_25_km"] == [1.0, 1.0, 0.0]
    write = task["metric_list"][1]["aggregation"]
    assert "args" in inspect.signature(write).parameters  # how lmms-eval knows to hand them over
    assert write(values["answers"], args=SimpleNamespace(output_path=str(tmp_path / "logs"))) == 3
    written = tmp_path / "logs" / "submissions" / "geolocation_answers.jsonl"
    assert json.loads(written.read_text("utf-8").splitlines()[1]) == {
        "id": "008", "response": said[1],
    }  # fmt: skip
    photos = tmp_path / "photos.jsonl"
    photos.write_text("".join(json.dumps(row) + "\n" for row in truth), encoding="utf-8")
    found = evaluation.evaluate(written, photos)
    assert found.accuracy[25] == sum(values["within_25_km"]) / 3
    assert (found.answered, found.refused, found.missing) == (2, 1, 0)


def test_the_tutorial_runs(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    follow(TUTORIALS / "lmms-eval.md", tmp_path)
