"""Raises what a user must not see."""

raise RuntimeError("private detail")
