"""Ops of the shape family."""
