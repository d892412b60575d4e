"""Ops of the elementwise family."""
