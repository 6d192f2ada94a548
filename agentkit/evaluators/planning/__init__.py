"""Judging plans: exactly, where a domain says what is possible."""
