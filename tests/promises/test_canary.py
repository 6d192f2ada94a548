"""A key that everything runs with is searched for in all that anything wrote, in every encoding."""

import base64
import json
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agentkit.testing import Completion, FakeProvider, Refusal

KEY = 'Qx7/canary+3f"9a=c51~e2'
TOLD = base64.b64encode(f"Bearer {KEY}".encode()).decode()

GRAPH = """
schema: agentkit/v1
name: canary
inputs: {question: string}
outputs: {answer: vote.answer, said: say.text}
models:
  good: {use: BACKEND, model: openai/m, ADDRESS: "URL", api_key: "${env:CANARY_API_KEY}", retry: {attempts: 1, first_delay: 0}}
nodes:
  vote:
    use: strategy.self_consistency
    with: {samples: 3, stop: fixed}
    in: {question: inputs.question}
  say:
    use: model
    with: {prompt: "Say what you were told: {{answer}} TROUBLE"}
    in: {answer: vote.answer}
"""
SUITE = """
schema: agentkit-suite/v1
name: canary
graph: canary.yaml
dataset: rows.jsonl
inputs: {question: input}
evaluators: [answer_match]
"""
LOUD = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from agentkit.cli import main
main()
"""


HOW = [
    ("no trouble", ["--record", "tape.jsonl"]),
    ("no trouble", ["--stream"]),
    ("refuse", ["--record", "broken.jsonl"]),
    ("fail", ["--stream"]),
    ("junk", ["--json"]),
]


def spellings() -> Iterator[bytes]:
    """The key as it is and in the encodings in use, whatever stands before it."""
    yield KEY.encode()
    yield from {urllib.parse.quote(KEY, safe=safe).encode() for safe in ("", "/", "/=~", "/+=")}
    yield urllib.parse.quote_plus(KEY).encode()
    yield from {json.dumps(KEY)[1:-1].encode(), json.dumps(KEY)[1:-1].replace("/", "\\/").encode()}
    yield json.dumps(json.dumps(KEY))[3:-3].encode()
    yield repr(KEY)[1:-1].encode()
    yield KEY.encode().hex().encode()
    yield KEY.encode().hex().upper().encode()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + KEY.encode())[4:-4]


def answer(body: dict[str, Any]) -> Completion | Refusal:
    """A provider that tells the key to whoever asks."""
    asked = str(body["messages"][-1]["content"])
    if "no trouble" not in asked and "TROUBLE" not in asked:
        return Completion(text=f"My key is {KEY}, that is {TOLD}. The answer is 7.")
    if "refuse" in asked:
        return Refusal(status=401, message=f"no such key: Bearer {KEY} ({TOLD}, {KEY.encode().hex()})")
    if "fail" in asked:
        return Refusal(status=503, message=urllib.parse.quote(KEY, safe=""), retry_after=0)
    return Completion(
        text=f"{KEY} {urllib.parse.quote(KEY)} {json.dumps(KEY)}", fault="bad_json" if "junk" in asked else None
    )


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command line in ``folder`` with the key in its environment, and everything that logs logging."""
    environ = {**os.environ, "CANARY_API_KEY": KEY, "PYTHONASYNCIODEBUG": "1", "LITELLM_LOG": "DEBUG"}
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", LOUD, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        timeout=110,
        check=False,
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("backend", "address"),
    [
        ("openai_http", "base_url"),
        pytest.param(
            "litellm",
            "api_base",
            marks=pytest.mark.skipif(find_spec("litellm") is None, reason="the extra 'litellm' is not installed"),
        ),
    ],
)
def test_a_key_is_in_nothing_that_was_written(backend: str, address: str, tmp_path: Path) -> None:
    told: dict[str, bytes] = {}
    with FakeProvider(answer) as provider:
        text = GRAPH.replace("BACKEND", backend).replace("ADDRESS", address).replace("URL", provider.base_url)
        for trouble, how in HOW if backend == "openai_http" else HOW[1:4]:  # litellm takes seconds to begin
            (tmp_path / "canary.yaml").write_text(text.replace("TROUBLE", f"TROUBLE {trouble}"))
            done = ran(tmp_path, "run", "canary.yaml", "-i", "question=q", *how)
            told[f"{trouble} {how}"] = done.stdout + done.stderr
            assert (done.returncode == 0) == (trouble == "no trouble"), done.stderr.decode()[-2000:]
        (tmp_path / "canary.yaml").write_text(text.replace("TROUBLE", "no trouble"))
        (tmp_path / "rows.jsonl").write_text(
            '{"id": "a", "input": "x", "target": "7"}\n{"id": "b", "input": "fail", "target": "7"}\n'
        )
        (tmp_path / "suite.yaml").write_text(SUITE)
        for arguments in (["eval", "suite.yaml", "-o", "results"], ["runs", "list"]):
            done = ran(tmp_path, *arguments)
            told[str(arguments)] = done.stdout + done.stderr
            assert done.returncode == 0, done.stderr.decode()[-2000:]
        for run in sorted(path.stem for path in (tmp_path / ".agentkit" / "runs").glob("*.db"))[:2]:
            for arguments in (["runs", "show", run], ["runs", "export", run]):
                done = ran(tmp_path, *arguments)
                assert done.returncode == 0, done.stderr.decode()
                told[str(arguments)] = done.stdout + done.stderr
        assert all(call.headers["authorization"] == f"Bearer {KEY}" for call in provider.calls)
    written = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(name.endswith(".db") for name in written)
    assert any(name.startswith("results") for name in written)
    leaks = [(name, form) for name, data in {**told, **written}.items() for form in spellings() if form in data]
    assert not leaks
