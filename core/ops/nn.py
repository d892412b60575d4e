"""Ops of the nn family."""
