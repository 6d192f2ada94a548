"""Exact checkers of chains of reasoning, one file a family; pure functions of a chain."""
