"""Faults written by hand: each has the tests that should see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from faults.fault import Fault, found_once

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
        "awaited if by_path.is_async(function) else checked",
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
        "if error.code not in _AGAIN:",
        "if False:",
        STRANGERS,
    ),
    (
        "photos leave after a refusal",
        "georl/endpoints.py",
        'self._state.refusal = f"{error}{self._remedy(error.code)}"',
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
        "geodata/commandline.py",
        'lambda error: hasattr(error, "format_message")',
        "lambda error: False",
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


def written_faults(root: Path) -> Iterator[Fault]:
    """Yield every fault of the list.

    Raises
    ------
    LookupError
        If what an entry names is not where it says.
    """
    for name, file, there, instead, tests in FAULTS:
        start = found_once(root, file, there)
        yield Fault(file, start, start + len(there), instead, name, tests=tuple(tests.split()))
