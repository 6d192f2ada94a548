"""Every fenced example of the README and the docs is executed: Python runs, whole graphs load, printed output is as shown."""

import ast
import asyncio
import contextlib
import inspect
import io
import re
from pathlib import Path

import pytest

from agentkit import Kit

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")],
    key=str,
)
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    return FENCE.findall(page.read_text())


def run(code: str, names: dict[str, object], where: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        compiled = compile(code, where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if compiled.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(compiled, names))
        else:
            exec(compiled, names)
    return printed.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_examples_run_and_print_what_is_shown(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {"__name__": "example"}
    found = blocks(page)
    for place, (language, code) in enumerate(found):
        if language != "python":
            continue
        printed = run(code, names, f"{page.name}[{place}]")
        if place + 1 < len(found) and found[place + 1][0] == "text":
            assert printed.strip() == found[place + 1][1].strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_whole_graphs_in_the_docs_load(page: Path, tmp_path: Path) -> None:
    kit = Kit()
    for place, (language, code) in enumerate(blocks(page)):
        if language == "yaml" and "schema: agentkit/v1" in code:
            path = tmp_path / f"{place}.yaml"
            path.write_text(code)
            kit.graph(path)
