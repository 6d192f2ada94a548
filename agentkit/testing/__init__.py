"""Test doubles and conformance kits for you and for plugin authors: real objects through the seams made for them."""

from agentkit.testing.fake_provider import Call, FakeProvider
from agentkit.testing.replies import Completion, Refusal
from agentkit.testing.scripted import ScriptedModel

__all__ = ["Call", "Completion", "FakeProvider", "Refusal", "ScriptedModel"]
