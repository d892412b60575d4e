"""The numpy backend's functions of the nn room. See `core.backend.protocol`."""
