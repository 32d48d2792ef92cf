"""Options of configurations, photos, records and models."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from georl import config, data, models
from georl.config import DataConfig, ModelConfig
from georl.data.unpacked import Unpacked
from tests.options.finding import GEORL
from tests.options.world import World, said

ANY = lambda found: True  # noqa: E731  # what comes back is compared with the other one only
RED, BLUE = (254, 0, 0), (0, 0, 254)

# ---- configurations

GEORL.differs(
    "config.check",
    lambda w, **o: said(
        config.check, config.load(None, ["train.processes=4", "train.per_device=16"]), **o
    ),
    processes=(4, "ConfigError", None),
)
GEORL.differs(
    "config.load",
    lambda w, **o: config.load("tiny-cpu", **o).seed,
    overrides=(["seed=7"], 0, 7),
)
GEORL.differs(
    "config.load_reason",
    lambda w, **o: config.load_reason(None, **o).photos.table,
    overrides=(["photos.table=mine.csv"], lambda t: t != "mine.csv", "mine.csv"),
)

# ---- photos


def picture(w: World, name: str, colour=RED, size=(56, 56)):
    path = w.folder / name
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def corner(image):
    return image.getpixel((0, 0))


def unpacked(w: World):
    """One row as it is unpacked: a red image, and a chat of its own."""
    content = picture(w, "red.png").read_bytes()
    chat = [{"role": "user", "content": "Which city?"}, {"role": "assistant", "content": "Lima"}]
    table = pa.table({"bytes": [content], "path": pa.nulls(1, pa.string()), "messages": [chat]})
    path = w.folder / "rows.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return Unpacked(path)


def opened(name, **given):
    """Return what a reader opens: a blue photo in the root, or one that lies beside it."""

    def call(w: World, **options):
        picture(w, "photos/blue.png", BLUE)
        picture(w, "beside.png")
        reader = data.Reader(
            DataConfig(table="photos.csv", image_root=str(w.folder / "photos")), **given, **options
        )
        return said(lambda: reader.image({"id": "a", "row": 0, "image": name}))

    return call


GEORL.differs(
    "data.Reader",
    lambda w, **o: corner(opened("blue.png")(w, **o)),
    unpacked=(unpacked, BLUE, RED),
)
GEORL.differs(
    "data.Reader",
    lambda w, **o: opened("blue.png")(w, **o).size,
    model=(ModelConfig(max_pixels=28 * 28), (56, 56), (28, 28)),
)
GEORL.differs(
    "data.Reader",
    lambda w, **o: opened("../beside.png")(w, **o) == "DataError",
    sent=(True, False, True),
)


def asked(w: World, **options):
    reader = data.Reader(DataConfig(question="Where?"), unpacked(w), **options)
    return str(reader.prompt({"id": "a", "row": 0}))


GEORL.differs(
    "data.Reader",
    asked,
    chats=(["messages"], lambda t: "Where?" in t, lambda t: "Which city?" in t),
)


def photo(name, **given):
    def call(w: World, **options):
        picture(w, "beside/a.png")
        (w.folder / "photos").mkdir()
        found = said(data.open_image, name, w.folder / "photos", "a", **given, **options)
        return found if isinstance(found, str) else corner(found)

    return call


GEORL.differs("data.open_image", photo("../beside/a.png"), inside=(True, RED, "DataError"))
GEORL.differs(
    "data.open_image",
    photo("../beside/a.png", inside=True),
    home=(lambda w: w.folder / "beside", "DataError", RED),
)


def learnt(w: World, **options):
    """Count the answers that a tokenizer reads, of five photos."""
    run = config.load(None, ["name=tiny", "data.rows=5"])
    found = data.texts(data.load(run, completions=True), run, **options)
    return sum(text.startswith("Country: ") for text in found)


GEORL.differs("data.texts", learnt, limit=(2, 5, 2))

ALPS = data.Box(45.0, 6.0, 47.0, 10.0)


def inside_the_alps(w: World, **options):
    rows = data.world_photos(20, 0, **options).select(["lat", "lon"]).to_pylist()
    return all(45 <= row["lat"] <= 47 and 6 <= row["lon"] <= 10 for row in rows)


GEORL.differs("data.world_photos", inside_the_alps, box=(ALPS, False, True))

# ---- records of a reasoning set


def reasons(n=1):
    """Rows that were kept and, of other photos, rows that the step truth dropped."""
    rows = [
        {"id": f"{kept}{i}", "image": "a.jpg", "scan": "b.jpg", "reasoning": "A red tram.",
         "kept": kept, "step": None if kept else "truth", "country": "Portugal",
         "city": "Lisbon", "lat": 38.7, "lon": -9.1, "entities": ["tram"]}
        for i in range(n) for kept in (True, False)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def first_path(records):
    return records["image"][0].as_py()["path"]


GEORL.differs(
    "data.answer_records",
    lambda w, **o: first_path(data.answer_records(reasons(), "Where?", **o)),
    image=("scan", "a.jpg", "b.jpg"),
)
GEORL.differs(
    "data.judge_records",
    lambda w, **o: first_path(data.judge_records(reasons(), **o)[0]),
    image=("scan", "a.jpg", "b.jpg"),
)


def few(most, of=400):
    return lambda counts: 0 < counts["test"] < most and counts["train"] == of - counts["test"]


def half(counts):
    return 140 < counts["test"] < 260  # 200 and six deviations of a fair coin


GEORL.differs(
    "data.judge_records",
    lambda w, **o: data.judge_records(reasons(200), **o)[1],
    test_share=(0.5, few(80), half),
    leave_out=(
        ["truth"],
        lambda counts: (counts["yes"], counts["no"]) == (200, 200),
        lambda counts: (counts["yes"], counts["no"], counts["step truth"]) == (200, 0, 200),
    ),
)


def written(w: World, **options):
    """Write records of rows that two steps dropped, and count them as they lie in the file."""
    rows = reasons(200).to_pylist()
    rows += [{**row, "id": f"{row['id']}-", "step": "agree"} for row in rows if not row["kept"]]
    pq.write_table(pa.Table.from_pylist(rows), w.folder / "reasons.parquet")
    target = w.folder / "judge.parquet"
    data.write_judgements(DataConfig(table=str(w.folder / "reasons.parquet")), target, **options)
    made = pq.read_table(target)
    return made["step"].to_pylist().count("truth"), made["split"].to_pylist().count("test")


GEORL.differs(
    "data.write_judgements",
    written,
    leave_out=(["truth"], lambda found: found[0] == 200, lambda found: found[0] == 0),
    test_share=(0.5, lambda found: 0 < found[1] < 120, lambda found: 220 < found[1] < 380),
)

# ---- models

DRAWN = random.Random(0)
WORDS = ["".join(DRAWN.choices("abcdefghijklmnop", k=5)) for _ in range(400)]
TEXTS = [" ".join(DRAWN.choices(WORDS, k=20)) for _ in range(100)]
GEORL.differs(
    "models.build_tokenizer",
    lambda w, **o: len(models.build_tokenizer(TEXTS, **o)),
    vocabulary=(300, 600, 300),
)
GEORL.differs(
    "models.build_tokenizer",
    lambda w, **o: len(models.build_tokenizer(["abc"], **o)("It is a red tram")["input_ids"]),
    whole=(["It is a red tram"], lambda n: n > 1, 1),
)


def weights(model):
    return model.get_input_embeddings().weight[:2, :2].tolist()


GEORL.differs(
    "models.build_model",
    lambda w, **o: models.build_model(models.build_tokenizer(["abc"]), **o).config.text_config,
    config=(
        ModelConfig(hidden=48, layers=1),
        lambda c: c.hidden_size == ModelConfig().hidden,
        lambda c: (c.hidden_size, c.num_hidden_layers) == (48, 1),
    ),
)
GEORL.differs(
    "models.build_model",
    lambda w, **o: weights(models.build_model(models.build_tokenizer(["abc"]), **o)),
    seed=(1, ANY, ANY),
)
SMALL = ModelConfig(name="tiny", hidden=48, layers=1, vision_layers=1)
GEORL.differs(
    "models.load",
    lambda w, **o: len(models.load(SMALL, **o)[1].tokenizer("Country: France")["input_ids"]),
    texts=(["Country: France"] * 20, 15, lambda n: n < 6),
)
GEORL.differs("models.load", lambda w, **o: weights(models.load(SMALL, **o)[0]), seed=(1, ANY, ANY))
GEORL.differs(
    "models.lora",
    lambda w, **o: models.lora(ModelConfig(lora_rank=4), **o).lora_dropout,
    dropout=(0.25, 0.0, 0.25),
)
