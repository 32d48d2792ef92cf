"""Options of rewards and of the measures of a judge."""

import math
import time

from PIL import Image

from georl import calibration, rewards
from tests.georl.chat_server import ChatServer
from tests.options.finding import GEORL
from tests.options.world import World, said

KM = 6371.0088 * math.radians(1.0)
"""A degree of the equator, the distance of the answer below from the truth."""


def near(expected):
    return lambda found: math.isclose(found, expected, abs_tol=1e-6)


def earned(reward, text="(0.0, 1.0)"):
    return lambda w, **o: reward([text], [0.0], [0.0], **o)[0]


KNOTS, VALUES = (0.0, 2.0 * KM, 2500.0, 20000.0), (0.5, 0.5, 0.2, 0.0)
for name in ("distance", "geo_r"):
    GEORL.differs(
        f"rewards.{name}",
        earned(getattr(rewards, name)),
        knots_km=(KNOTS, near(1.0 - 0.5 * KM / 750.0), near(0.75)),
        values=(VALUES, near(1.0 - 0.5 * KM / 750.0), near(0.5)),
    )
GEORL.differs(
    "rewards.distance",
    earned(rewards.distance, "1.0000° N, 0.0000° E"),
    tolerant=(True, 0.0, near(1.0 - 0.5 * KM / 750.0)),
)
GEORL.differs(
    "rewards.exponential",
    earned(rewards.exponential),
    scale_km=(1000.0, near(math.exp(-KM / 200.0)), near(math.exp(-KM / 1000.0))),
)

# ---- names


def named(said_country, said_city, **given):
    text = f"<answer>country: {said_country}\ncity: {said_city}</answer>"
    return lambda w, **o: said(lambda: round(rewards.place_accuracy([text], **given, **o)[0], 6))


LISBON = {"lat": [38.72], "lon": [-9.14]}
GEORL.differs(
    "rewards.place_accuracy", named("Kenya", "Mombasa", **LISBON), country=(["KE"], 0.0, 1.0)
)
GEORL.differs(
    "rewards.place_accuracy",
    named("Portugal", "Porto", country=["PT"]),
    city=(["Lisbon"], 1.0, 0.2),
)
GEORL.differs(
    "rewards.place_accuracy",
    named("Portugal", "Lisbon", lon=LISBON["lon"]),
    lat=(LISBON["lat"], "ValueError", 1.0),
)
GEORL.differs(
    "rewards.place_accuracy",
    named("Portugal", "Lisbon", lat=LISBON["lat"]),
    lon=(LISBON["lon"], "ValueError", 1.0),
)
GEORL.differs(
    "rewards.place_accuracy",
    named("Portugal", "Porto", country=["PT"], city=["Lisbon"]),
    alpha=(0.5, 0.2, 0.5),
)
GEORL.differs(
    "rewards.place_accuracy",
    named("USA", "", country=["United States"]),
    rule=("release", 1.0, 0.0),
)

# ---- the judge

THOUGHT = "<think>A red tram.</think><answer>city: Lisbon</answer>"


def judged_photo(w: World, **options):
    """Judge a photo that is named by a relative path."""
    Image.new("RGB", (28, 28)).save(w.folder / "only-here.png")
    judge = rewards.Localizability(lambda rows: [0.5] * len(rows), **options)
    return judge([THOUGHT], image=["only-here.png"])


GEORL.differs(
    "rewards.Localizability",
    judged_photo,
    image_root=(lambda w: str(w.folder), [None], [0.5]),
)


class Served:
    """A judge on loopback that is sure, and what it was asked."""

    def __init__(self, rows=1, **given):
        self.rows, self.given = rows, given

    def __call__(self, w: World, **options):
        with ChatServer(lambda asked: ("yes", {"yes": 0.5, "no": 0.5})) as server:
            reward = said(rewards.localizability, url=server.url, **self.given, **options)
            if isinstance(reward, str):
                return reward
            started = time.monotonic()
            photos = [Image.new("RGB", (28, 28))] * self.rows
            found = said(reward, [THOUGHT] * self.rows, image=photos)
            return found, [asked.model for asked in server.requests], time.monotonic() - started


def by_url(w: World, **options):
    """Ask a server where one is named; without, the model is a folder, which is not there."""
    with ChatServer(lambda asked: ("yes", {"yes": 0.5, "no": 0.5})) as server:
        given = {"url": server.url} if options else {}
        reward = rewards.localizability(model=str(w.folder / "none"), **given)
        return said(reward, [THOUGHT], image=[Image.new("RGB", (28, 28))])


GEORL.differs("rewards.localizability", by_url, url=("a server's", "ConfigError", [0.5]))
GEORL.differs(
    "rewards.localizability",
    Served(),
    model=("mine", "ConfigError", lambda found: found[:2] == ([0.5], ["mine"])),
)
GEORL.differs(
    "rewards.localizability",
    Served(rows=3, model="m"),
    requests_per_second=(2.0, lambda found: found[2] < 1.0, lambda found: found[2] >= 1.0),
)
GEORL.seen_by(
    "georl/rewards/test_judge.py::test_the_key_comes_from_the_environment",
    "rewards.localizability:key_variable",
)
GEORL.seen_by(
    "georl/rewards/test_judge.py::test_a_fault_is_tried_again_and_then_no_verdict",
    "rewards.localizability:retries,timeout_s",
)
GEORL.seen_by(
    "georl/rewards/test_judge.py::test_requests_are_concurrent_and_bounded",
    "rewards.localizability:concurrency",
)
GEORL.seen_by(
    "georl/rewards/test_judge.py::test_images_in_every_form",
    "rewards.localizability:image_root",
)

# ---- measures

GEORL.differs(
    "calibration.reliability",
    lambda w, **o: [
        (b.low, b.rows) for b in calibration.reliability([0.25, 0.45, 0.95], [0, 1, 1], **o)
    ],
    bins=(2, [(0.2, 1), (0.4, 1), (0.9, 1)], [(0.0, 2), (0.5, 1)]),
)
GEORL.seen_by(
    "georl/calibration/test_judging.py::test_a_calibration_is_of_the_reward_itself",
    "calibration.calibrate:name",
)
