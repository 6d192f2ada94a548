"""Models that choose between others, in a graph file."""

from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.errors import BudgetExceededError, GraphError, NodeError
from agentkit.testing import FakeProvider, Refusal, ScriptedModel

CASCADE = """\
schema: agentkit/v1
name: route
inputs: {question: string}
outputs: {answer: ask.text}
budget: {calls: 10}
models:
  cheap: {use: openai_http, model: cheap, base_url: "CHEAP"}
  strong: {use: openai_http, model: strong, base_url: "STRONG", retry: {attempts: 1, first_delay: 0}}
  smart: {use: cascade, models: [cheap, strong], samples: 3, threshold: 0.6}
nodes:
  ask:
    use: model
    with: {model: smart, prompt: "{{ question }}"}
    in: {question: inputs.question}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "route.yaml"
    path.write_text(text)
    return path


async def test_every_call_of_a_cascade_is_retried_paid_and_recorded_by_itself(tmp_path: Path) -> None:
    async with FakeProvider(["1", "2", "3"]) as cheap, FakeProvider([Refusal(status=500), "42"]) as strong:
        text = CASCADE.replace("CHEAP", cheap.base_url).replace("STRONG", strong.base_url)
        graph = Kit(home=tmp_path / "home").graph(written(tmp_path, text))
        run = await graph.run(question="Which?")
    assert run.output == {"answer": "42"}
    assert run.usage.calls == 5
    resumed = await graph.execute({}, resume=run.id)
    assert (resumed.output, resumed.usage.calls) == (run.output, 5)


async def test_the_budget_holds_for_all_its_models_together(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: "1") as cheap, FakeProvider() as strong:
        text = (
            CASCADE.replace("CHEAP", cheap.base_url).replace("STRONG", strong.base_url).replace("calls: 10", "calls: 2")
        )
        graph = Kit(home=tmp_path / "home").graph(written(tmp_path, text))
        with pytest.raises(BudgetExceededError):
            await graph.run(question="Which?")
        assert cheap.received <= 2


async def test_replicas_share_the_load_of_all_nodes(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: "one") as one, FakeProvider(lambda body: "two") as two:
        text = CASCADE.replace("CHEAP", one.base_url).replace("STRONG", two.base_url)
        text = text.replace("use: cascade", "use: balance").replace(", samples: 3, threshold: 0.6", "")
        graph = Kit(home=tmp_path / "home").graph(written(tmp_path, text))
        answers = [(await graph.run(question="Which?")).output["answer"] for _ in range(4)]
    assert answers == ["one", "two", "one", "two"]


async def test_a_model_of_python_can_stand_in_for_one_of_them(tmp_path: Path) -> None:
    text = CASCADE.replace("CHEAP", "http://127.0.0.1:9/v1").replace("STRONG", "http://127.0.0.1:9/v1")
    cheap, strong = ScriptedModel(script=["7", "7", "7"]), ScriptedModel(script=[])
    graph = Kit(home=tmp_path).graph(written(tmp_path, text), models={"cheap": cheap, "strong": strong})
    assert (await graph.run(question="Which?")).output == {"answer": "7"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("models: [cheap, stronk]", "no model is named 'stronk'; did you mean 'strong'?"),
        ("models: [cheap, smart]", "a choice of models must come to an end; these go round: smart"),
        ("models: [cheap]", "a cascade needs at least two of 'models'"),
        ("models: 3", "'models' must be the name of another model, or a list of names"),
        ("", "option 'models' is missing"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(tmp_path: Path, wrong: str, said: str) -> None:
    text = CASCADE.replace("models: [cheap, strong], ", wrong and f"{wrong}, ")
    with pytest.raises(GraphError) as refused:
        Kit(home=tmp_path).graph(written(tmp_path, text))
    assert said in str(refused.value)


def test_a_backend_takes_no_models(tmp_path: Path) -> None:
    text = CASCADE.replace("model: cheap,", "model: cheap, models: [strong],")
    with pytest.raises(GraphError, match="unknown option"):
        Kit(home=tmp_path).graph(written(tmp_path, text))


AROUND = (
    "retry: {attempts: 0}, concurrency: auto, requests_per_minute: 600, tokens_per_minute: 9000, breaker: {failures: 1}"
)


async def test_limits_and_the_breaker_stand_in_the_entry(tmp_path: Path) -> None:
    async with FakeProvider([Refusal(status=503)]) as server:
        text = CASCADE.replace("model: cheap,", f"model: cheap, {AROUND},").replace("{model: smart", "{model: cheap")
        text = text.replace("CHEAP", server.base_url).replace("STRONG", server.base_url)
        graph = Kit(home=tmp_path / "home").graph(written(tmp_path, text))
        for said in ("503", "failed 1 times in a row"):
            with pytest.raises(NodeError, match=said):
                await graph.run(question="Which?")


async def test_the_sdk_opens_a_cascade_by_its_address(tmp_path: Path) -> None:
    cheap, strong = ScriptedModel(name="a", script=["7", "7"]), ScriptedModel(name="b", script=[])
    model = Kit(home=tmp_path).model({"use": "cascade", "models": [cheap, strong], "samples": 2})
    assert model.name == "cascade(a, b)"
