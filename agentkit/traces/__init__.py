"""What an agent did, step by step, in one form whatever wrote it."""

from agentkit.traces.trace import Step, StepKind, Trace

__all__ = ["Step", "StepKind", "Trace"]
