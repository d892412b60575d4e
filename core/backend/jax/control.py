"""The jax backend's functions of the control room. See `core.backend.protocol`."""
