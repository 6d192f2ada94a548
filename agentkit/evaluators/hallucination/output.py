"""What a record's output says, as text."""

from __future__ import annotations

from agentkit.types import JSON


def text_of(output: JSON) -> str:
    """A text as it is and anything else as Python writes it; empty for None and for what is too deep or long to be written."""
    if isinstance(output, str):
        return output
    try:
        return "" if output is None else str(output)
    except (RecursionError, ValueError):
        return ""
