"""The networks that families of pretrained models are cases of."""
