"""Estimates err on the high side, and say when they cannot know."""

import math

import pytest

from agentkit.errors import ConfigError
from agentkit.runtime.estimate import estimate, prompt_tokens
from agentkit.runtime.price import FREE, Price, price_of, priced
from agentkit.types import GenerateRequest, Message, ToolCall, ToolSpec, Usage


def ask(text: str, **knobs) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), **knobs)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [  # counted with cl100k_base
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("4 9 10 13", 7),
        ("Гарантия действует два года со дня покупки.", 20),
        ("机器学习是人工智能的一个分支。", 16),
        ('{"name": "get_user_details", "arguments": {"user_id": "mia_li_3668"}}', 22),
        ("for (int i = 0; i < n; ++i) { sum += a[i] * 2; }", 26),
        ("", 0),
    ],
)
def test_a_prompt_is_estimated_high_but_not_by_far(text: str, tokens: int) -> None:
    assert tokens <= prompt_tokens(ask(text)) <= 3 * tokens + 20


def test_tools_schema_and_tool_calls_are_part_of_the_prompt() -> None:
    tool = ToolSpec(name="add", description="Adds two numbers", parameters={"type": "object", "properties": {}})
    call = Message("assistant", "", tool_calls=(ToolCall(id="1", name="add", arguments='{"a": 1, "b": 2}'),))
    plain = prompt_tokens(ask("hi"))
    assert prompt_tokens(ask("hi", tools=(tool,))) > plain + 10
    assert prompt_tokens(ask("hi", schema={"type": "object"})) > plain
    assert prompt_tokens(GenerateRequest(messages=(Message("user", "hi"), call))) > plain + 10


def test_every_sample_may_use_its_whole_max_tokens() -> None:
    found = estimate(ask("hi", n=3, max_tokens=100, max_reasoning_tokens=50), Price(output=2.0))
    assert (found.calls, found.output_tokens, found.usd) == (3, 450, 900)
    assert found.input_tokens == 3 * prompt_tokens(ask("hi"))


def test_what_cannot_be_bounded_says_so() -> None:
    assert math.isinf(estimate(ask("hi"), Price(output=1e-6)).usd)
    assert estimate(ask("hi"), Price(input=1e-6)).usd > 0
    assert estimate(ask("hi", n=2), None).unpriced_calls == 2
    assert estimate(ask("hi"), FREE).usd == 0


def test_cached_tokens_have_a_price_of_their_own() -> None:
    usage = Usage(calls=1, input_tokens=100, cached_tokens=60, output_tokens=10, reasoning_tokens=5, seconds=2)
    assert Price(input=1, output=10).cost(usage) == 200
    assert Price(input=1, output=10, cached_input=0.5, per_second=3).cost(usage) == 40 + 30 + 100 + 6


def test_a_price_is_known_or_it_is_not() -> None:
    usage = Usage(calls=2, input_tokens=10)
    assert priced(usage, None).unpriced_calls == 2
    assert priced(usage, Price(input=1)).usd == 10
    assert priced(priced(usage, Price(input=1)), Price(input=7)).usd == 10
    assert priced(priced(usage, None), FREE) == priced(usage, None)
    assert price_of(object()) is None
    with pytest.raises(ConfigError, match=r"price\.output must be USD of at least 0"):
        Price(output=-1)
