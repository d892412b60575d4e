"""Ops of the convert family."""
