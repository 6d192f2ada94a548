"""Text of any length and shape is read in a moment: these took minutes before lengths were bounded."""

from typing import get_args

import pytest

from agentkit.answers import Kind, canonical, extract

HOSTILE = [
    "\\boxed{" * 8_000,
    "\\frac{" * 8_000,
    "da " * 20_000,
    "a. B " * 12_000,
    "answer is " * 6_000,
    "<answer>" * 7_000,
    "(" * 60_000,
    "1" * 60_000,
    "1," * 30_000,
    "one " * 15_000,
    "\ud800\x00\u202e",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:8]))
def test_hostile_text_is_read_without_delay_or_error(text):
    for kind in get_args(Kind):
        found = extract(text, kind)
        assert found is None or found
        assert isinstance(canonical(text, kind), str)
