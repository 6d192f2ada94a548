"""Worlds to act in, each with an exact verdict at every step, a solver, and errors that can be planted."""
