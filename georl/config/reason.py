"""The configuration of a reasoning set: which photos, which servers, and what keeps a row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from georl.config.checks import server_problems
from georl.config.resolving import tree_of
from georl.config.tree import ConfigError, fill

_OF_THE_WAY = (
    *("url", "key_variable", "concurrency", "requests_per_second", "retries", "timeout_s"),
    *("usd_per_million_in", "usd_per_million_out", "seconds_per_call", "file"),
)
"""Settings of a server that decide how it is asked, not what."""

MODELS_NEEDED = 2
"""Agreement is between two models or more."""


@dataclass(frozen=True)
class ServerConfig:
    """A server that photos or texts are sent to."""

    url: str | None = None
    """Base URL of its API, e.g. http://localhost:8000/v1."""
    model: str = ""
    """The name that the server knows."""
    key_variable: str | None = None
    """Environment variable that holds the key, named ..._API_KEY; None sends none."""
    concurrency: int = 8
    """Requests under way at once."""
    requests_per_second: float = 0.0
    """Upper bound on the request rate; 0 sets none."""
    retries: int = 4
    timeout_s: float = 120.0
    """From the first byte sent to the last received, of one request."""


@dataclass(frozen=True)
class AskedConfig(ServerConfig):
    """A vision-language model that is asked about every photo."""

    localizability: Literal["answer", "first_token"] = "answer"
    """Read from the answer, or p(yes) / (p(yes) + p(no)) of a second question, for which the
    server must give log-probabilities."""
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int | None = None
    """Of the draws, where the server can."""
    usd_per_million_in: float = 0.0
    """Price of a million tokens of requests; 0 is not known, and no cost is estimated."""
    usd_per_million_out: float = 0.0
    seconds_per_call: float = 5.0
    """Assumed by the estimate until answers are there to measure."""


@dataclass(frozen=True)
class ReasonPhotos:
    """The photos, and what is true of them."""

    table: str = ""
    """A table of a lake (lake/photos, lake/photos@3) or a CSV, TSV, JSONL or Parquet file."""
    image: str = "image"
    """Column with the path of each image, or ``archive.tar#member``."""
    image_root: str = "."
    """As in `georl.config.DataConfig`."""
    id: str | None = None
    """Column that names a photo; by default the usual names."""
    split: str | None = None
    """Take only rows with this value in the column 'split'."""
    limit: int | None = None
    """Take only the first rows."""
    max_pixels: int = 1_000_000
    """Larger photos are made smaller before they are sent."""


@dataclass(frozen=True)
class FilterConfig:
    """Step b: photos that cannot be located go."""

    min_localizability: float = 0.5
    """Every model must give at least this."""


@dataclass(frozen=True)
class TruthConfig:
    """Step c: answers that contradict the truth go."""

    near_km: float = 25.0
    """A place this near to the photo is right, whatever its names."""
    need_city: bool = True
    """Drop answers that name no city."""
    predictor: str | None = None
    """File of a coordinate predictor (id, lat, lon, and confidence if it has one)."""
    predictor_km: float = 750.0
    """Drop a photo that the predictor puts further away than this."""
    predictor_confidence: float = 0.0
    """Leave out predictions below this confidence."""


@dataclass(frozen=True)
class AgreeConfig(ServerConfig):
    """Step d: models agree on the place, and their reasonings align."""

    place_km: float = 25.0
    """Cities this near to each other are one place."""
    min_similarity: float | None = None
    """Least similarity of two reasonings; None is 0.7 of embeddings, and 0.2 of words where
    ``url`` names no server of embeddings."""

    @property
    def least(self) -> float:
        """The similarity asked for."""
        if self.min_similarity is not None:
            return self.min_similarity
        return 0.7 if self.url else 0.2


@dataclass(frozen=True)
class VerifyConfig(ServerConfig):
    """Step e: what the reasoning names is to be seen in the photo."""

    file: str | None = None
    """Table of what is visible: id, and entities as a list of texts or JSON."""
    min_score: float = 0.3
    """Least score of a detection."""
    min_share: float = 1.0
    """Share of the named things that must be visible."""


@dataclass(frozen=True)
class ReasonConfig:
    """A whole reasoning set."""

    output: str = "out/reason"
    """Folder of the run: answers, what each step left, the card."""
    table: str = "lake/reason"
    """The table of the lake that is written."""
    question: str | None = None
    """Ask exactly this in place of the built-in question."""
    photos: ReasonPhotos = field(default_factory=ReasonPhotos)
    models: dict[str, AskedConfig] = field(default_factory=dict)
    """Own name -> a server; two or more. The first gives the reasoning that is kept."""
    give_up: int = 20
    """Stop after so many failed requests of a model in a row."""
    filter: FilterConfig = field(default_factory=FilterConfig)
    truth: TruthConfig = field(default_factory=TruthConfig)
    agree: AgreeConfig = field(default_factory=AgreeConfig)
    verify: VerifyConfig = field(default_factory=VerifyConfig)


def load_reason(path: str | os.PathLike[str] | None, overrides: Sequence[str] = ()) -> ReasonConfig:
    """Read the YAML file of a reasoning set, or a bundled one, and apply ``key=value`` overrides.

    Raises
    ------
    ConfigError
        As `georl.config.load`.

    Examples
    --------
    >>> load_reason(None, ["models.a.url=http://localhost:8000/v1"]).models["a"].concurrency
    8
    >>> load_reason(None, ["models.a.modle=m"])
    Traceback (most recent call last):
        ...
    georl.config.tree.ConfigError: unknown key 'models.a.modle'; did you mean models.a.model?
    """
    return fill(ReasonConfig, tree_of(ReasonConfig, path, overrides, "reason"))


def check_reason(config: ReasonConfig) -> None:
    """Refuse what cannot run, before a photo is read or sent.

    Raises
    ------
    ConfigError
        With every problem found, one a line.

    Examples
    --------
    >>> served = [f"models.{name}.{key}={value}" for name in "ab" for key, value in
    ...           {"url": "http://localhost:8000/v1", "model": name}.items()]
    >>> check_reason(load_reason(None, ["photos.table=photos.csv", *served]))  # nothing to say
    >>> check_reason(load_reason(None, served))
    Traceback (most recent call last):
        ...
    georl.config.tree.ConfigError: photos.table is not set; name a table of a lake or ...
    """
    problems = list(_problems(config))
    if problems:
        raise ConfigError("\n".join(problems))


def _problems(config: ReasonConfig) -> Iterator[str]:
    if not config.photos.table:
        yield "photos.table is not set; name a table of a lake or a file of photos"
    if len(config.models) < MODELS_NEEDED:
        yield (
            f"models has {len(config.models)} entries, and agreement needs two or more; add "
            "models.NAME.url and models.NAME.model"
        )
    asked = [(m.model, m.temperature, m.seed, m.max_tokens) for m in config.models.values()]
    if len(set(asked)) < len(asked):
        yield "two of models are the same model with the same options; their agreement says nothing"
    servers: dict[str, ServerConfig] = {f"models.{k}": m for k, m in config.models.items()}
    optional = {"agree": config.agree, "verify": config.verify}
    servers |= {k: s for k, s in optional.items() if s.url is not None}
    for where, server in servers.items():
        yield from _of_server(where, server)
    if config.verify.file is not None and config.verify.url is not None:
        yield "verify.file and verify.url are both set; what is visible is said by one of them"
    if config.photos.max_pixels < 1 or config.give_up < 1:
        yield "photos.max_pixels and give_up must be above 0"
    shares = {
        "filter.min_localizability": config.filter.min_localizability,
        "verify.min_share": config.verify.min_share,
        "verify.min_score": config.verify.min_score,
        "agree.min_similarity": config.agree.least,
    }
    for name, value in shares.items():
        if not 0.0 <= value <= 1.0:
            yield f"{name} is {value}; it lies in [0, 1]"


def _of_server(where: str, server: ServerConfig) -> Iterator[str]:
    yield from server_problems(where, server.url or "", server.key_variable, server.timeout_s)
    if not server.model:
        yield f"{where}.model is not set; give the name that the server knows"
    if server.concurrency < 1 or server.retries < 0:
        yield f"{where}.concurrency must be above 0, and retries not below 0"
    if server.key_variable and not os.environ.get(server.key_variable, "").strip():
        yield (
            f"{where}.key_variable is {server.key_variable}, which is not set in the environment; "
            f"export {server.key_variable}=..., or set {where}.key_variable=null for a server "
            "without keys"
        )


def recorded(config: ReasonConfig) -> dict[str, Any]:
    """Return what decides the rows of a set: not where its files and servers are, nor prices.

    Examples
    --------
    >>> config = load_reason(None, ["models.a.url=http://localhost:8000/v1", "models.a.model=m"])
    >>> sorted(recorded(config))
    ['agree', 'filter', 'models', 'photos', 'question', 'truth', 'verify']
    """
    tree = asdict(config)
    tree["agree"]["min_similarity"] = config.agree.least
    for server in (*tree["models"].values(), tree["agree"], tree["verify"]):
        for name in _OF_THE_WAY:
            server.pop(name, None)
    for block, name in (("photos", "table"), ("photos", "image_root"), ("truth", "predictor")):
        tree[block].pop(name)
    return {k: v for k, v in tree.items() if k not in ("output", "table", "give_up")}
