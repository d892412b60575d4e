"""Hornbeam's auto: AutoML for tables, text and images, on `core`, `tuner` and `hub`."""
