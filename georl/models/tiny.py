"""A random Qwen2.5-VL of about a million parameters, with its own tokenizer and processor.

It is the real architecture, class and file format, only small: what trains, saves, loads and
generates here does so with ``Qwen/Qwen2.5-VL-7B-Instruct``. Nothing is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.processing_utils import ProcessorMixin

from georl.config import ModelConfig

PIXELS = 56
"""Side of an image: 16 patches of 14 pixels, merged into 4 tokens."""

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL_TOKENS = (
    END_OF_TEXT,
    TURN_START,
    TURN_END,
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)

# One digit, one capitalised name of several words, punctuation with its space, or white space.
_PIECES = r"\p{N}|\p{L}+(?: \p{Lu}\p{L}*)*| ?[^\s\p{L}\p{N}]+|\s+"

# Qwen's template without its default system turn, which costs 30 tokens in a small vocabulary.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% elif 'text' in part %}{{ part['text'] }}"
    "{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Qwen2_5_VLProcessor(transformers.Qwen2_5_VLProcessor):  # noqa: N801
    """Qwen2.5-VL's processor without its video part, which needs torchvision.

    It keeps the name of the full class, so that the folders it writes name a class that vLLM
    and ``AutoProcessor`` know.
    """

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        chat_template: str | None = None,
        **_: Any,
    ) -> None:
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        self.video_processor = None
        parts: Any = ProcessorMixin.__init__
        parts(self, image_processor, tokenizer, chat_template=chat_template)

    @classmethod
    def get_attributes(cls) -> list[str]:
        """Return the parts that are saved and loaded."""
        return ["image_processor", "tokenizer"]

    def save_pretrained(
        self, save_directory: Any, push_to_hub: bool = False, **options: Any
    ) -> Any:
        """Write the processor; the image part also under the name that video parts read."""
        written = super().save_pretrained(save_directory, push_to_hub, **options)
        self.image_processor.save_pretrained(save_directory)
        return written


def build_tokenizer(
    texts: Iterable[str], vocabulary: int = 600, *, whole: Sequence[str] = ()
) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on the texts the model will read and write.

    Parameters
    ----------
    texts
        Prompts and answers; a thousand are enough.
    vocabulary
        Number of tokens, the special ones and all 256 bytes included.
    whole
        Passages that are one token each, beside the vocabulary: what is said in the same words
        every time costs a large model nothing and a tiny one most of its steps.

    Examples
    --------
    >>> tokenizer = build_tokenizer(["Country: France"] * 8)
    >>> tokenizer.decode(tokenizer("Country: France")["input_ids"])
    'Country: France'
    """
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        eos_token=TURN_END,
        pad_token=END_OF_TEXT,
        additional_special_tokens=list(SPECIAL_TOKENS[1:]),
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
    )
    made.add_tokens(list(whole))
    return made


def build_processor(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLProcessor:
    """Return the processor that turns PIL images and chats into model inputs.

    Examples
    --------
    >>> processor = build_processor(build_tokenizer(["Country: France"]))
    >>> type(processor).__name__
    'Qwen2_5_VLProcessor'
    """
    size = {"shortest_edge": PIXELS * PIXELS, "longest_edge": PIXELS * PIXELS}
    image_processor = Qwen2VLImageProcessorPil(patch_size=14, size=size)
    return Qwen2_5_VLProcessor(image_processor, tokenizer, chat_template=CHAT_TEMPLATE)


def build_model(
    tokenizer: PreTrainedTokenizerFast, config: ModelConfig | None = None, seed: int = 0
) -> Qwen2_5_VLForConditionalGeneration:
    """Return a Qwen2.5-VL with random weights; the seed alone decides them.

    Parameters
    ----------
    tokenizer
        Of `build_tokenizer`; its size is the model's vocabulary.
    config
        Width and depth.
    seed
        The global random state is left as it was.

    Examples
    --------
    >>> model = build_model(build_tokenizer(["Country: France"]))
    >>> model.num_parameters() < 5_000_000
    True
    """
    sizes = config or ModelConfig()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2_5_VLForConditionalGeneration(_model_config(tokenizer, sizes))
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model


def _model_config(tokenizer: PreTrainedTokenizerFast, sizes: ModelConfig) -> Qwen2_5_VLConfig:
    token: Any = tokenizer.convert_tokens_to_ids
    width, heads = sizes.hidden, 4
    third = width // heads // 2 // 3
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        # the sections of time, height and width sum to half a head
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [width // heads // 2 - 2 * third, third, third],
        },
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": True,
    }
    vision = {
        "depth": sizes.vision_layers,
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_heads": heads,
        "out_hidden_size": width,
        "patch_size": 14,
        "window_size": 112,
        "fullatt_block_indexes": list(range(sizes.vision_layers)),
    }
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )


def load_processor(
    name: str | os.PathLike[str], revision: str | None = None, **sizes: int
) -> Qwen2_5_VLProcessor:
    """Load the image-only processor of any Qwen2.5-VL, tiny or not, from a folder or the hub.

    Parameters
    ----------
    name, revision
        Folder, or hub name with its commit.
    **sizes
        ``min_pixels`` and ``max_pixels`` of an image.
    """
    tokenizer = AutoTokenizer.from_pretrained(
        name, revision=revision, padding_side="left", trust_remote_code=False
    )
    load: Any = Qwen2VLImageProcessorPil.from_pretrained
    images = load(name, **sizes) if revision is None else load(name, revision=revision, **sizes)
    return Qwen2_5_VLProcessor(images, tokenizer, chat_template=tokenizer.chat_template)
