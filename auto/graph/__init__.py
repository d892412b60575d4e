"""Models described by their inputs and outputs."""
