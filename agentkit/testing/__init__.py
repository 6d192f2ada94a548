"""Test doubles and conformance kits for you and for plugin authors: real objects through the seams made for them."""

from agentkit.testing.scripted import ScriptedModel

__all__ = ["ScriptedModel"]
