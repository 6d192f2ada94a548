"""Graphs of models, search, votes and checks: spend compute at answer time where it pays, and prove that it paid."""

from agentkit.hookspecs import hookimpl

__all__ = ["hookimpl"]
