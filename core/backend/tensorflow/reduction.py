"""The tensorflow backend's functions of the reduction room. See `core.backend.protocol`."""
