"""What samples in flight hold in memory: 10,000 calls at once to a provider that answers slowly.

    python evals/overhead/in_flight.py

The provider has a process of its own and thinks for ``--seconds``, longer than it takes to start all. Each way of asking has a
process, too, which grows from what it held after one call to its peak. Each call that is sent needs an open file (``ulimit -n``).
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Awaitable
from contextlib import AsyncExitStack, ExitStack
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
LIMIT_MB = 300
WAYS = ("bare", "budget + journal + events", "budget + journal + events, limit 1000")
STARTS_A_SECOND = 400  # more at once overflow the queue of connections that the kernel keeps for a server (somaxconn)


def memory() -> float:
    """Megabytes that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


async def peak(work: Awaitable[object]) -> float:
    """The most that this process held while ``work`` went on."""
    task, most = asyncio.ensure_future(work), memory()
    while not task.done():
        await asyncio.wait([task], timeout=0.1)
        most = max(most, memory())
    await task
    return most


async def ask(url: str, samples: int, way: str) -> dict[str, float]:
    """Draw ``samples`` samples, all at once, and measure."""
    from agentkit.events import Scope
    from agentkit.models.limit import Limited
    from agentkit.models.openai_http import OpenAIHTTP
    from agentkit.protocols import Model
    from agentkit.runtime.budget import Budget, Ledger
    from agentkit.runtime.sampling import draw
    from agentkit.runtime.stack import bind
    from agentkit.runtime.store import Store
    from agentkit.types import GenerateRequest, Message

    request = GenerateRequest(messages=(Message("user", "What is 6 times 7?"),), max_tokens=64)
    async with AsyncExitStack() as undo:
        home = Path(undo.enter_context(tempfile.TemporaryDirectory()))
        backend: Model = OpenAIHTTP(model="fake-model", base_url=url)
        if "limit" in way:
            backend = Limited(backend, concurrency=1000)
        journal = undo.enter_context(Store(home=home).create(graph="in_flight", inputs={}))
        scope, ledger = Scope(run="r", node="n"), Ledger(Budget(calls=10**9))
        model = backend if "bare" in way else bind(backend, scope=scope, journal=journal, ledger=ledger)

        open_now = at_once = 0

        async def one(number: int) -> None:
            nonlocal open_now, at_once
            await asyncio.sleep(number / STARTS_A_SECOND)
            open_now, at_once = open_now + 1, max(at_once, open_now + 1)
            await draw(model, request)
            open_now -= 1

        await draw(model, request)
        before = memory()
        most = await peak(asyncio.gather(*(one(number) for number in range(samples))))
        each = (most - before) * 1000 / samples
        return {"before_mb": before, "peak_mb": most, "kb_a_sample": each, "open_at_once": at_once}


def measured(url: str, samples: int, way: str) -> dict[str, float]:
    """One way in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--way", way, "--url", url, "--samples", str(samples)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=28.0, help="how long the provider thinks")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE.parent / "results" / f"{date.today()}-in-flight.json")
    options = parser.parse_args()
    if options.way:
        print(json.dumps(asyncio.run(ask(options.url, options.samples, options.way))))
        return
    rows = {}
    for way in WAYS:
        with ExitStack() as undo:
            seconds = 0.5 if "limit" in way else options.seconds
            command = [sys.executable, HERE / "wire_server.py", str(seconds)]
            server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert server.stdin
            assert server.stdout
            undo.callback(server.wait)
            undo.callback(server.stdin.close)
            rows[way] = measured(f"http://127.0.0.1:{int(server.stdout.readline())}/v1", options.samples, way)
        row = rows[way]
        print(
            f"{way:32} {row['before_mb']:5.0f} MB, peak {row['peak_mb']:5.0f} MB, {row['kb_a_sample']:5.1f} kB a sample, "
            f"{row['open_at_once']:,.0f} open at once"
        )
    met = {f"{way} <= {LIMIT_MB} MB": row["peak_mb"] <= LIMIT_MB for way, row in rows.items()}
    for target, one in met.items():
        print(f"{'met' if one else 'MISSED':7} {target}")
    result = {
        "date": str(date.today()),
        "samples": options.samples,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "ways": {way: {name: round(value, 1) for name, value in row.items()} for way, row in rows.items()},
        "targets": met,
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
