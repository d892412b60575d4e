"""Adapters between core models and each framework's own objects: `core.interop.torch`, `core.interop.jax`, `core.interop.tensorflow`."""
