"""What an agent did, step by step, in one form whatever wrote it."""

from agentkit.traces.calls import Call, calls, failed
from agentkit.traces.provenance import Link, Provenance, provenance
from agentkit.traces.reading import read
from agentkit.traces.trace import Step, StepKind, Trace

__all__ = ["Call", "Link", "Provenance", "Step", "StepKind", "Trace", "calls", "failed", "provenance", "read"]
