"""The jax backend's functions of the random room. See `core.backend.protocol`."""
