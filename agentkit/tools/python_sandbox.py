"""Run Python that a model wrote: a separate process with no network, no files but its own, and hard limits."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentkit.errors import ToolError
from agentkit.types import JSON, ToolSpec

_JAIL = Path(__file__).with_name("jail.py")
_REFUSED = 97


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What a program did: its exit code (negative: killed by that signal), its output, and why it was stopped, if it was."""

    code: int
    output: str
    errors: str
    stopped: str = ""

    @property
    def ok(self) -> bool:
        """True when it ran to its end and exited with 0."""
        return self.code == 0 and not self.stopped


@dataclass(frozen=True, kw_only=True)
class PythonSandbox:
    """A tool that runs a Python program and returns what it printed.

    Off by default: a graph must say ``enabled: true``. The program sees the standard library and an empty folder; it has no
    network, no environment, ``seconds`` of CPU, twice that of wall clock, ``megabytes`` of memory, and ``output`` characters.
    It needs Linux with user namespaces and Landlock, and refuses to run where they are missing.
    """

    enabled: bool = False
    seconds: int = 5
    megabytes: int = 512
    output: int = 20_000

    @property
    def idempotent(self) -> bool:
        """A second call does no harm: nothing outside the sandbox changes."""
        return True

    @property
    def spec(self) -> ToolSpec:
        """One argument: the program."""
        schema = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}
        about = "Run a Python program in a sandbox without network and return what it prints."
        return ToolSpec(name="python_sandbox", description=about, parameters={**schema, "additionalProperties": False})

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """``{output, errors, code, stopped}``; raises ``ToolError`` when it is off or the system cannot confine it."""
        done = await self.execute(str(arguments["code"]))
        return {"output": done.output, "errors": done.errors, "code": done.code, "stopped": done.stopped}

    async def execute(self, code: str, *, files: Mapping[str, str] | None = None) -> Execution:
        """Run ``code`` with ``files`` (plain names) beside it; the folder is gone afterwards."""
        if not self.enabled:
            raise ToolError("python_sandbox is off: say enabled: true under its with: to let models run code")
        if sys.platform != "linux":
            raise ToolError("python_sandbox needs Linux: it confines programs with namespaces and Landlock")
        folder = tempfile.mkdtemp(prefix="agentkit-sandbox-")
        try:
            await asyncio.to_thread(_write, folder, {**(files or {}), "main.py": code})
            return await self._run(folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, True)

    async def _run(self, folder: str) -> Execution:
        limits = {"seconds": self.seconds, "memory": self.megabytes << 20, "file_size": 16 << 20}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-B", str(_JAIL), json.dumps(limits),
            cwd=folder, env={}, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        readers = asyncio.gather(self._read(process, process.stdout), self._read(process, process.stderr))
        late = False
        try:
            await asyncio.wait_for(asyncio.shield(readers), self.seconds * 2)
        except TimeoutError:
            late = True
        finally:
            _kill(process)
            (output, full), (errors, fuller) = await readers
            code = await process.wait()
        if code == _REFUSED:
            raise ToolError(f"python_sandbox did not run the program: {errors.strip()}")
        killed = code in (-signal.SIGXCPU, -signal.SIGKILL)
        stopped = "output" if full or fuller else "time" if late or killed else ""
        return Execution(code=code, output=output, errors=errors, stopped=stopped)

    async def _read(self, process: asyncio.subprocess.Process, stream: asyncio.StreamReader | None) -> tuple[str, bool]:
        """What was written, and whether it was too much; then the program is killed and the pipe drained so that it closes."""
        assert stream is not None
        kept = b""
        while piece := await stream.read(65536):
            if len(kept) > self.output:
                continue
            kept += piece
            if len(kept) > self.output:
                _kill(process)
        return kept[: self.output].decode("utf-8", "replace"), len(kept) > self.output


def _write(folder: str, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        Path(folder, Path(name).name).write_text(text, encoding="utf-8", errors="surrogatepass")


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
