"""A real vLLM: its engine in this process and its server on loopback, on a GPU where there is one, else on the CPU."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agentkit.models.vllm import VLLM

CONTEXT = 2048
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")


@pytest.fixture(scope="session")
def folder() -> Path:
    """The weights."""
    spec = importlib.util.spec_from_file_location("weights_for_vllm", Path(__file__).with_name("weights.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.folder()


@pytest.fixture(scope="session")
def adapter(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter that changes what the model says: random numbers on two projections of every layer."""
    import json

    import torch
    from safetensors.torch import save_file

    config = json.loads((folder / "config.json").read_text())
    hidden, layers, rank = config["hidden_size"], config["num_hidden_layers"], 8
    made, generator = tmp_path_factory.mktemp("adapter"), torch.Generator().manual_seed(1)
    tensors = {}
    for layer in range(layers):
        name = f"base_model.model.model.layers.{layer}.self_attn.o_proj"
        tensors[f"{name}.lora_A.weight"] = torch.randn(rank, hidden, generator=generator) * 0.2
        tensors[f"{name}.lora_B.weight"] = torch.randn(hidden, rank, generator=generator) * 0.2
    save_file(tensors, made / "adapter_model.safetensors")
    told = {"peft_type": "LORA", "r": rank, "lora_alpha": 16, "target_modules": ["o_proj"], "bias": "none"}
    (made / "adapter_config.json").write_text(json.dumps(told))
    return made


@pytest.fixture(scope="session")
def model(folder: Path, adapter: Path) -> Iterator[VLLM]:
    """The engine in this process."""
    one = VLLM(
        model=str(folder),
        dtype="bfloat16",
        max_model_len=CONTEXT,
        enforce_eager=True,
        adapters={"noise": str(adapter)},
        engine={"max_lora_rank": 8},
    )
    yield one
    one.close()


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[str]:
    """The base address of a vLLM server."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--dtype", "bfloat16", "--max-model-len", str(CONTEXT), "--enforce-eager", "--enable-prefix-caching"]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), *options]
    process = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port), "--served-model-name", "smollm2"])
    try:
        _wait(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def _wait(url: str, process: subprocess.Popen[bytes], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"no answer from {url} within {seconds} s")
