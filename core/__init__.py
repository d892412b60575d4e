"""Hornbeam's core: multi-backend deep learning."""
