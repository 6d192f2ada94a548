"""Recorded runs through the SDK: go on after a failure, fork with one thing changed, compare; langgraph's own savers."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit import Kit
from agentkit.errors import InputError, NodeError, ServerError, StoreError
from agentkit.events import NodeFinished
from agentkit.testing import ScriptedModel

GRAPH = """
schema: agentkit/v1
name: essay
inputs: {topic: string}
outputs: {text: write.text, judged: judge.text}
models: {small: scripted/a, judge: scripted/b}
nodes:
  plan: {use: model, with: {model: small, prompt: "Plan {{topic}}"}, in: {topic: inputs.topic}}
  write: {use: model, with: {model: small, prompt: "Write {{plan}}", temperature: 0.5}, in: {plan: plan.text}}
  judge: {use: model, with: {model: judge, prompt: "Judge {{text}}"}, in: {text: write.text}}
"""


def kit_with(tmp_path: Path, text: str = GRAPH) -> tuple[Kit, Path]:
    path = tmp_path / "essay.yaml"
    path.write_text(text.replace("scripted/a", "openai_http/a").replace("scripted/b", "openai_http/b"))
    return Kit(home=tmp_path / "home", installed=False), path


def echo(request: Any) -> str:
    return f"{request.messages[-1].content}@{request.temperature}"


async def test_a_fork_reads_what_came_before_the_node_and_runs_the_rest(tmp_path: Path) -> None:
    kit, path = kit_with(tmp_path)
    model = ScriptedModel(script=echo)
    models = {"small": model, "judge": model}
    first = await kit.graph(path, models=models).run(topic="bees")
    again = await kit.runs.fork(first.id, at="write", models=models, changes={"nodes.write.with.temperature": 0.9})
    assert len(model.requests) == 5
    assert again.output["text"] == "Write Plan bees@None@0.9"
    assert again.usage.calls == 3
    found = kit.runs.diff(first.id, again.id)
    assert set(found.nodes) == {"write", "judge"}
    assert found.output["text"].before == first.output["text"]
    assert found.usage[0].calls == found.usage[1].calls == 3


async def test_a_fork_keeps_what_came_before_even_when_its_model_is_another(tmp_path: Path) -> None:
    kit, path = kit_with(tmp_path)
    old, new = ScriptedModel(script=echo, name="old"), ScriptedModel(script=lambda request: "new")
    first = await kit.graph(path, models={"small": old, "judge": old}).run(topic="bees")
    again = await kit.runs.fork(first.id, at="judge", models={"small": new, "judge": new})
    assert again.output == {"text": first.output["text"], "judged": "new"}
    assert len(new.requests) == 1
    other = await kit.runs.fork(again.id, at="write", models={"small": old, "judge": new})
    assert other.output["judged"] == "new"
    assert len(new.requests) == 2


async def test_a_fork_with_another_input_runs_what_uses_it(tmp_path: Path) -> None:
    kit, path = kit_with(tmp_path)
    model = ScriptedModel(script=echo)
    models = {"small": model, "judge": model}
    first = await kit.graph(path, models=models).run(topic="bees")
    same = await kit.runs.fork(first.id, models=models)
    assert kit.runs.diff(first.id, same.id).same
    assert len(model.requests) == 3
    other = await kit.runs.fork(first.id, inputs={"topic": "ants"}, models=models)
    assert "ants" in other.output["text"]
    assert len(model.requests) == 6


async def test_a_run_resumes_with_its_own_seed_and_models_that_must_be_given_are_named(tmp_path: Path) -> None:
    kit, path = kit_with(tmp_path)
    broken = ScriptedModel(script=["p", "w", ServerError("down")])
    with pytest.raises(NodeError):
        await kit.graph(path, models={"small": broken, "judge": broken}).execute({"topic": "bees"}, seed=7)
    run = kit.runs.list()[0]
    assert run.origin["seed"] == 7
    with pytest.raises(InputError, match="give small, judge again"):
        await kit.runs.resume(run.id)
    with ScriptedModel(script=["judged"]) as model:
        done = await kit.runs.resume(run.id, models={"small": model, "judge": model})
    assert done.output == {"text": "w", "judged": "judged"}


async def test_an_edited_node_runs_again_and_an_unchanged_one_does_not(tmp_path: Path) -> None:
    kit, path = kit_with(tmp_path)
    model = ScriptedModel(script=echo)
    models = {"small": model, "judge": model}
    run = (await kit.graph(path, models=models).run(topic="bees")).id
    path.write_text(path.read_text().replace("Write {{plan}}", "Compose {{plan}}"))
    assert kit.graph(path, models=models).changed_since(kit.runs.store.read(run)) == ("write",)
    seen: list[tuple[str, bool]] = []

    def see(event: Any) -> None:
        if isinstance(event, NodeFinished):
            seen.append((event.scope.node, event.recorded))

    await kit.runs.resume(run, models=models, emit=see)
    assert seen == [("plan", True), ("write", False), ("judge", False)]
    assert len(model.requests) == 5


async def test_a_node_that_was_never_reached_cannot_be_forked_at(tmp_path: Path) -> None:
    kit, path = kit_with(tmp_path)
    model = ScriptedModel(script=["p", ServerError("down")])
    models = {"small": model, "judge": model}
    with pytest.raises(NodeError):
        await kit.graph(path, models=models).run(topic="bees")
    with pytest.raises(InputError, match="never came to the node 'judge'"):
        await kit.runs.fork(kit.runs.list()[0].id, at="judge", models=models)


@pytest.mark.parametrize(
    "data",
    ['{"__reduce__": "os.system"}', "[]", "not json", '{"file": ["x"]}', '{"lc": 1, "type": "constructor"}'],
)
async def test_a_forged_origin_runs_nothing(tmp_path: Path, data: str) -> None:
    kit, path = kit_with(tmp_path)
    model = ScriptedModel(script=echo)
    run = (await kit.graph(path, models={"small": model, "judge": model}).run(topic="bees")).id
    connection = sqlite3.connect(tmp_path / "home" / "runs" / f"{run}.db")
    with connection:
        connection.execute("UPDATE meta SET origin = ?", (data,))
    connection.close()
    with pytest.raises((InputError, StoreError)):
        await kit.runs.resume(run)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), nodes=st.integers(2, 7))
async def test_random_graphs_give_the_same_with_and_without_a_stop_in_between(
    data: st.DataObject, nodes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("random")
    lines = ["schema: agentkit/v1", "name: random", "inputs: {x: string}", f"outputs: {{y: n{nodes - 1}.text}}"]
    lines += ["models: {m: openai_http/a}", "nodes:"]
    for number in range(nodes):
        sources = ["inputs.x", *(f"n{before}.text" for before in range(number))]
        used = data.draw(st.lists(st.sampled_from(sources), min_size=1, max_size=3, unique=True))
        prompt = "".join(f"{{{{a{i}}}}}," for i in range(len(used)))
        ports = ", ".join(f"a{i}: {source}" for i, source in enumerate(used))
        lines.append(f"  n{number}: {{use: model, with: {{prompt: '{prompt}'}}, in: {{{ports}}}}}")
    (folder / "g.yaml").write_text("\n".join(lines))
    kit = Kit(home=folder / "home", installed=False)

    def answer(request: Any) -> str:
        return str(sum(map(ord, request.messages[-1].content)) % 10_007)

    whole = ScriptedModel(script=answer)
    expected = await kit.graph(folder / "g.yaml", models={"m": whole}).run(x="start")
    after, calls = data.draw(st.integers(0, nodes - 1)), [0]

    def breaking(request: Any) -> str:
        calls[0] += 1
        if calls[0] > after:
            raise RuntimeError("killed")
        return answer(request)

    with pytest.raises(NodeError):
        await kit.graph(folder / "g.yaml", models={"m": ScriptedModel(script=breaking)}).run(x="start")
    run = next(one.id for one in kit.runs.list() if one.status == "failed")
    rest = ScriptedModel(script=answer)
    resumed = await kit.runs.resume(run, models={"m": rest})
    assert resumed.output == expected.output
    assert len(rest.requests) == len(whole.requests) - after


async def test_langgraph_s_own_savers_take_the_state_with_a_serializer_that_runs_nothing(tmp_path: Path) -> None:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    kit, path = kit_with(tmp_path)
    model = ScriptedModel(script=echo)
    plain = kit.graph(path, models={"small": model, "judge": model}).to_langgraph()
    serializer = JsonPlusSerializer(allowed_msgpack_modules=None)
    compiled = plain.compile(checkpointer=InMemorySaver(serde=serializer))
    config: Any = {"configurable": {"thread_id": "1"}}
    done = await compiled.ainvoke({"inputs": {"topic": "bees"}}, config)
    saved = (await compiled.aget_state(config)).values
    assert saved["@outputs"]["judge"]["text"] == done["@outputs"]["judge"]["text"]


async def test_a_forged_checkpoint_row_runs_nothing(tmp_path: Path) -> None:
    sqlite = pytest.importorskip(
        "langgraph.checkpoint.sqlite.aio", reason="langgraph-checkpoint-sqlite is not installed"
    )
    import ormsgpack
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    kit, path = kit_with(tmp_path)
    model = ScriptedModel(script=echo)
    plain = kit.graph(path, models={"small": model, "judge": model}).to_langgraph()
    config: Any = {"configurable": {"thread_id": "1"}}
    file, canary = tmp_path / "checkpoints.db", tmp_path / "canary"
    serializer = JsonPlusSerializer(allowed_msgpack_modules=None)
    async with sqlite.AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        saver.serde = serializer
        await plain.compile(checkpointer=saver).ainvoke({"inputs": {"topic": "bees"}}, config)
    connection = sqlite3.connect(file)
    call = ormsgpack.packb(("subprocess", "check_output", ["touch", str(canary)]))
    with connection:
        ((row, blob),) = connection.execute("SELECT rowid, checkpoint FROM checkpoints ORDER BY rowid DESC LIMIT 1")
        state = ormsgpack.unpackb(blob, ext_hook=lambda code, data: None)
        state["channel_values"]["@outputs"] = ormsgpack.Ext(0, call)
        connection.execute("UPDATE checkpoints SET checkpoint = ? WHERE rowid = ?", (ormsgpack.packb(state), row))
    connection.close()
    async with sqlite.AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        saver.serde = serializer
        with suppress(Exception):
            await plain.compile(checkpointer=saver).aget_state(config)
    assert not canary.exists()
