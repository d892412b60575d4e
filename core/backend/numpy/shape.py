"""The numpy backend's functions of the shape room. See `core.backend.protocol`."""
