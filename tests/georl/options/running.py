"""Options of servers that are asked, of plans, demos, the trainer and the pipeline."""

import dataclasses
import time

import pyarrow.parquet as pq

from georl import data, demo, plan, reasoning
from georl.config import load
from georl.demo import science, telling
from georl.endpoints import Endpoint, Pace
from tests.georl.chat_server import ChatServer
from tests.georl.reasoning import world
from tests.options.finding import GEORL
from tests.options.world import World, said

# ---- endpoints


def sent(read):
    """Return what ``read`` finds in the body of a chat as it came to a server."""

    def call(w: World, **options):
        with ChatServer(lambda asked: ("yes", {"yes": 0.5, "no": 0.5})) as server:
            Endpoint(server.url, "m").chat([{"role": "user", "content": "?"}], **options)
            return read(server.requests[0].body)

    return call


def chatted(w: World, **options):
    with ChatServer(lambda asked: ("yes", {"yes": 0.5, "no": 0.25})) as server:
        return Endpoint(server.url, "m").chat([{"role": "user", "content": "?"}], **options).first


GEORL.differs(
    "endpoints.Endpoint.chat", sent(lambda body: body["max_tokens"]), max_tokens=(1, 256, 1)
)
GEORL.differs(
    "endpoints.Endpoint.chat", sent(lambda body: body["temperature"]), temperature=(0.5, 0.0, 0.5)
)
GEORL.differs("endpoints.Endpoint.chat", sent(lambda body: body.get("seed")), seed=(7, None, 7))
GEORL.differs(
    "endpoints.Endpoint.chat",
    chatted,
    top_logprobs=(2, {}, lambda first: first.keys() == {"yes", "no"}),
)


class Counted(Pace):
    """A pace that counts who waited for it."""

    waited = 0

    def wait(self):
        self.waited += 1
        super().wait()


def paced(ask):
    def call(w: World, **options):
        with ChatServer(lambda asked: "yes") as server:
            ask(Endpoint(server.url, "m"), **options)
        return options["pace"].waited if options else 0

    return call


ONE = [{"role": "user", "content": "?"}]
GEORL.differs(
    "endpoints.Endpoint.chat",
    paced(lambda server, **o: server.chat(ONE, **o)),
    pace=(Counted(), 0, 1),
)
GEORL.differs(
    "endpoints.Endpoint.ask",
    paced(
        lambda server, **o: server.ask(
            "chat/completions", {"model": "m", "messages": ONE}, lambda reply: reply, **o
        )
    ),
    pace=(Counted(), 0, 1),
)


def waited_s(w: World, **options):
    pace, started = Pace(**options), time.monotonic()
    for _ in range(3):
        pace.wait()
    return time.monotonic() - started


GEORL.differs(
    "endpoints.Pace", waited_s, per_second=(4.0, lambda s: s < 0.5, lambda s: 0.5 <= s < 5.0)
)

# ---- plans

SEVEN, CARD = plan.KNOWN["Qwen2.5-VL-7B"], plan.CARDS["a100-80"]
TINY = ["name=tiny", "train.batch=8", "train.per_device=8"]
LARGE = dataclasses.replace(SEVEN, parameters=10**16)
GEORL.differs(
    "plan.check_memory",
    lambda w, **o: said(plan.check_memory, load(None, TINY), **o),
    shape=(LARGE, None, "ConfigError"),
)


def described(w: World, **options):
    return plan.describe(load(None, TINY), **options)


GEORL.differs(
    "plan.describe",
    described,
    shape=(SEVEN, lambda t: "8.29 B" not in t, lambda t: "parameters: 8.29 B" in t),
    card=(CARD, lambda t: "name the cards" in t, lambda t: f"of one {CARD.name}" in t),
)
GEORL.differs(
    "plan.describe",
    lambda w, **o: described(w, card=CARD, **o),
    rows=(800, lambda t: "say how many rows" in t, lambda t: "# time: 100 steps, 800 rows" in t),
)
BESIDE = ["task=grpo", "grpo.vllm=colocate", "grpo.vllm_memory=0.5", "name=tiny"]


def sampler(w: World, **options):
    found = plan.memory(load(None, BESIDE), SEVEN, **options)
    return next((size for name, size in found.items() if name.startswith("vLLM")), None)


GEORL.differs("plan.memory", sampler, card_bytes=(2e12, lambda b: b != 1e12, 1e12))
GEORL.differs(
    "plan.work",
    lambda w, **o: getattr(plan.work(load(None, TINY), SEVEN, CARD, **o), "steps", None),
    rows=(800, None, 100),
)


def job(w: World, **options):
    plan.write(load(None, TINY), "x.yaml", w.folder, **options)
    return (w.folder / "job.sbatch").read_text(encoding="utf-8")


GEORL.differs(
    "plan.write",
    job,
    hours=(3, lambda t: "--time=24:00:00\n" in t, lambda t: "--time=3:00:00\n" in t),
)

# ---- demos: each is let go as far as the first file whose place a folder has taken

SMALL = demo.Sizes(pool=20, held_out=3)


def places(call):
    """Return the places that a demo writes before it begins to train."""

    def made(w: World, **options):
        (w.folder / "data" / "random.parquet").mkdir(parents=True)
        _stopped(call, w, options)
        return pq.read_table(w.folder / "data" / "held-out.parquet")["id"].to_pylist()

    return made


def _stopped(call, w, options):
    try:
        call(w.folder, **options)
    except OSError:
        return
    raise AssertionError("it was to end at the folder")


def first(seed):
    return lambda ids: ids[0] == f"world-{1_000_003 + seed}-0"


def rows(number):
    return lambda found: len(found) == number


GEORL.differs(
    "demo.run",
    places(demo.run),
    quick=(True, rows(512), rows(256)),
    sizes=(SMALL, rows(512), rows(3)),
)
GEORL.differs(
    "demo.run",
    places(lambda folder, **o: demo.run(folder, sizes=SMALL, **o)),
    seed=(5, first(0), first(5)),
)
GEORL.differs(
    "demo.scored",
    places(lambda folder, **o: demo.scored(folder, demo.MAIN, SMALL, **o)),
    seed=(5, first(0), first(5)),
)


def globe_rows(**given):
    """Return seed and rows of the photos to find that GLOBE's demo writes after its reasons."""

    def made(w: World, **options):
        for seed in (0, 5):
            kept = w.folder / f"seed-{seed}" / "data"
            (kept / "train.parquet").mkdir(parents=True)
            for name in ("reasons", "base"):
                pq.write_table(REASONS, kept / f"{name}.parquet")
        _stopped(demo.run_globe, w, given | options)
        (found,) = w.folder.rglob("held-out.parquet")
        return found.parts[-3], pq.read_metadata(found).num_rows

    return made


def about(seed, most):
    return lambda found: found[0] == f"seed-{seed}" and most / 2 < found[1] <= most


REASONS = data.generated_reasons(1, 0)
FEW = demo.GlobeSizes(held_out=8)
GEORL.differs(
    "demo.run_globe",
    globe_rows(),
    quick=(True, about(0, 600), about(0, 120)),
    sizes=(FEW, about(0, 600), about(0, 8)),
)
GEORL.differs(
    "demo.run_globe",
    globe_rows(sizes=FEW),
    seeds=((5,), about(0, 8), about(5, 8)),
)

ROWS = [0] * 9 + [-1]
"""Whose standard deviation is 0.3: of the mean of ten, 0.186 to either side."""
GEORL.differs(
    "demo.telling.over_seeds",
    lambda w, **o: telling.over_seeds([-0.1, -0.1], **o).low,
    rows=(ROWS, lambda low: low == -0.1, lambda low: abs(low + 0.28594) < 1e-5),
)

SHORT = demo.Lesson(cities=24, held_out=6)


def science_pool(w: World, **options):
    """Go on with lessons that are there; return seed and places of the first pool, or the error.

    What the short lesson left is damaged.
    """
    (w.folder / "cities").mkdir()
    for seed in (0, 1, 2, 5, 6):
        (w.folder / f"pool-{seed}" / "data" / "held-out.parquet").mkdir(parents=True)
        for knows in (True, False):
            for lesson, text in ((demo.Lesson(), '{"chain": [], "coordinates": []}'), (SHORT, "{")):
                path = science._file(w.folder / "cities", seed, knows, lesson)
                path.write_text(text, encoding="utf-8")
    try:
        _stopped(demo.run_science, w, options)
    except ValueError as error:
        return type(error).__name__
    (found,) = w.folder.rglob("random.parquet")
    return found.parts[-3], pq.read_metadata(found).num_rows


GEORL.differs(
    "demo.run_science",
    science_pool,
    sizes=(demo.Sizes(pool=30), ("pool-0", 6000), ("pool-0", 30)),
    lesson=(SHORT, ("pool-0", 6000), "JSONDecodeError"),
)
GEORL.differs(
    "demo.run_science",
    lambda w, **o: science_pool(w, sizes=demo.Sizes(pool=30), **o),
    seeds=((5, 6), ("pool-0", 30), ("pool-5", 30)),
)
for name in ("run", "scored", "run_globe", "run_science"):
    GEORL.only_cost(f"demo.{name}", workers="processes side by side")

# ---- the trainer, the pipeline, the server

GEORL.seen_by(
    "georl/test_globe_run.py::test_an_answer_without_a_verdict_stands_where_its_group_does",
    "grpo.build:kind",
)
GEORL.seen_by(
    "georl/grpo/test_trainer.py::test_rewards_given_to_build_are_those_of_the_run",
    "grpo.build:reward_funcs",
)


def left_alone(w: World, **options):
    """Whether a step that is up to date leaves its file as it was."""
    world.photos(w.folder, 2)
    with world.PhotoServer("a") as one, world.PhotoServer("b") as two:
        config = world.config(w.folder, {"a": one.url, "b": two.url})
        made = reasoning.run(config, "ask")
        before = made.stat().st_mtime_ns
        return reasoning.run(config, "ask", **options).stat().st_mtime_ns == before


GEORL.differs("reasoning.run", left_alone, again=(False, False, True))
GEORL.seen_by(
    "georl/serve/test_serve.py::test_the_name_and_the_address_are_those_that_were_given",
    "serve.listen:name,host,port",
)
GEORL.seen_by(
    "georl/serve/test_serve.py::test_a_name_of_the_hub_needs_its_commit",
    "serve.listen:revision",
    "serve.application:revision",
)
GEORL.seen_by(
    "georl/serve/test_serve.py::test_an_application_bears_the_name_that_was_given",
    "serve.application:name",
)
