"""Writes agentkit/models/prices.json from the price file inside the installed litellm (MIT): ``python docs/prices.py``."""

import importlib.util
import json
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "agentkit" / "models" / "prices.json"
PROVIDERS = {
    **{
        name: name
        for name in (
            *(
                "anthropic",
                "azure",
                "bedrock",
                "cerebras",
                "cohere",
                "dashscope",
                "deepinfra",
                "deepseek",
                "fireworks_ai",
            ),
            *(
                "gemini",
                "groq",
                "mistral",
                "moonshot",
                "openai",
                "openrouter",
                "together_ai",
                "vertex_ai",
                "xai",
                "zai",
            ),
        )
    },
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "vertex_ai-anthropic_models": "vertex_ai",
    "vertex_ai-language-models": "vertex_ai",
    "vertex_ai-mistral_models": "vertex_ai",
}
"""Who sells, as litellm's file says it and as users write it."""

FIELDS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
}
LONG = {"long_input": "input_cost_per_token", "long_output": "output_cost_per_token"}
LONG_CACHED = {"long_cached_input": "cache_read_input_token_cost"}
LENGTHS = (100, 128, 200, 256, 272, 512)  # thousands of tokens beyond which a prompt costs more


def row(said: dict[str, Any]) -> dict[str, float]:
    """USD a million tokens, of what the row says."""
    found = {ours: said.get(theirs) for ours, theirs in FIELDS.items()}
    for length in LENGTHS:
        dearer = {
            ours: said.get(f"{theirs}_above_{length}k_tokens") for ours, theirs in {**LONG, **LONG_CACHED}.items()
        }
        if any(dearer.values()):
            found |= {**dearer, "long_from": length / 1000}
            break
    found = {name: value for name, value in found.items() if value is not None}
    if found.get("reasoning") == found.get("output"):
        found.pop("reasoning", None)
    return {name: float(f"{value * 1e6:.6g}") for name, value in found.items()}


def table() -> dict[str, Any]:
    """The whole table: where it is from, and a row a model."""
    spec = importlib.util.find_spec("litellm")
    assert spec is not None
    assert spec.origin is not None
    said = json.loads((Path(spec.origin).parent / "model_prices_and_context_window_backup.json").read_text())
    models = {
        f"{PROVIDERS[one['litellm_provider']]}/{name.removeprefix(PROVIDERS[one['litellm_provider']] + '/')}": row(one)
        for name, one in said.items()
        if one.get("litellm_provider") in PROVIDERS
        and one.get("mode") in ("chat", "responses")
        and one.get("input_cost_per_token")  # what is free today is no promise
        and one.get("output_cost_per_token") is not None
        and "input_cost_per_second" not in one
    }
    return {
        "source": f"litellm {version('litellm')}, model_prices_and_context_window (MIT licence, Copyright 2023 Berri AI)",
        "unit": "USD a million tokens; long_from in tokens",
        "models": dict(sorted(models.items())),
    }


def text(found: dict[str, Any], day: str) -> str:
    """The file: one line a model."""
    lines = [f"    {json.dumps(name)}: {json.dumps(one)}" for name, one in found["models"].items()]
    top = "".join(f"  {json.dumps(name)}: {json.dumps(found[name])},\n" for name in ("source", "unit"))
    return f'{{\n  "date": "{day}",\n{top}  "models": {{\n' + ",\n".join(lines) + "\n  }\n}\n"


if __name__ == "__main__":
    TABLE.write_text(text(table(), str(date.today())))
