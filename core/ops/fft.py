"""Ops of the fft family."""
