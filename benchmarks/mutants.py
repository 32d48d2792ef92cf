"""Break the code on purpose, one fault at a time, and count which faults the tests notice.

    python benchmarks/mutants.py              every fault, minutes
    python benchmarks/mutants.py server 3     those whose name holds a word, three at a time

The faults are applied in a copy; each names the tests that should see it. A fault that survives
is a missing test. Prints one line a fault and the share noticed; status 1 if more than 1 in 30
survives.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRAINER, TRL = "tests/georl/grpo/test_trainer.py", "tests/georl/grpo/test_trl.py"
GROUPS, BINDING = "tests/georl/grpo/test_groups.py", "tests/georl/rewards/test_binding.py"
STRANGERS, OWNERS = "tests/georl/predict/test_strangers.py", "tests/georl/run/test_ownership.py"
MODELS, CLI = "tests/georl/models/test_models.py", "tests/georl/test_cli.py"
TRAIN = "tests/georl/test_train.py"

FAULTS = [  # (name, file, what stands there, what is put in its place, the tests)
    ("beta dropped", "georl/grpo/trainer.py", "beta=grpo.beta", "beta=0.0", TRL),
    ("epsilon dropped", "georl/grpo/trainer.py", "epsilon=grpo.epsilon,", "", TRL),
    ("top_p dropped", "georl/grpo/trainer.py", "top_p=grpo.top_p,", "", TRL),
    ("ratio dropped", "georl/grpo/trainer.py", "importance_sampling_level=grpo.ratio,", "", TRL),
    (
        "weights dropped",
        "georl/grpo/trainer.py",
        "reward_weights=list(config.rewards.weights.values()),",
        "",
        TRL,
    ),
    (
        "bf16 dropped",
        "georl/run/launch.py",
        '"bf16": config.model.dtype == "bfloat16"',
        '"bf16": False',
        TRL,
    ),
    ("seed dropped", "georl/run/launch.py", '"data_seed": config.seed,', '"data_seed": 0,', TRL),
    (
        "reference read by name",
        "georl/grpo/reference.py",
        "module.create_model_from_path = copied",
        "pass",
        TRAINER,
    ),
    (
        "reference learns",
        "georl/grpo/reference.py",
        "copy.deepcopy(model).requires_grad_(False).eval()",
        "model",
        TRAINER,
    ),
    (
        "entropy zeroed",
        "georl/grpo/shared_trainer.py",
        "torch.cat(entropies) if compute_entropy",
        "torch.cat(entropies) * 0 if compute_entropy",
        TRL,
    ),
    (
        "loss scale ignored",
        "georl/grpo/shared_trainer.py",
        "return loss * scale",
        "return loss",
        "tests/georl/run/test_launch.py",
    ),
    (
        "drop_invalid ignored",
        "georl/grpo/groups.py",
        "~flat & ~(invalid & options.drop_invalid)",
        "~flat",
        TRAINER,
    ),
    (
        "drop_invalid always",
        "georl/grpo/groups.py",
        "(invalid & options.drop_invalid)",
        "(invalid)",
        TRAINER,
    ),
    (
        "curriculum never told",
        "georl/grpo/groups.py",
        "    trainer.curriculum.observe(photos, grouped, trainer)\n",
        "",
        TRAINER,
    ),
    (
        "curriculum never asked",
        "georl/grpo/trainer.py",
        "inputs = self.curriculum.choose(inputs, self)",
        "pass",
        TRAINER,
    ),
    (
        "curriculum takes the best answer",
        "georl/grpo/curriculum.py",
        "rewards.amin(1) >=",
        "rewards.amax(1) >=",
        GROUPS,
    ),
    (
        "image cap forgotten",
        "georl/data/opening.py",
        "self._model = model or ModelConfig()",
        "self._model = ModelConfig()",
        TRAINER,
    ),
    (
        "vLLM may say images",
        "georl/grpo/trainer.py",
        "FORBIDDEN = -100.0",
        "FORBIDDEN = 0.0",
        TRAINER,
    ),
    (
        "correction off",
        "georl/grpo/trainer.py",
        '_correction": corrected',
        '_correction": False',
        TRAINER,
    ),
    (
        "first batch unseen",
        "georl/grpo/trainer.py",
        "self._compared = False",
        "self._compared = True",
        TRAINER,
    ),
    (
        "tolerant reads strict",
        "georl/rewards/binding.py",
        'if arguments.get("tolerant")',
        "if False",
        TRAINER,
    ),
    (
        "weightless rewards read",
        "georl/rewards/binding.py",
        "        if weight:\n",
        "        if True:\n",
        TRAINER,
    ),
    ("NaN passes", "georl/rewards/binding.py", "not math.isfinite(number)", "False", BINDING),
    (
        "async called plain",
        "georl/rewards/binding.py",
        "awaited if own.is_async(function) else checked",
        "checked",
        BINDING,
    ),
    (
        "chain fits always",
        "georl/rewards/chains.py",
        'code is not None and code == chain["country_code"]',
        "True",
        BINDING,
    ),
    (
        "redirect followed",
        "georl/http.py",
        "            _Http(made),\n",
        "            _Http(made),\n            urllib.request.HTTPRedirectHandler(),\n",
        STRANGERS,
    ),
    (
        "server never cut",
        "georl/http.py",
        "found.shutdown(socket.SHUT_RDWR)",
        "pass",
        STRANGERS,
    ),
    (
        "server cut body",
        "georl/http.py",
        "if self._late or response.length",
        "if self._late",
        STRANGERS,
    ),
    (
        "server reply unbounded",
        "georl/http.py",
        "if len(content) > MAX_REPLY_BYTES",
        "if False",
        STRANGERS,
    ),
    (
        "server not waited for",
        "georl/endpoints.py",
        "state.pace.pause(error.wait_s)",
        "pass",
        STRANGERS,
    ),
    (
        "server asked again of 422",
        "georl/endpoints.py",
        "if error.code not in _AGAIN or",
        "if",
        STRANGERS,
    ),
    (
        "photos leave after a refusal",
        "georl/endpoints.py",
        "self._state.refusal = str(error)",
        "pass",
        STRANGERS,
    ),
    ("comment leaves", "georl/endpoints.py", "plain.info.clear()", "pass", STRANGERS),
    (
        "any variable is a key",
        "georl/config/checks.py",
        "([A-Z][A-Z0-9_]*_)?API_KEY",
        ".*",
        STRANGERS,
    ),
    (
        "foreign folders taken",
        "georl/run/ownership.py",
        "    if foreign:\n",
        "    if False:\n",
        OWNERS,
    ),
    ("no lock", "georl/run/ownership.py", "lock.acquire(timeout=PATIENCE_S)", "pass", OWNERS),
    (
        "nothing moved aside",
        "georl/run/ownership.py",
        "path.rename(target / path.name)",
        "pass",
        OWNERS,
    ),
    (
        "seal unchecked",
        "georl/run/ownership.py",
        'return "run" in checkpoints.manifest(folder)',
        "return folder.is_dir()",
        OWNERS,
    ),
    ("base unpinned", "georl/config/adapters.py", 'or adapter.get("revision")', "or True", MODELS),
    (
        "adapters on adapters",
        "georl/config/adapters.py",
        "if (Path(base) / FILE).is_file()",
        "if False",
        MODELS,
    ),
    (
        "dropout in updates",
        "georl/grpo/trainer.py",
        "disable_dropout=not config.model.lora_dropout,",
        "",
        TRAINER,
    ),
    (
        "hub first",
        "georl/data/trainers.py",
        "    rows = load(config",
        "    check_memory(config)\n    rows = load(config",
        CLI,
    ),
    (
        "usage is a traceback",
        "georl/cli.py",
        'if not hasattr(error, "format_message")',
        "if True",
        CLI,
    ),
    (
        "equal groups by mean",
        "georl/grpo/groups.py",
        "(grouped.amax(1) - grouped.amin(1)) < epsilon",
        "grouped.mean(1) < epsilon",
        GROUPS,
    ),
]


def noticed(fault, copy):
    """Return whether the fault's tests fail in a copy of the code."""
    name, file, there, instead, tests = fault
    target = copy / file
    whole = target.read_text(encoding="utf-8")
    assert whole.count(there) == 1, f"{name}: {there!r} stands {whole.count(there)} times in {file}"
    target.write_text(whole.replace(there, instead), encoding="utf-8")
    command = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", tests]
    try:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy)},
            capture_output=True,
            timeout=600,
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(whole, encoding="utf-8")
    return done.returncode != 0


def copied(folder):
    for name in ("geodata", "georl", "tests", "configs", "sql", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def run_one(fault):
    with tempfile.TemporaryDirectory() as folder:
        found = noticed(fault, copied(Path(folder)))
    print(f"{'noticed ' if found else 'SURVIVED'}  {fault[0]}", flush=True)
    return found


def main(words):
    workers = next((int(word) for word in words if word.isdecimal()), 1)
    wanted = [word for word in words if not word.isdecimal()]
    faults = [f for f in FAULTS if not wanted or any(word in f[0] for word in wanted)]
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(run_one, faults))
    print(f"{sum(found)} of {len(found)} faults noticed")
    return int(len(found) - sum(found) > len(found) / 30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
