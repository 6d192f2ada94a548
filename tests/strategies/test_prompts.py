import pytest

from agentkit.errors import ConfigError
from agentkit.strategies import prompts
from agentkit.types import Message


def test_what_was_inserted_is_never_read_again():
    assert prompts.fill("Q: {{question}} / {{ state }}", question="{{state}}", state="s") == "Q: {{state}} / s"


def test_an_unknown_place_is_named_with_the_nearest_one():
    with pytest.raises(ConfigError, match=r"propose: nothing fills \{\{stat\}\}; did you mean 'state'"):
        prompts.check("{{question}} {{stat}}", "propose", ("question", "state"))


def test_an_instruction_ends_the_last_turn_of_the_user():
    assert prompts.instructed([Message("user", "Why?")], "Think.") == (Message("user", "Why?\n\nThink."),)
    talk = [Message("user", "Why?"), Message("assistant", "Well")]
    assert prompts.instructed(talk, "Think.") == (*talk, Message("user", "Think."))
    assert prompts.instructed(talk, "") == tuple(talk)
