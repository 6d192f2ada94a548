"""Every promise names its tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "promises.md"
ROWS = dict(re.findall(r"^\| (P\d+) \|(.*)$", PAGE.read_text(), re.MULTILINE))
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def names_in(path: Path) -> set[str]:
    """The tests of a file, machines of hypothesis by the name that they are assigned to."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def test_there_are_ten_promises() -> None:
    assert list(ROWS) == [f"P{number}" for number in range(1, 11)]


@pytest.mark.parametrize("promise", ROWS)
def test_the_tests_of_a_promise_exist(promise: str) -> None:
    tests = TEST.findall(ROWS[promise])
    assert tests
    for file, name in tests:
        assert name.lower().startswith("test")
        assert name in names_in(ROOT / file), f"{promise}: {file} has no {name}"
