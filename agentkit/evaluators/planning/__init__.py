"""Where a plan, a chain of reasoning or an agent's run first goes wrong."""
