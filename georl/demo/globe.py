"""GLOBE's whole path in small, without downloads: ``georl demo --globe``.

    reasons -> reward model -> GRPO with three rewards -> scores from names

The reasoning set is generated from the bundled Earth (`georl.data.generated_reasons`); with a set
of the real pipeline, `georl.reasoning`, its table takes the place of that one file. The paper's
ablation is trained from one base and compared on held-out photos, whichever way it comes out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import evaluation
from geodata.files import replacing, write_table, write_text
from georl import calibration, data, models, predict, rewards
from georl.config import DataConfig, ModelConfig, load
from georl.demo import globe_report
from georl.demo.globe_arms import (
    BASE,
    GLOBE_QUICK,
    JUDGE,
    QUESTION,
    TRAINED,
    GlobeArm,
    GlobeSizes,
    globe_config,
)
from georl.demo.globe_report import ArmScore, Found
from georl.demo.runs import Job, no_bars_of_others, train_all

BASE_SEED, HELD_OUT_SEED = 2_000_003, 1_000_003
"""Added to a seed for the photos that the base learns from, and for those that are scored."""

MAX_TOKENS = 48
VOCABULARY = 1200

_SAY = "Say "
_CHAT = ["id", "image", "prompt", "completion"]


def run_globe(
    output: Path,
    *,
    seeds: Sequence[int] = (0,),
    quick: bool = False,
    workers: int = 2,
    sizes: GlobeSizes | None = None,
) -> str:
    """Build, train, score and compare; write everything into ``output``, return the report.

    Parameters
    ----------
    output
        Folder; a second start goes on where the first was stopped, and one with other settings is
        refused.
    seeds
        Each decides places, weights and draws of a whole path of its own; intervals over
        seeds need two.
    quick
        The same path, too short to learn.
    workers
        Training runs side by side, the cores shared between them.
    sizes
        Rows and steps; by default the full demo's, or the quick one's.

    Raises
    ------
    DemoError
        If a training run fails; the others are stopped. Also if the folder holds other runs.
    ValueError
        Without a seed.

    Examples
    --------
    >>> print(run_globe(Path("globe"), quick=True))  # doctest: +SKIP
    """
    if not seeds:
        msg = "seeds is empty; give at least one number, such as 0"
        raise ValueError(msg)
    started = time.perf_counter()
    sizes = sizes or (GLOBE_QUICK if quick else GlobeSizes())
    no_bars_of_others()
    found = [_of_seed(output / f"seed-{seed}", sizes, seed, workers, started) for seed in seeds]
    text = globe_report.markdown(found)
    write_text(output / "report.md", text)
    write_text(output / "report.html", globe_report.page(found))
    write_text(output / "report.json", json.dumps([asdict(one) for one in found], indent=1) + "\n")
    seconds = time.perf_counter() - started
    return f"{text}\n{seconds:.0f} s. Report: {output / 'report.html'}\n"


def _of_seed(folder: Path, sizes: GlobeSizes, seed: int, workers: int, started: float) -> Found:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    _prepare(folder, sizes, seed)
    train_all([_job(BASE, folder, sizes, seed)], 1, started)
    # the judge first: two arms wait for it
    alone = [arm for arm in TRAINED if "localizability" not in arm.rewards]
    train_all([_job(arm, folder, sizes, seed) for arm in (JUDGE, *alone)], workers, started)
    others = [arm for arm in TRAINED if arm not in alone]
    train_all([_job(arm, folder, sizes, seed) for arm in others], workers, started)
    judged = _calibrated(folder)
    judge = rewards.localizability(model=str(folder / "judge" / "final"))
    scores = {arm.name: _score(arm, folder, judge) for arm in (BASE, *TRAINED)}
    return Found(seed, judged, scores, _differences(folder))


def _job(arm: GlobeArm, folder: Path, sizes: GlobeSizes, seed: int) -> Job:
    return Job(arm.name, arm.title, globe_config(arm, folder, sizes, seed))


def _prepare(folder: Path, sizes: GlobeSizes, seed: int) -> None:
    """Write the reasoning set and what is made of it, and the model that has learnt nothing."""
    kept = folder / "data"
    reasons = reasoning_set(kept / "reasons.parquet", sizes.reasons, seed)
    if not (kept / "base.parquet").is_file():
        made = data.generated_reasons(sizes.reasons, seed + BASE_SEED)
        write_table(_taught_forms(made, seed), kept / "base.parquet")
    if not (kept / "held-out.parquet").is_file():
        made = data.generated_reasons(sizes.held_out, seed + HELD_OUT_SEED)
        write_table(data.answer_records(made, QUESTION), kept / "held-out.parquet")
    if not (kept / "train.parquet").is_file():
        answers = data.answer_records(pq.read_table(reasons), QUESTION)
        write_table(answers, kept / "train.parquet")
    if not (kept / "judge.parquet").is_file():
        data.write_judgements(DataConfig(table=str(reasons)), kept / "judge.parquet")
    if not (kept / "truth.parquet").is_file():
        truth = pq.read_table(kept / "held-out.parquet", columns=["id", *globe_report.TRUTH])
        write_table(truth, kept / "truth.parquet")
    if not (folder / "blank" / "model.safetensors").is_file():
        _write_blank(folder, sizes, seed)


def reasoning_set(path: Path, rows: int, seed: int) -> Path:
    """Write the reasoning set of a seed unless it is there, and return its path.

    A table of `georl.reasoning` under this path is used as it is: id, image, lat, lon, country,
    city, reasoning, entities, model, kept, step and reason are read.
    """
    if not path.is_file():
        write_table(data.generated_reasons(rows, seed), path)
    return path


def _taught_forms(reasons: pa.Table, seed: int) -> pa.Table:
    """Return what the base learns: answers, and to say yes or no.

    An eighth of the rows end in yes or no, which a coin chose: half of them ask what a judge is
    asked, the others to say that word. The base so knows the form of a verdict, and nothing of
    what decides it: that is left to the reward model's training. Its vectors of the two words stay
    close, and LoRA leaves vectors as they are: the reward model puts rows in their order and is
    sure of none, saying 0.2 to 0.7 where a large one says 0 to 1.
    """
    rng = np.random.default_rng(seed)
    answers = data.answer_records(reasons, QUESTION).select(_CHAT)
    asked, _ = data.judge_records(reasons.slice(0, answers.num_rows // 7))
    rows = asked.select(_CHAT).to_pylist()
    for number, row in enumerate(rows):
        said = "yes" if rng.random() < 0.5 else "no"
        if number % 2:
            row["prompt"] = [{"role": "user", "content": f"{_SAY}{said}"}]
        row["completion"] = [{"role": "assistant", "content": said}]
    return pa.concat_tables([answers, pa.Table.from_pylist(rows, answers.schema)])


def _write_blank(folder: Path, sizes: GlobeSizes, seed: int) -> None:
    """Write a random model whose tokenizer has read what the demo says and asks."""
    texts = [f"user\n{QUESTION}", "assistant\n"] * 500
    for name in ("train", "judge"):
        table = pq.read_table(folder / "data" / f"{name}.parquet", columns=["prompt", "completion"])
        for row in table.slice(0, 1500).to_pylist():
            texts += [turn["content"] for turns in row.values() for turn in turns]
    tokenizer = models.build_tokenizer(texts, VOCABULARY, whole=_fixed_passages())
    shape = ModelConfig(hidden=sizes.hidden, layers=sizes.layers)
    beside = folder / "blank.new"
    models.build_processor(tokenizer).save_pretrained(beside)
    models.build_model(tokenizer, shape, seed).save_pretrained(beside)
    if (folder / "blank").exists():
        msg = f"{folder / 'blank'} holds no model; delete it and start again"
        raise FileExistsError(msg)
    beside.rename(folder / "blank")


def _fixed_passages() -> list[str]:
    """Return what every question and every answer says in the same words."""
    before, after = rewards.judge_question("|").split("|")
    answered = ("<think>", "</think><answer>country: ", "\ncity: ", "</answer>")
    return [before, after, _SAY, *answered, *data.PHRASES]


def _calibrated(folder: Path) -> dict[str, Any]:
    """Return the calibration of the judge on photos it has not seen, empty without verdicts."""
    target = folder / "calibration" / "calibration.json"
    if not target.is_file():
        judge = rewards.localizability(model=str(folder / "judge" / "final"))
        records = DataConfig(table=str(folder / "data" / "judge.parquet"), split="test")
        try:
            calibration.calibrate(records, judge, target.parent, name="the tiny reward model")
        except data.DataError:  # a judge that has hardly trained says neither yes nor no
            return {"auc": None, "ece": None, "rows": 0, "by_step": {}, "bins": []}
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


def _answers(arm: GlobeArm, folder: Path) -> Path:
    """Return the file of an arm's greedy answers to the held-out photos."""
    target = folder / arm.name / "predictions.parquet"
    if not target.is_file():
        given = [f"data.table={folder / 'data' / 'held-out.parquet'}", f"predict.output={target}"]
        options = ["predict.batch=128", f"predict.max_tokens={MAX_TOKENS}"]
        model = f"model.name={folder / arm.name / 'final'}"
        predict.predict(load(None, ["task=predict", *given, *options, model]))
    return target


def _score(arm: GlobeArm, folder: Path, judge: rewards.Localizability) -> ArmScore:
    """Score the names that an arm answers, and what its answers earn; kept beside them."""
    target = folder / arm.name / "score.json"
    if not target.is_file():
        answers = _answers(arm, folder)
        truth = folder / "data" / "truth.parquet"
        scored = evaluation.evaluate(answers, truth, globe_report.THRESHOLDS_KM, text="answer")
        texts = pq.read_table(answers)["answer"].to_pylist()
        rows = pq.read_table(folder / "data" / "held-out.parquet").to_pydict()
        named = globe_report.names_right(texts, rows["country"], rows["city"])
        score = globe_report.arm_score(scored, named, _earned(texts, rows, judge))
        with replacing(target) as beside:
            beside.write_text(json.dumps(asdict(score), indent=1) + "\n", encoding="utf-8")
    return ArmScore(**json.loads(target.read_text(encoding="utf-8")))


def _earned(
    texts: list[str | None], rows: dict[str, list[Any]], judge: rewards.Localizability
) -> dict[str, float | None]:
    """Return the mean of each reward over the greedy answers; rows without a verdict are out."""
    earned: dict[str, Sequence[float | None]] = {
        "place_accuracy": rewards.place_accuracy(texts, rows["country"], rows["city"]),
        "localizability": judge(texts, image=rows["image"]),
        "visual_grounding": rewards.visual_grounding(texts, rows["entities"]),
        "think_format": rewards.think_format(texts),
    }
    means: dict[str, float | None] = {}
    for name, values in earned.items():
        known = [value for value in values if value is not None]
        means[name] = sum(known) / len(known) if known else None
    return means


def _differences(folder: Path) -> dict[str, dict[str, list[float] | None]]:
    """Return each question's paired differences on this seed's photos, by threshold."""
    truth = folder / "data" / "truth.parquet"
    return {
        name: globe_report.difference(
            folder / ours / "predictions.parquet", folder / theirs / "predictions.parquet", truth
        )
        for name, ours, theirs in globe_report.QUESTIONS
    }
