"""The page about Geo-R on eight A100s, followed on a CPU with a tiny model and 400 photos."""

import re
from dataclasses import asdict

import pytest

from geodata import datasets, photos
from georl import config, rewards
from tests.datasets.raw_files import answers, csv, im2gps3k, mp16, tar_of
from tests.georl.tiny_runs import SMALL
from tests.near_duplicates.photos_made import jpeg, scene
from tests.pages import ROOT, TUTORIALS, blocks, follow

PAGE = TUTORIALS / "train-geo-r.md"
FILE = "configs/qwen2.5-vl-7b-8xa100.yaml"
TINY = " ".join(["tiny-cpu", *SMALL[:3], "data.decimals=0", "data.round_degrees=10"])
STEPS = "train.batch=16 train.per_device=16 train.warmup_steps=2"
SMALLER = [
    ("accelerate launch --config_file configs/accelerate/fsdp2.yaml -m georl.cli", "georl"),
    (f"sft {FILE}", f"sft {TINY} {STEPS} max_steps=120 learning_rate=1e-2 output=out/geo-r-7b"),
    (f"grpo {FILE}", f"grpo {TINY} logging_steps=1 max_steps=2 grpo.rollout_samples=4"),
    ("per_device=8 train.batch=256", "per_device=16 train.batch=16"),
    (f"predict {FILE}", f"predict {TINY} predict.max_tokens=40"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the page before this one leaves: a lake with rand and hard, the archive, IM2GPS3K."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    table, lat, lon = mp16(400)
    csv(table, tmp_path / "mp16_places365.csv")
    csv(answers(table, lat, lon), tmp_path / "base_model.csv")
    names = [f"mp16/{name.replace('/', '_')}" for name in table["IMG_ID"].to_pylist()]
    picture = jpeg(scene(0, (64, 48))).ljust(5200, b"\0")  # less is Flickr's placeholder
    tar_of(tmp_path / "mp-16-images.tar", dict.fromkeys(names, picture))
    benchmark = im2gps3k(table, rows=8, shared=0)
    csv(benchmark, tmp_path / "im2gps3k.csv")
    (tmp_path / "im2gps3k").mkdir()
    for name in benchmark["IMG_ID"].to_pylist():
        (tmp_path / "im2gps3k" / name).write_bytes(picture)
    photos.import_("mp16_places365.csv", "lake/photos", images="mp-16-images.tar")
    datasets.build("labelled", "lake")
    datasets.build("rand", "lake", n=200)
    datasets.build("popular", "lake", inputs={"predictions": "base_model.csv"})
    datasets.build("hard", "lake", n=40)
    return tmp_path


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_page_is_followed_with_a_tiny_model(folder):
    told = follow(PAGE, folder, {"OMP_NUM_THREADS": "1"}, SMALLER)
    assert "'learning_rate': '1.667e-08'" in told[2]  # the second of the page's steps of GRPO
    assert "8 truth rows, 8 answered" in told[-1]
    assert (folder / "geo-r-7b.html").is_file()


def test_the_settings_of_the_page_are_settings(tmp_path):
    """Its YAML, its commands as the 7B file takes them, and what it names in its sentences."""
    text = PAGE.read_text(encoding="utf-8")
    for kind, words in blocks(PAGE):
        if kind == "yaml":
            (tmp_path / "part.yaml").write_text(words)
            named = config.load(tmp_path / "part.yaml", ["task=grpo"]).rewards
            assert len(rewards.bind_rewards(rewards, named)) >= 3
    commands = [words for kind, words in blocks(PAGE) if kind == "sh" and FILE in words]
    assert len(commands) == 4
    for words in commands:
        given = re.findall(r"\b\w+(?:\.\w+)?=\S+", words.partition(FILE)[2].partition("geodata")[0])
        config.load(ROOT / FILE, given)
    whole = asdict(config.load(ROOT / FILE, []))
    named = re.findall(rf"`((?:{'|'.join(whole)})\.\w+)", text)
    assert len(named) > 25
    assert [name for name in named if name.split(".")[1] not in whole[name.split(".")[0]]] == []
