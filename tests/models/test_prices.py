"""The table of prices, and what calls cost by it."""

import importlib.util
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.events import Scope
from agentkit.models.litellm import LiteLLM
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.models.prices import price_at, prices
from agentkit.models.together import dearest
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.estimate import share
from agentkit.runtime.price import Price
from agentkit.runtime.sampling import draw
from agentkit.runtime.stack import bind
from agentkit.testing import Completion, FakeProvider
from agentkit.types import GenerateRequest, Message, Usage

ASK = GenerateRequest(messages=(Message("user", "hello"),), max_tokens=5)
rates = st.floats(0, 1e-3)
dear = st.builds(
    Price,
    input=rates,
    output=rates,
    cached_input=st.none() | rates,
    reasoning=st.none() | rates,
    long_from=st.sampled_from([0, 100]),
    long_input=st.none() | rates,
    long_output=st.none() | rates,
    long_cached_input=st.none() | rates,
)


@st.composite
def usages(draw_: st.DrawFn) -> Usage:
    asked, said = draw_(st.integers(0, 300)), draw_(st.integers(0, 300))
    cached, thought = draw_(st.integers(0, asked)), draw_(st.integers(0, said))
    return Usage(calls=1, input_tokens=asked, output_tokens=said, cached_tokens=cached, reasoning_tokens=thought)


def test_the_table_says_when_and_from_where_it_was_taken() -> None:
    table = prices()
    assert table.date >= "2026-11-25"
    assert "litellm" in table.source
    assert "MIT" in table.source
    for provider in ("openai", "anthropic", "gemini", "mistral", "deepseek", "dashscope"):
        assert any(name.startswith(f"{provider}/") for name in table.models)
    assert all(price.input > 0 for price in table.models.values())


def test_it_is_what_its_source_says() -> None:
    try:
        installed = version("litellm")
    except PackageNotFoundError:
        pytest.skip("the extra 'litellm' is not installed")
    if f"litellm {installed}," not in prices().source:
        pytest.skip(f"the table was taken from another litellm than {installed}")
    path = Path(__file__).parents[2] / "docs" / "prices.py"
    spec = importlib.util.spec_from_file_location("prices_script", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.TABLE.read_text(encoding="utf-8") == script.text(script.table(), prices().date)


def test_a_model_at_its_providers_address_has_its_price_and_nowhere_else() -> None:
    price = Price(input=1.5e-7, output=6e-7, cached_input=7.5e-8)
    assert OpenAIHTTP(model="gpt-4o-mini", base_url="https://api.openai.com/v1").price == price
    assert OpenAIHTTP(model="gpt-4o-mini", base_url="http://127.0.0.1:8000/v1").price is None
    assert price_at("https://api.mistral.ai/v1", "gpt-4o-mini") is None
    assert LiteLLM(model="openai/gpt-4o-mini").price == LiteLLM(model="gpt-4o-mini").price == price
    own = Price(input=1.0)
    assert OpenAIHTTP(model="gpt-4o-mini", base_url="https://api.openai.com/v1", price=own).price == own


def test_cached_and_thought_tokens_are_billed_at_their_own_prices() -> None:
    price = Price(input=1.0, output=10.0, cached_input=0.1, reasoning=20.0)
    usage = Usage(calls=1, input_tokens=100, cached_tokens=40, output_tokens=8, reasoning_tokens=3)
    assert price.cost(usage) == pytest.approx(60 + 4 + 50 + 60)


def test_a_long_prompt_is_billed_at_the_long_prices() -> None:
    price = Price(input=1.0, output=10.0, cached_input=0.1, long_from=100, long_input=2.0, long_output=15.0)
    assert price.cost(Usage(calls=1, input_tokens=100, output_tokens=1)) == 110
    assert price.cost(Usage(calls=1, input_tokens=101, output_tokens=1)) == 217
    assert Price.of(price.as_data()) == price


def test_seconds_of_a_gpu_of_ones_own_have_a_price() -> None:
    assert Price(per_second=0.0008).cost(Usage(calls=1, seconds=10, output_tokens=99)) == pytest.approx(0.008)


@given(st.lists(dear, min_size=1, max_size=4), usages())
@example([Price(long_from=100, long_cached_input=0.5)], Usage(calls=1, input_tokens=101, cached_tokens=1))
def test_no_price_exceeds_the_dearest_of_them(several: list[Price], usage: Usage) -> None:
    bound = dearest(several).cost(usage)
    assert all(price.cost(usage) <= bound * (1 + 1e-9) for price in several)


async def test_under_a_budget_in_money_a_call_without_a_known_price_is_not_sent() -> None:
    async with FakeProvider() as provider:
        model = OpenAIHTTP(model="gpt-4o-mini", base_url=provider.base_url)
        bound = bind(model, scope=Scope(node="a"), ledger=Ledger(Budget(usd=1.0)))
        with pytest.raises(ConfigError, match="price is not known"):
            await draw(bound, ASK)


async def test_a_call_is_settled_at_what_its_cached_and_thought_tokens_cost() -> None:
    reply = Completion(text="x", usage=(100, 10), cached_tokens=60, reasoning_tokens=4)
    async with FakeProvider([reply]) as provider:
        price = Price(input=1e-3, output=1e-2, cached_input=1e-4, reasoning=2e-2)
        ledger = Ledger(Budget(usd=10.0))
        model = OpenAIHTTP(model="m", base_url=provider.base_url, price=price)
        await draw(bind(model, scope=Scope(node="a"), ledger=ledger), ASK)
    assert ledger.spent.usd == pytest.approx(0.04 + 0.006 + 0.06 + 0.08)


def test_the_estimate_of_a_call_holds_though_its_answer_be_all_thought() -> None:
    price = Price(output=1.0, reasoning=3.0)
    assert share(replace(ASK, max_tokens=10), price).usd == price.cost(Usage(output_tokens=10, reasoning_tokens=10))
