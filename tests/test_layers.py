"""The floors of the house: imports point downwards, rooms of one floor do not know one another, libraries have one owner."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "agentkit"

FLOORS = [
    {"types", "errors"},
    {"events"},
    {"answers", "text", "statistics", "pddl", "calibration", "protocols", "yaml_reader"},
    {"registry", "hookspecs", "options", "runtime", "weights", "yaml_writer", "paths"},
    {"traces", "jsonschema", "expressions", "encoder"},
    {"models", "tools", "rag", "strategies", "evaluators", "environments", "testing"},
    {"builtin"},
    {"plugins", "otel"},
    {"graph", "evaluation"},
    {"kit"},
    {"cli"},
    {"__init__", "__main__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

OWNERS = {
    "langgraph": {"graph/compile.py"},
    "litellm": {"models/litellm.py"},
    "xllamacpp": {"models/llama.py"},
    "chromadb": {"rag/index.py", "rag/dense.py"},
    "bm25s": {"rag/index.py", "rag/lexical.py"},
    "pluggy": {"hookspecs.py", "plugins.py"},
    "cel": {"expressions.py"},
    "aiohttp": {"models/connections.py", "models/openai_http.py", "tools/http.py"},
    "onnxruntime": {"encoder.py"},
    "tokenizers": {"encoder.py"},
    "psycopg": {"runtime/postgres.py"},
    "vllm": {"models/vllm_engine.py"},
    "torch": {"models/torch_engine.py", "models/torch_training.py"},
    "transformers": {"models/torch_engine.py"},
    "safetensors": {"models/torch_engine.py", "models/torch_training.py"},
    "mcp": {"tools/mcp.py", "tools/mcp_wire.py"},
    "httpx2": {"tools/mcp_wire.py"},
    "yaml": {"yaml_reader.py", "yaml_writer.py"},
    "anyio": {"tools/mcp_wire.py"},
    "opentelemetry": {"otel.py"},
}
FORBIDDEN_CALLS = {"eval", "exec", "__import__", "compile"}
FORBIDDEN_MODULES = {"pickle", "dill", "cloudpickle", "marshal", "shelve", "nest_asyncio"}

FILES = sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} uses a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_only_point_downwards(path: Path) -> None:
    home = room_of(path)
    rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("agentkit.")}
    for target in rooms & FLOOR_OF.keys() - {home}:
        assert FLOOR_OF[target] < FLOOR_OF[home], f"{name_of(path)} may not import agentkit.{target}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_library_has_one_owner(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    for library in roots & OWNERS.keys():
        assert name_of(path) in OWNERS[library], f"{library} belongs to {OWNERS[library]}"


def test_every_room_stands_on_a_floor() -> None:
    assert {room_of(path) for path in FILES} <= FLOOR_OF.keys()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_runs_text_as_code(path: Path) -> None:
    tree = ast.parse(path.read_text())
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & FORBIDDEN_CALLS
    assert not {name.split(".")[0] for name in imports_of(path)} & FORBIDDEN_MODULES
    assert "yaml.load(" not in path.read_text()
