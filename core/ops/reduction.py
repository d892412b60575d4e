"""Ops of the reduction family."""
