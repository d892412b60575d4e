"""Ops of the image family."""
