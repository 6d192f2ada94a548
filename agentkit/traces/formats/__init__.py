"""Readers of logs, one file a family of formats: each knows its own and makes drafts of traces."""
