"""What a folder of LoRA weights says of the model it belongs to, read as a stranger's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from georl.config.settings import ModelConfig
from georl.config.tree import ConfigError

FILE = "adapter_config.json"


def stored_adapter(name: str) -> dict[str, Any] | None:
    """Return the settings of a folder of LoRA weights, None for any other name.

    Raises
    ------
    ConfigError
        If the file is damaged or names no model.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> stored_adapter(folder.name) is None
    True
    >>> settings = {"base_model_name_or_path": "Qwen/Qwen2.5-VL-7B-Instruct", "r": 64}
    >>> _ = Path(folder.name, "adapter_config.json").write_text(json.dumps(settings))
    >>> stored_adapter(folder.name)["r"]
    64
    >>> folder.cleanup()
    """
    path = Path(name) / FILE
    if not path.is_file():
        return None
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"{path} is damaged ({str(error)[:80]}); copy it again from where it was trained"
        raise ConfigError(msg) from None
    base = settings.get("base_model_name_or_path") if isinstance(settings, dict) else None
    if not isinstance(base, str) or not base:
        msg = f"{path} does not name the model that its weights belong to (base_model_name_or_path)"
        raise ConfigError(msg)
    return dict(settings)


def base_name(name: str) -> str:
    """Return the model that a folder of LoRA weights belongs to, or the name itself.

    Examples
    --------
    >>> base_name("Qwen/Qwen2.5-VL-7B-Instruct")
    'Qwen/Qwen2.5-VL-7B-Instruct'
    """
    adapter = stored_adapter(name)
    return name if adapter is None else str(adapter["base_model_name_or_path"])


def base_revision(config: ModelConfig) -> str | None:
    """Return the pinned commit of the model itself; that of an adapter stands in its folder.

    Examples
    --------
    >>> pinned = ModelConfig(name="Qwen/Qwen2.5-VL-7B-Instruct", revision="0123456789" * 4)
    >>> base_revision(pinned)[:10]
    '0123456789'
    """
    adapter = stored_adapter(config.name)
    return config.revision if adapter is None else adapter.get("revision")


def unpinned_base(name: str) -> str | None:
    """Return why the model below a folder of LoRA weights must not be loaded, None if it may.

    It goes through the same pinning as a model's own name: a folder, or a hub name with a commit;
    and it is a whole model, since an adapter on an adapter would be followed unpinned.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> settings = {"base_model_name_or_path": "Qwen/Qwen2.5-VL-7B-Instruct"}
    >>> _ = Path(folder.name, "adapter_config.json").write_text(json.dumps(settings))
    >>> "pins no commit" in unpinned_base(folder.name)
    True
    >>> unpinned_base("Qwen/Qwen2.5-VL-7B-Instruct") is None  # no folder of LoRA weights
    True
    >>> folder.cleanup()
    """
    adapter = stored_adapter(name)
    if adapter is None:
        return None
    base = str(adapter["base_model_name_or_path"])
    if (Path(base) / FILE).is_file():
        return (
            f"{name} holds LoRA weights on {base!r}, which holds LoRA weights itself; merge the "
            f"lower ones first: model.name={base} model.lora_rank=0"
        )
    if Path(base).exists() or adapter.get("revision"):
        return None
    return (
        f"{name} holds LoRA weights on {base!r}, which is not a folder here, so it is a hub name, "
        f'and {FILE} pins no commit; write "revision": "<40 hex digits>" beside its '
        "base_model_name_or_path"
    )
