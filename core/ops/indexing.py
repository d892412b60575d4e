"""Ops of the indexing family."""
