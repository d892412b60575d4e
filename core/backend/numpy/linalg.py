"""The numpy backend's functions of the linalg room. See `core.backend.protocol`."""
