"""Hornbeam's hub: pretrained models, tokenizers and generation, on `core`."""
