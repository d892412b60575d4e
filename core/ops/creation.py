"""Ops of the creation family."""
