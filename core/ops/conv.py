"""Ops of the conv family."""
