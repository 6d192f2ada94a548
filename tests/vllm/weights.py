"""The embedded model's weights in the form that torch and vLLM read, made once from the GGUF file: about 40 seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

from agentkit import weights


def folder() -> Path:
    """A folder of SmolLM2 in 16-bit safetensors with its tokenizer, in the user's cache."""
    gguf = weights.ensure("smollm2", cache=weights.default_cache())
    made = gguf.parent / "smollm2-safetensors"
    if not (made / "config.json").is_file():
        partial = made.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _convert(gguf, partial)
        partial.rename(made)
    return made


def _convert(gguf: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    packed = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    if hasattr(packed.config, "quantization_config"):
        del packed.config.quantization_config  # they are whole numbers no more
    plain = AutoModelForCausalLM.from_config(packed.config, dtype=torch.bfloat16)
    plain.load_state_dict(packed.state_dict())
    plain.save_pretrained(target)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(target)


if __name__ == "__main__":
    folder()
