"""A run that is asked to stop leaves a checkpoint and a status; a dead one leaves its traceback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from geodata.files import sha256
from georl import config, grpo, models, plan, run as running, sft
from georl.config import ConfigError, load
from georl.run import STOPPED, JsonLines, checkpoints, layout, stopping

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

STEPS = 8
RUN = [*SMALL, "task=sft", "train.batch=8", "train.logging_steps=1", f"max_steps={STEPS}"]
AT = Path(__file__).with_name("sft_at_a_step.py")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    torch.set_num_threads(1)
    return write_places(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def whole(places, tmp_path_factory):
    """The folder of an uninterrupted run on one process."""
    output = tmp_path_factory.mktemp("whole")
    sft.train(load(None, [*RUN, "train.per_device=8", *to(places, output)]))
    return output


def to(places, output):
    return [f"data.places={places}", f"output={output}"]


def run_file(folder, settings):
    path = folder / "run.yaml"
    path.write_text(config.dump(load(None, settings)), encoding="utf-8")
    return path


def start(path, *what, processes=1, script=AT, **more):
    """Run `sft_at_a_step.py`, which does something to its own processes at a step."""
    launcher = []
    if processes > 1:
        flags = ["--standalone", "--nproc_per_node", str(processes)]
        launcher = ["-m", "torch.distributed.run", *flags]
    settings = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, *launcher, str(script), str(path), *what],
        env=os.environ | settings | more,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def history(output):
    rows = JsonLines(output / "metrics.jsonl").read()
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


def same_end(output, whole):
    assert history(output) == history(whole)
    name = "final/model.safetensors"
    assert sha256(output / name) == sha256(whole / name)


# --- one process ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_makes_a_checkpoint_and_the_run_goes_on(places, whole, tmp_path, name, capsys):
    """In this process: with no checkpoint asked for, one is written for the step that is done."""
    run = load(None, [*RUN, "train.per_device=8", *to(places, tmp_path / "out")])
    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    with pytest.raises(SystemExit) as stop, at_step(3, signal.Signals[name]):
        sft.train(run)
    assert stop.value.code == STOPPED == 75
    assert {number: signal.getsignal(number) for number in stopping.SIGNALS} == before
    assert f"stopped by {name} with checkpoint-3 sealed" in capsys.readouterr().out
    assert [path.name for path in checkpoints.listed(tmp_path / "out")] == ["checkpoint-3"]
    checkpoints.verify(tmp_path / "out" / "checkpoint-3")
    assert not (tmp_path / "out" / "final").exists()
    sft.train(run)
    same_end(tmp_path / "out", whole)


def test_a_signal_in_the_last_step_changes_nothing(places, whole, tmp_path):
    run = load(None, [*RUN, "train.per_device=8", *to(places, tmp_path / "out")])
    with at_step(STEPS, signal.SIGTERM):
        sft.train(run)
    same_end(tmp_path / "out", whole)


def test_grpo_stopped_inside_a_set_of_answers_ends_as_if_not(places, whole, tmp_path):
    """Answers serve two steps: asked in the third, it stops after the fourth."""
    sizes = ["train.batch=16", "train.per_device=8", "grpo.generations=4", "grpo.max_tokens=8"]
    given = [*SMALL, "task=grpo", f"model.name={whole / 'final'}", *sizes, "grpo.iterations=2"]
    given += [
        "train.logging_steps=1",
        "max_steps=6",
        "learning_rate=1e-3",
        "curriculum.enabled=true",
    ]
    once = load(None, [*given, *to(places, tmp_path / "once")])
    running.fit(grpo.build(once, reward_funcs=[length]), once)
    cut = load(None, [*given, *to(places, tmp_path / "cut")])
    with pytest.raises(SystemExit) as stop, at_step(3, signal.SIGUSR1):
        running.fit(grpo.build(cut, reward_funcs=[length]), cut)
    assert stop.value.code == STOPPED
    assert [path.name for path in checkpoints.listed(tmp_path / "cut")] == ["checkpoint-4"]
    running.fit(grpo.build(cut, reward_funcs=[length]), cut)
    same_end(tmp_path / "cut", tmp_path / "once")
    assert len({loss for _, loss in history(tmp_path / "once")}) > 3


def length(completions, **_):
    """A reward in which even answers of a model that knows nothing differ."""
    return [len(chat[0]["content"]) % 7 / 7 for chat in completions]


def at_step(step, number):
    """While it lasts, a run sends itself a signal when a step begins."""
    from contextlib import contextmanager

    from transformers.trainer_callback import CallbackHandler

    stock = CallbackHandler.on_step_begin

    def begin(self, args, state, control):
        if state.global_step == step - 1:
            os.kill(os.getpid(), number)
        return stock(self, args, state, control)

    @contextmanager
    def replaced():
        CallbackHandler.on_step_begin = begin
        try:
            yield
        finally:
            CallbackHandler.on_step_begin = stock

    return replaced()


def test_answers_that_serve_two_steps_are_used_up_before_it_stops():
    """What is left of them is not in a checkpoint."""
    trainer = SimpleNamespace(accelerator=SimpleNamespace(device="cpu", num_processes=1))
    stop = stopping.StopCallback(trainer, period=2)
    stop.asked = signal.SIGTERM
    for step, stops in ((3, False), (4, True)):
        control = SimpleNamespace(should_save=False, should_training_stop=False)
        stop.on_step_end(None, SimpleNamespace(global_step=step, max_steps=9), control)
        assert (control.should_save, control.should_training_stop, stop.stopped) == (stops,) * 3


class Processes:
    """Several processes, of which the others were asked by these signals."""

    def __init__(self, *others, count=None, first=True):
        self.device, self.num_processes = "cpu", count or 1 + len(others)
        self.is_main_process, self.waited, self._others = first, 0, others

    def gather(self, own):
        return torch.cat([torch.tensor(self._others), own])

    def wait_for_everyone(self):
        self.waited += 1


def stop_of(*others, asked=0, period=1, **more):
    trainer = SimpleNamespace(accelerator=Processes(*others, **more))
    made = stopping.StopCallback(trainer, period)
    made.asked = asked
    return made


@pytest.mark.parametrize(
    ("others", "asked", "agreed"),
    [
        ((0, 0), 0, 0),
        ((signal.SIGTERM,), 0, signal.SIGTERM),
        ((0, signal.SIGTERM), 0, signal.SIGTERM),
        ((signal.SIGTERM, 0), 0, signal.SIGTERM),
        ((0, 0), signal.SIGUSR1, signal.SIGUSR1),
        ((signal.SIGUSR1, 0), signal.SIGTERM, signal.SIGTERM),
    ],
)
def test_one_that_is_asked_stops_all_with_the_same_signal(others, asked, agreed):
    stop = stop_of(*others, asked=asked)
    control = SimpleNamespace(should_save=False, should_training_stop=False)
    stop.on_step_end(None, SimpleNamespace(global_step=3, max_steps=9), control)
    assert (control.should_save, control.should_training_stop, stop.stopped) == (bool(agreed),) * 3
    assert stop.asked == agreed


def test_they_agree_on_the_device_that_they_talk_over():
    """NCCL gathers what lies on a GPU; "meta" stands for any that is not the processor."""
    stop = stop_of(count=2)
    accelerator = stop._trainer.accelerator
    accelerator.device, seen = "meta", []
    accelerator.gather = lambda own: seen.append(own.device.type) or torch.tensor([0, 15])
    control = SimpleNamespace(should_save=False, should_training_stop=False)
    stop.on_step_end(None, SimpleNamespace(global_step=3, max_steps=9), control)
    assert seen == ["meta"]
    assert stop.stopped


@pytest.mark.parametrize(("step", "stops"), [(7, True), (8, False), (9, False)])
def test_in_the_last_step_nothing_is_left_to_stop(step, stops):
    stop = stop_of(asked=signal.SIGTERM)
    control = SimpleNamespace(should_save=False, should_training_stop=False)
    stop.on_step_end(None, SimpleNamespace(global_step=step, max_steps=8), control)
    assert (control.should_save, control.should_training_stop, stop.stopped) == (stops,) * 3


def test_a_save_that_was_asked_for_by_others_stays_asked_for():
    control = SimpleNamespace(should_save=True, should_training_stop=True)
    stop_of().on_step_end(None, SimpleNamespace(global_step=3, max_steps=9), control)
    assert control.should_save
    assert control.should_training_stop


@pytest.mark.parametrize("first", [True, False])
def test_all_leave_together_and_the_first_says_why(capsys, first):
    stop = stop_of(count=2, first=first, asked=signal.SIGUSR1)
    stop.leave("checkpoint-3")
    assert stop._trainer.accelerator.waited == 0  # asked, but the run went to its end
    stop.stopped = True
    with pytest.raises(SystemExit) as left:
        stop.leave("checkpoint-3")
    assert left.value.code == 75
    assert stop._trainer.accelerator.waited == 1
    assert capsys.readouterr().out == (
        "stopped by SIGUSR1 with checkpoint-3 sealed; the same command goes on from there (exit "
        "status 75)\n"
        if first
        else ""
    )


def test_signals_are_noted_while_it_listens_and_theirs_again_after_it():
    heard = []
    before = {number: signal.signal(number, lambda n, _: heard.append(n))
              for number in stopping.SIGNALS}  # fmt: skip
    try:
        for number in stopping.SIGNALS:
            stop = stop_of()
            assert (stop.asked, stop.stopped) == (0, False)
            with contextlib.suppress(KeyError), stop.listening():
                os.kill(os.getpid(), number)
                assert stop.asked == number
                raise KeyError
            assert heard == []
            os.kill(os.getpid(), number)
            assert heard.pop() == number
            assert stop.asked == number
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert set(stopping.SIGNALS) == {signal.SIGTERM, signal.SIGUSR1}


def test_of_several_signals_the_last_is_told():
    """SLURM warns with SIGUSR1 and means SIGTERM: what ended the run is in its last line."""
    stop = stop_of()
    with stop.listening():
        for number in (signal.SIGUSR1, signal.SIGTERM):
            os.kill(os.getpid(), number)
            assert stop.asked == number


def test_a_run_in_a_thread_leaves_signals_alone():
    """Only the main thread may set them: a run in a notebook's thread still trains."""
    found, before = [], signal.getsignal(signal.SIGTERM)

    def listen():
        with stop_of().listening():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [before]


def test_the_script_and_the_run_mean_the_same_status(tmp_path):
    run = load("qwen2.5-vl-7b-8xa100", [])
    plan.write(run, "x.yaml", tmp_path)
    job = (tmp_path / "job.sbatch").read_text()
    assert f'if [ "$status" -eq {STOPPED} ]; then\n  scontrol requeue' in job
    for name in ("job.sbatch", "run.sh"):
        assert "TORCH_ELASTIC_SHUTDOWN_TIMEOUT=280\n" in (tmp_path / name).read_text()


# --- several processes ----------------------------------------------------------------------


@pytest.mark.slow
def test_one_of_two_processes_that_is_asked_stops_both_at_one_step(places, whole, tmp_path):
    path = run_file(tmp_path, [*RUN, "train.per_device=4", *to(places, tmp_path / "out")])
    found = start(path, "term", "4", processes=2)
    assert found.returncode != 0
    assert "stopped by SIGTERM with checkpoint-4 sealed" in found.stdout, found.stderr
    assert f"exitcode  : {STOPPED}" in found.stderr
    again = start(path, "nothing", "0", processes=2)
    assert again.returncode == 0, again.stderr
    assert "going on from" in again.stdout
    assert [step for step, _ in history(tmp_path / "out")] == list(range(1, STEPS + 1))
    expected = [loss for _, loss in history(whole)]
    assert [loss for _, loss in history(tmp_path / "out")] == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_torchrun_that_is_stopped_lets_its_processes_write_their_checkpoint(places, tmp_path):
    """As SLURM does it: the signal goes to the launcher, which hands it on."""
    settings = [*RUN, "max_steps=100000", "train.per_device=4", *to(places, tmp_path / "out")]
    path = run_file(tmp_path, settings)
    flags = ["--standalone", "--nproc_per_node", "2", str(AT), str(path), "nothing", "0"]
    own = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", *flags],
            env=os.environ | own,
            stdout=log,
            stderr=log,
        )
    metrics = tmp_path / "out" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.is_file() and metrics.read_text().count("\n") >= 2):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run.send_signal(signal.SIGTERM)
    assert run.wait(60) != 0
    written = checkpoints.listed(tmp_path / "out")
    assert len(written) == 1
    checkpoints.verify(written[0])


@pytest.mark.slow
def test_a_process_killed_at_a_step_ends_the_job_and_it_goes_on_from_its_checkpoint(
    places, whole, tmp_path
):
    settings = [*RUN, "train.per_device=4", "train.save_steps=2", *to(places, tmp_path / "out")]
    path = run_file(tmp_path, settings)
    found = start(path, "kill", "5", processes=2)
    assert found.returncode != 0
    assert "Signal 9 (SIGKILL) received" in found.stderr
    again = start(path, "nothing", "0", processes=2)
    assert again.returncode == 0, again.stderr
    assert "going on from" in again.stdout
    assert "checkpoint-4" in again.stdout
    expected = [loss for _, loss in history(whole)]
    assert [loss for _, loss in history(tmp_path / "out")] == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_a_process_that_fails_ends_the_job_with_its_own_traceback(places, tmp_path):
    path = run_file(tmp_path, [*RUN, "train.per_device=4", *to(places, tmp_path / "out")])
    begun = time.monotonic()
    found = start(path, "raise", "3", processes=2)
    assert found.returncode != 0
    assert "RuntimeError: process 1 fails at step 3" in found.stderr
    assert "sft_at_a_step.py" in found.stderr
    assert time.monotonic() - begun < 100
    assert not (tmp_path / "out" / "final").exists()


@pytest.mark.slow
def test_one_process_goes_on_where_two_were(places, whole, tmp_path):
    """Whole optimizers fit any number of processes; the batch stays what it was."""
    settings = [*RUN, "train.per_device=4", "train.save_steps=4", *to(places, tmp_path / "out")]
    path = run_file(tmp_path, settings)
    assert start(path, "kill", "6", processes=2).returncode != 0
    again = start(path, "nothing", "0")
    assert again.returncode == 0, again.stderr
    assert "was written by 2 processes and now there are 1" in again.stdout
    expected = [loss for _, loss in history(whole)]
    assert [loss for _, loss in history(tmp_path / "out")] == pytest.approx(expected, rel=1e-4)


# --- a checkpoint of another launch ---------------------------------------------------------


def sealed(folder, *names):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    checkpoints.seal(folder, {})


DEEPSPEED = ("rng_state_0.pth", "rng_state_1.pth", "global_step3/rank_0.pt")


@pytest.mark.parametrize(
    ("names", "strategy", "world", "said"),
    [
        (("optimizer.pt", "rng_state.pth"), "ddp", 8, None),
        (("optimizer.pt", "rng_state_0.pth", "rng_state_1.pth"), "none", 1, None),
        (("optimizer.pt", "rng_state.pth"), "fsdp", 1, "by 1 processes with train.strategy=ddp"),
        (("optimizer.bin", "rng_state.pth"), "fsdp", 4, None),
        (("optimizer.bin", "rng_state.pth"), "none", 1, "now there are 1 with ddp"),
        (("optimizer_0/x.distcp", "rng_state.pth"), "ddp", 2, "train.strategy=fsdp"),
        (DEEPSPEED, "deepspeed", 2, None),
        (DEEPSPEED, "deepspeed", 4, "by 2 processes with train.strategy=deepspeed, and now there"),
        (DEEPSPEED, "ddp", 2, "start as then"),
        (("model.safetensors",), "ddp", 2, None),
    ],
)
def test_a_checkpoint_without_an_optimizer_for_this_launch_is_refused(
    tmp_path, names, strategy, world, said
):
    sealed(tmp_path / "checkpoint-3", *names)
    (tmp_path / "checkpoint-4").mkdir()  # cut short: passed over
    if said is None:
        layout.check(tmp_path, strategy, world)
        return
    with pytest.raises(ConfigError, match="holds no optimizer") as error:
        layout.check(tmp_path, strategy, world)
    assert said in str(error.value)


def test_it_is_refused_before_anything_is_loaded(places, whole, tmp_path, capsys):
    run = load(None, [*RUN, "train.per_device=8", *to(places, tmp_path / "out")])
    folder = tmp_path / "out" / "checkpoint-3"
    sealed(folder, "optimizer.bin", "rng_state.pth")
    checkpoints.seal(folder, checkpoints.identity(run))
    with pytest.raises(ConfigError, match="holds no optimizer"):
        sft.train(run)
    assert "Loading weights" not in capsys.readouterr().err


# --- the final model ------------------------------------------------------------------------


def test_the_final_model_has_the_type_that_the_run_computed_in(places, tmp_path):
    run = [*RUN, "model.dtype=bfloat16", "max_steps=2", "train.save_steps=2", "per_device=8"]
    final = sft.train(load(None, [*run, *to(places, tmp_path)]))
    half = load_file(final / "model.safetensors")
    whole = load_file(tmp_path / "checkpoint-2" / "model.safetensors")
    assert {value.dtype for value in half.values()} == {torch.bfloat16}
    assert {value.dtype for value in whole.values()} == {torch.float32}
    assert all(torch.equal(half[name], whole[name].bfloat16()) for name in whole)
    assert json.loads((final / "config.json").read_text())["dtype"] == "bfloat16"
    checkpoints.verify(final)
    again, _ = models.load(load(None, [f"model.name={final}"]).model)
    assert again.dtype == torch.float32  # to learn on, small steps need it
    name, value = next(iter(again.named_parameters()))
    assert torch.equal(value, value.bfloat16().float()), name


def test_a_model_in_several_files_keeps_its_index_right(tmp_path):
    model, _ = models.load(load(None, SMALL).model, texts=["Where?"])
    model.save_pretrained(tmp_path, max_shard_size="100KB")
    index = tmp_path / "model.safetensors.index.json"
    before = json.loads(index.read_text())
    models.halve(tmp_path, load(None, ["model.dtype=bfloat16"]).model)
    after = json.loads(index.read_text())
    assert after["weight_map"] == before["weight_map"]
    files = {name: load_file(tmp_path / name) for name in set(after["weight_map"].values())}
    assert len(files) > 1
    held = sum(value.nbytes for file in files.values() for value in file.values())
    assert after["metadata"]["total_size"] == held == before["metadata"]["total_size"] // 2


@pytest.mark.parametrize("more", ["model.dtype=float32", "model.dtype=bfloat16 lora_rank=4"])
def test_other_models_stay_as_they_are_written(tmp_path, more):
    model, _ = models.load(load(None, SMALL).model, texts=["Where?"])
    model.save_pretrained(tmp_path)
    before = sha256(tmp_path / "model.safetensors")
    models.halve(tmp_path, load(None, more.split(" ")).model)
    assert sha256(tmp_path / "model.safetensors") == before
