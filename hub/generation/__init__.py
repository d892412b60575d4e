"""Generation: the loop that writes tokens with a cache, compiled once per class of lengths."""

from hub.generation.alignment import Aligned, bucket
from hub.generation.decoding import Decoding
from hub.generation.from_encoder import GeneratesFromEncoder
from hub.generation.generates import Generates
from hub.generation.pieces import Pieces

__all__ = ["Aligned", "Decoding", "Generates", "GeneratesFromEncoder", "Pieces", "bucket"]
