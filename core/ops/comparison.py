"""Ops of the comparison family."""
