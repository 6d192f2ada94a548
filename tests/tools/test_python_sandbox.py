"""Escapes that must fail, and programs that must run."""

import os
import sys

import pytest

from agentkit.errors import ToolError
from agentkit.tools.python_sandbox import Execution, PythonSandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

ESCAPES = {
    "read a file": "print(open('/etc/passwd').read())",
    "list the root": "import os; print(os.listdir('/'))",
    "read another process": "print(open('/proc/1/environ').read())",
    "write outside": "open('/tmp/escaped', 'w').write('x')",
    "climb out": "print(open('../../etc/hostname').read())",
    "follow a link out": "import os; os.symlink('/etc/passwd', 'p'); print(open('p').read())",
    "open a socket": "import socket; socket.socket()",
    "open a unix socket": "import socket; socket.socket(socket.AF_UNIX)",
    "resolve a name": "import socket; print(socket.getaddrinfo('localhost', 80))",
    "fork": "import os; os.fork()",
    "spawn": "import subprocess; subprocess.run(['/bin/ls'])",
    "use a shell": "import os, sys; sys.exit(os.system('true') != 0)",
    "multiply": "import multiprocessing as m; p = m.Process(target=print); p.start()",
    "take memory": "x = bytearray(10 << 30)",
    "fill the disk": "f = open('big', 'wb')\nfor _ in range(100): f.write(bytes(1 << 20))",
    "trace": "import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(16, 1, 0, 0) != 0)",
    "enter a namespace": "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000) != 0)",
    "open many files": "f = [open('f', 'w') for _ in range(100)]",
    "import from the host": "import agentkit",
}


async def run(code: str, **options: int) -> Execution:
    return await PythonSandbox(enabled=True, **{"seconds": 2, **options}).execute(code)


@pytest.mark.parametrize("code", ESCAPES.values(), ids=ESCAPES.keys())
async def test_an_escape_fails(code: str) -> None:
    done = await run(code)
    assert not done.ok
    assert "root:" not in done.output


async def test_a_program_prints_its_result() -> None:
    done = await run("import json, math\nprint(json.dumps({'pi': round(math.pi, 2)}))")
    assert (done.ok, done.output) == (True, '{"pi": 3.14}\n')


async def test_a_program_sees_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_API_KEY", "canary")
    done = await run("import os; print(dict(os.environ))")
    assert "canary" not in done.output


async def test_files_lie_beside_the_program_and_are_gone_afterwards() -> None:
    sandbox = PythonSandbox(enabled=True)
    done = await sandbox.execute("import os\nprint(open('data.txt').read(), os.getcwd())", files={"data.txt": "seen"})
    text, folder = done.output.split()
    assert text == "seen"
    assert not os.path.exists(folder)


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(60)"])
async def test_an_endless_program_is_stopped(code: str) -> None:
    assert (await run(code, seconds=1)).stopped == "time"


async def test_endless_output_is_cut_and_the_program_killed() -> None:
    done = await run("while True: print('x' * 1000)", output=5000)
    assert (done.stopped, len(done.output)) == ("output", 5000)


async def test_threads_are_allowed() -> None:
    assert (await run("import threading; t = threading.Thread(target=print, args=('t',)); t.start(); t.join()")).ok


async def test_it_is_off_by_default() -> None:
    with pytest.raises(ToolError, match="enabled: true"):
        await PythonSandbox().call({"code": "print(1)"})


async def test_as_a_tool_it_returns_plain_data() -> None:
    result = await PythonSandbox(enabled=True).call({"code": "print(2 + 2)"})
    assert result == {"output": "4\n", "errors": "", "code": 0, "stopped": ""}
