"""Text out of a growing row of tokens, in pieces that are final."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_UNFINISHED = "\ufffd"  # what a decoder gives for the first bytes of a character whose others are yet to come


class Pieces:
    """Turns a growing row of token ids into pieces of text whose sum is the text of the row.

    A character whose bytes are spread over several tokens comes whole, with the piece of its last token.

    Args:
        decode: the text of token ids.
        prompt: ids whose text is not given out.

    >>> pieces = Pieces(lambda ids: bytes(ids).decode(errors="replace"), [])
    >>> [pieces.upto([104]), pieces.upto([104, 195]), pieces.upto([104, 195, 164])]
    ['h', '', 'ä']
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], prompt: Sequence[int]):
        self.decode, self.given = decode, decode(prompt) if len(prompt) else ""

    def upto(self, ids: Sequence[int], last: bool = False) -> str:
        """The text of `ids` that was not given out yet; `last` gives out unfinished characters too."""
        text = self.decode(ids)
        if not last:
            text = text.rstrip(_UNFINISHED)
        if not text.startswith(self.given):  # a decoder that changes earlier text, say the space before a point
            return "" if not last else text[len(self.given) :]
        piece, self.given = text[len(self.given) :], text
        return piece
