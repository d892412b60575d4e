"""Ops of the control family."""
