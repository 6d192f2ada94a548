"""What a model cannot do is said before a token is spent."""

import pytest

from agentkit.errors import RequestRefusedError
from agentkit.events import Scope
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.sampling import draw
from agentkit.runtime.stack import bind
from agentkit.testing import ScriptedModel
from agentkit.types import Capabilities, GenerateRequest, Message, ToolSpec

ASK = (Message("user", "hello"),)
TOOL = ToolSpec(name="add", description="Adds", parameters={"type": "object"})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"logprobs": 0}, "cannot give log-probabilities:"),
        ({"tools": (TOOL,)}, "cannot call tools:"),
        ({"schema": {"type": "object"}, "effort": "low"}, "cannot keep to a schema, nor be told how long to think:"),
        ({"max_reasoning_tokens": 9}, "cannot be told how long to think:"),
    ],
)
async def test_a_request_beyond_the_model_is_refused_unsent(asked: dict[str, object], said: str) -> None:
    ledger = Ledger(Budget(calls=9))
    with ScriptedModel(script=[], name="plain", capabilities=Capabilities()) as model:
        with pytest.raises(RequestRefusedError, match=f"plain {said}"):
            await draw(bind(model, scope=Scope(node="a"), ledger=ledger), GenerateRequest(messages=ASK, **asked))
    assert ledger.spent.calls == 0


async def test_what_the_model_can_do_is_asked_of_it() -> None:
    with ScriptedModel(script=["{}"], capabilities=Capabilities(schema=True)) as model:
        request = GenerateRequest(messages=ASK, schema={"type": "object"}, seed=3)
        assert (await draw(bind(model, scope=Scope(node="a")), request)).text == "{}"
