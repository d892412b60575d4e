"""`Generates`: what a language model needs on top of its logits to write text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from core import ops
from hub import samplers
from hub.generation.alignment import Aligned
from hub.generation.decoding import Decoding
from hub.generation.pieces import Pieces

_KEPT = 8  # compiled generations of samplers that were given to `generate`


class Generates:
    """A mixin for tasks that write token by token; it adds `generate`, and the argument `sampler` of `compile`.

    The task is a `core.Model` with a `backbone` (a decoder that has `make_cache`, `call_with_cache` and `logits`) and a `preprocessor`,
    which may be None.
    """

    token_key = "token_ids"
    mask_key = "padding_mask"
    sampler: Any = None
    backend: Any
    backbone: Any
    preprocessor: Any

    def compile(self, *args: Any, sampler: Any = "top_k", **kwargs: Any) -> None:
        """As `core.Model.compile`, and sets the sampler of `generate`: a name or a `hub.samplers.Sampler`.

        >>> model.compile(sampler="greedy")
        """
        chosen = samplers.get(sampler)
        super().compile(*args, **kwargs)  # type: ignore[misc]
        self.sampler = chosen
        self.generate_function = None

    def generate(
        self,
        inputs: Any,
        max_length: int | None = None,
        stop_token_ids: Any = "auto",
        strip_prompt: bool = False,
        *,
        sampler: Any = None,
        num_return_sequences: int = 1,
        stream: bool = False,
    ) -> Any:
        """The prompts `inputs` and what follows, in the form of `inputs`: a string for a string, a list for a list, arrays for arrays.

        Prompts of different lengths may stand in one call; each is continued as if it stood alone. The first call with a batch size and
        a class of lengths compiles (see `compile_report()["generate"]`), later ones run.

        Args:
            inputs: a string or a list of strings; a dict of token arrays `{"token_ids", "padding_mask"}`, (batch, length), whose padding
                is filled; a list of lists of token ids; an iterable of such batches, like a `tf.data.Dataset`, for a list of all outputs.
            max_length: of prompt and new tokens together. By default the `sequence_length` of the preprocessor, or the length of the
                arrays.
            stop_token_ids: a row ends after one of these ids. "auto" takes those of the tokenizer, None none.
            strip_prompt: whether only what is new is returned.
            sampler: a name or a sampler, for this call; by default the one of `compile`.
            num_return_sequences: how many continuations of each prompt: drawn anew, or the best beams. More than one makes the output
                a list with `num_return_sequences` entries for each prompt, in order.
            stream: returns an iterator of new text instead, piece by piece (lists of pieces, one for each prompt, where `inputs` is a
                list); their sum is the text, and no piece ends within a character.

        Raises:
            ValueError: an empty prompt, or one that leaves no room below `max_length` or the positions that the model knows.
        """
        if _is_dataset(inputs):
            arguments = (max_length, stop_token_ids, strip_prompt)
            parts = [self.generate(batch, *arguments, sampler=sampler, num_return_sequences=num_return_sequences) for batch in inputs]
            return _joined(parts)
        stops = self._stops(stop_token_ids)
        arrays, restore = self._prepared(inputs, max_length)
        decoding = self._decoding(sampler)
        if stream:
            if self.preprocessor is None or num_return_sequences != 1:
                raise ValueError("stream=True gives text: it needs a preprocessor, and num_return_sequences=1.")
            single = isinstance(inputs, str) or _is_single_dict(inputs)
            return self._streamed(decoding, arrays, stops, single)
        before = np.asarray(arrays[self.mask_key]).sum(1)
        outputs = self.generate_step(arrays, stops, sampler=sampler, num_return_sequences=num_return_sequences)
        if strip_prompt:
            outputs = self._stripped(outputs, np.repeat(before, num_return_sequences))
        if restore is not None:
            texts = restore(outputs)
            return texts[0] if (isinstance(inputs, str) or _is_single_dict(inputs)) and num_return_sequences == 1 else texts
        if isinstance(inputs, dict):
            return outputs
        ids, mask = outputs[self.token_key], outputs[self.mask_key]
        return [row[kept].tolist() for row, kept in zip(ids, mask)] if isinstance(inputs, (list, tuple)) else ids

    def generate_step(
        self, inputs: dict[str, Any], stop_token_ids: Any = None, *, sampler: Any = None, num_return_sequences: int = 1
    ) -> dict[str, np.ndarray]:
        """Fills the padding of token arrays (batch, length).

        Returns the dict with new ids, and a mask that is True up to the first new stop token, that included. Rows are the prompts in
        order, `num_return_sequences` for each.
        """
        ids, mask, others = self._split(inputs)
        decoding, stops, count = self._decoding(sampler), _as_ids(stop_token_ids), num_return_sequences
        ranked = decoding.sampler.ranked
        if count < 1 or (ranked > 1 and count > ranked):
            raise ValueError(f"num_return_sequences is from 1 to the {ranked} beams of the sampler, got {count}.")
        if ranked == 1 and count > 1:  # each is drawn by itself
            ids, mask = np.repeat(ids, count, 0), np.repeat(mask, count, 0)
            others = {name: np.repeat(value, count, 0) for name, value in others.items()}
        aligned = Aligned.of(ids, mask, bucketed=decoding.compiles)
        found = decoding.run(aligned, self.arranged(others), stops)[:, :count]
        new, kept = aligned.restore(found.reshape(-1, found.shape[-1]), stops, ids.shape[1])
        if ranked > 1 and count > 1:
            others = {name: np.repeat(value, count, 0) for name, value in others.items()}
        return {**others, self.token_key: new, self.mask_key: kept}

    # ---------------------------------------------------------------------------------------- what a step is

    def arranged(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays besides the tokens that the steps need."""
        return {}

    def start_cache(self, inputs: dict[str, Any], batch_size: int, slots: int) -> Any:
        """The empty cache, a structure of tensors whose first axis is the batch. `inputs` are the arrays besides the tokens."""
        return self.backbone.make_cache(batch_size, slots)

    def fill(self, token_ids: Any, cache: Any, positions: Any, mask: Any) -> tuple[Any, Any]:
        """`(hidden states, cache)` with `token_ids` (batch, time) in the first slots."""
        return self.backbone.call_with_cache(token_ids, cache, 0, positions, mask)

    def call_with_cache(
        self, token_ids: Any, cache: Any, cache_update_index: Any, positions: Any = None, mask: Any = None
    ) -> tuple[Any, Any, Any]:
        """Logits (batch, time, vocabulary) and hidden states (batch, time, features) of the next tokens, and the cache with them.

        Args:
            token_ids: (batch, time).
            cache: of `backbone.make_cache`, or of the last call; it must not be used afterwards.
            cache_update_index: the slot of the first token.
            positions: (batch, time); the slots where it is None.
            mask: the slots that may be seen, (batch, slots), and of those the ones up to each token; all where it is None.
        """
        batch, time = token_ids.shape
        if positions is None:
            positions = ops.broadcast_to(ops.arange(time)[None] + cache_update_index, (batch, time))
        hidden, cache = self.backbone.call_with_cache(token_ids, cache, cache_update_index, positions, mask)
        return self.backbone.logits(hidden), hidden, cache

    @property
    def most_positions(self) -> int | None:
        """The longest sequence that the model can tell the places of; None where there is no bound."""
        config = self.backbone.config
        return config.max_sequence_length if getattr(config, "positions", None) == "learned" else None

    # ---------------------------------------------------------------------------------------- compiled

    def make_generate_function(self) -> Callable:
        """The function `(inputs, stop_token_ids=None)` of token arrays that `generate` runs, with the sampler of `compile`."""
        if self.generate_function is None:
            self._decoding(None)
        return self.generate_function

    @property
    def generate_function(self) -> Any:
        """The compiled generation with the sampler of `compile`; None before its first use."""
        return self.__dict__.get("_generate_step")

    @generate_function.setter
    def generate_function(self, value: Any) -> None:
        self.__dict__["_decodings"], self.__dict__["_generate_step"] = {}, value

    def compile_report(self) -> dict[str, dict]:
        """As `core.Model.compile_report`, with an entry "generate" that counts the compilations."""
        found = self.__dict__.get("_decodings", {}).values()
        traces = sum(decoding.traces for decoding in found)
        entry = {"compiled": traces > 0, "traces": traces, "reason": None if traces else f"{self.backend.name} runs eagerly"}
        return {**super().compile_report(), **({"generate": entry} if found else {})}  # type: ignore[misc]

    # ---------------------------------------------------------------------------------------- what comes in and goes out

    def _decoding(self, sampler: Any) -> Decoding:
        """The compiled generation with a sampler, made at its first use. None stands for the one of `compile`."""
        known = self.__dict__.setdefault("_decodings", {})
        key = (sampler, self.backend)
        if key not in known:
            if len(known) >= _KEPT:
                known.pop(next(iter(known)))
            chosen = samplers.get(sampler) if sampler is not None else self.sampler or samplers.get("top_k")
            known[key] = Decoding(self, chosen, eager=bool(getattr(self, "run_eagerly", False)))
            if sampler is None:
                self.__dict__["_generate_step"] = self.generate_step
        return known[key]

    def _split(self, inputs: Any) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Token ids, their mask, and the other arrays of a dict of inputs."""
        wanted = {self.token_key, self.mask_key}
        if not isinstance(inputs, dict) or not wanted <= inputs.keys():
            raise ValueError(f"generate expects token arrays in a dict with {sorted(wanted)}, got {_described(inputs)}.")
        arrays = {name: np.asarray(value) for name, value in inputs.items()}
        ids, mask = arrays.pop(self.token_key), arrays.pop(self.mask_key)
        if ids.ndim != 2 or ids.shape != mask.shape:
            raise ValueError(f"generate expects ids and mask as (batch, length) both, got the shapes {ids.shape} and {mask.shape}.")
        return ids, mask, arrays

    def _prepared(self, inputs: Any, max_length: int | None) -> tuple[dict[str, Any], Callable | None]:
        """Token arrays padded to `max_length`, and what makes texts of the outputs (None where ids came in)."""
        known = self.most_positions
        texts = _texts(inputs)
        if texts is None or self.preprocessor is None:
            return self._padded(inputs, max_length, known), None
        length = self.preprocessor.sequence_length if max_length is None else max_length
        if max_length is None and known is not None and length is not None:
            length = min(length, known)
        _check_length(length, known)
        arrays = self.preprocessor.generate_preprocess(texts, sequence_length=length)
        for row, kept in enumerate(np.asarray(arrays[self.mask_key])):
            if kept.all():
                raise ValueError(
                    f"Prompt {row} has {length} tokens or more, which leaves no room below max_length={length}: shorten it, or give a "
                    f"larger max_length{'' if known is None else f' (the model knows {known} positions)'}."
                )
        return arrays, lambda outputs: list(self.preprocessor.generate_postprocess(outputs))

    def _padded(self, inputs: Any, max_length: int | None, known: int | None) -> dict[str, Any]:
        """Token arrays out of a dict of them, an array, or a list of lists of ids, with room up to `max_length`."""
        if isinstance(inputs, dict):
            ids, mask, others = self._split(inputs)
        else:
            listed = isinstance(inputs, (list, tuple)) or hasattr(inputs, "__array__")
            rows = [np.asarray(row, "int32" if np.shape(row) == (0,) else None) for row in inputs] if listed else []
            if not rows or any(row.ndim != 1 or row.dtype.kind not in "iu" for row in rows):
                raise ValueError(
                    f"generate expects strings{' (this model has no preprocessor for them)' if self.preprocessor is None else ''}, "
                    f"a dict of token arrays, or lists of token ids, got {_described(inputs)}."
                )
            width = max(len(row) for row in rows)
            ids, mask, others = np.zeros((len(rows), width), "int32"), np.zeros((len(rows), width), bool), {}
            for i, row in enumerate(rows):
                ids[i, : len(row)], mask[i, : len(row)] = row, True
            max_length = getattr(self.preprocessor, "sequence_length", None) if max_length is None else max_length
        length = ids.shape[1] if max_length is None else max_length
        _check_length(length, known)
        longest = int(mask.astype(bool).sum(1).max()) if len(ids) else 0
        if longest > length:
            raise ValueError(f"A prompt has {longest} tokens, more than max_length={length}.")
        ids, mask = _compact(ids, mask.astype(bool), length)
        return {**others, self.token_key: ids, self.mask_key: mask}

    def _stops(self, stop_token_ids: Any) -> np.ndarray:
        """The ids of stop tokens; those of the tokenizer for "auto"."""
        if not isinstance(stop_token_ids, str):
            return _as_ids(stop_token_ids)
        if stop_token_ids != "auto":
            raise ValueError(f"stop_token_ids is 'auto', None, or a sequence of ids, got {stop_token_ids!r}.")
        if self.preprocessor is None:
            raise ValueError(
                'stop_token_ids="auto" takes the stop tokens of the tokenizer, but `preprocessor` is None: give the ids, or None to go on '
                "until max_length."
            )
        tokenizer = self.preprocessor.tokenizer
        named = [getattr(tokenizer, name, None) for name in ("end_token_id", "end_token2_id")]
        found = [*named, *(getattr(tokenizer, "stop_token_ids", None) or ())]
        return _as_ids(dict.fromkeys(int(token) for token in found if token is not None))

    def decoded(self, ids: Any) -> str:
        """The text of token ids, without special tokens."""
        row = np.asarray(ids, "int32")[None]
        return list(self.preprocessor.generate_postprocess({self.token_key: row, self.mask_key: np.ones(row.shape, bool)}))[0]

    def _stripped(self, outputs: dict[str, Any], before: np.ndarray) -> dict[str, Any]:
        """Outputs without the first `before` tokens of each row."""
        ids, mask = outputs[self.token_key], outputs[self.mask_key].copy()
        for row, count in enumerate(before):
            mask[row, :count] = False
        ids, mask = _compact(ids, mask, ids.shape[1])
        return {**outputs, self.token_key: ids, self.mask_key: mask}

    def _streamed(self, decoding: Decoding, arrays: dict[str, Any], stops: np.ndarray, single: bool) -> Iterator[Any]:
        """The pieces of text of all rows, step by step."""
        ids, mask, others = self._split(arrays)
        aligned, mask = Aligned.of(ids, mask, bucketed=decoding.compiles), mask.astype(bool)

        pieces = [Pieces(self.decoded, row[kept]) for row, kept in zip(ids, mask)]
        open_rows = [bool(limit > aligned.start) for limit in aligned.limits]
        steps = decoding.stream(aligned, self.arranged(others), stops)

        def parts() -> Iterator[Any]:
            for column, tokens in steps:
                new = []
                for row, piece in enumerate(pieces):
                    text = ""
                    if open_rows[row]:
                        open_rows[row] = column < aligned.limits[row] and tokens[row, column - 1] not in stops
                        text = piece.upto(tokens[row, aligned.pads[row] : column].tolist(), last=not open_rows[row])
                    new.append(text)
                if any(new):
                    yield new[0] if single else new

        return parts()


def _as_ids(stop_token_ids: Any) -> np.ndarray:
    ids = np.array([] if stop_token_ids is None else list(np.atleast_1d(np.asarray(list(stop_token_ids)))), "int32")
    return ids.reshape(-1)


def _compact(ids: np.ndarray, mask: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The tokens under the mask at the front of rows of `length`."""
    new, kept = np.zeros((len(ids), length), "int32"), np.zeros((len(ids), length), bool)
    for row, (tokens, chosen) in enumerate(zip(ids, mask)):
        count = int(chosen.sum())
        new[row, :count], kept[row, :count] = tokens[chosen], True
    return new, kept


def _check_length(length: int | None, known: int | None) -> None:
    if length is None or length < 1:
        raise ValueError(f"generate needs a positive max_length (or a preprocessor with a sequence_length), got {length}.")
    if known is not None and length > known:
        raise ValueError(f"max_length={length} is more than the {known} positions that the model knows.")


def _texts(inputs: Any) -> Any:
    """Strings among the inputs as a list, or as a dict of lists; None where there are none."""
    if isinstance(inputs, (str, bytes)):
        return [inputs]
    if isinstance(inputs, dict):
        lists = {name: [value] if isinstance(value, (str, bytes)) else value for name, value in inputs.items()}
        return lists if all(_is_text_list(value) for value in lists.values()) else None
    return list(inputs) if _is_text_list(inputs) else None


def _is_text_list(value: Any) -> bool:
    if hasattr(value, "dtype"):
        return getattr(value, "ndim", 0) == 1 and np.asarray(value).dtype.kind in "USO"
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(item, (str, bytes)) for item in value)


def _is_single_dict(inputs: Any) -> bool:
    return isinstance(inputs, dict) and any(isinstance(value, str) for value in inputs.values())


def _is_dataset(inputs: Any) -> bool:
    return hasattr(inputs, "as_numpy_iterator") or isinstance(inputs, Iterator)


def _joined(parts: list) -> Any:
    """Outputs of batches as one."""
    if parts and isinstance(parts[0], dict):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if parts and isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return [item for part in parts for item in (part if isinstance(part, list) else [part])]


def _described(inputs: Any) -> str:
    return f"a dict with {sorted(inputs)}" if isinstance(inputs, dict) else f"{type(inputs).__name__} {str(inputs)[:60]!r}"
