"""Safetensors files: a strict reader that trusts nothing in the header, and a writer that streams.

The format (https://github.com/huggingface/safetensors): eight bytes with the length of the header, the header as JSON
(name -> dtype, shape, offsets), then the tensors' bytes. Here the header is checked as a whole before a tensor is read: no name
twice, sizes that follow from shape and dtype, no gaps, no overlaps, nothing after the last tensor.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from core.saving import CorruptArtifactError, ResourceLimitError, UnsafeArtifactError

MAX_HEADER = 100_000_000
MAX_TENSORS = 100_000
MAX_NAME = 512
MAX_RANK = 16

DTYPES: dict[str, np.dtype] = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn), "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "I64": np.dtype("<i8"), "I32": np.dtype("<i4"), "I16": np.dtype("<i2"), "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"), "U32": np.dtype("<u4"), "U16": np.dtype("<u2"), "U8": np.dtype("u1"), "BOOL": np.dtype("?"),
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor stands in a file, and what it is."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class SafetensorsFile:
    """An open file. `tensors` maps names to `TensorInfo`; `read(name)` is the array.

    Raises:
        UnsafeArtifactError: no regular file.
        CorruptArtifactError: a header that breaks the format, or does not fit the file.
        ResourceLimitError: more header bytes, tensors, or dimensions than the limits allow.

    >>> with SafetensorsFile("model.safetensors") as file:  # doctest: +SKIP
    ...     file.read("embeddings.weight")
    """

    def __init__(self, path: str | os.PathLike):
        self.path = pathlib.Path(path)
        self._descriptor = _open_regular(self.path)
        try:
            self.tensors, self.metadata, self._begin = self._header()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> SafetensorsFile:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; it may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read(self, name: str) -> np.ndarray:
        """The tensor, in its own dtype, in memory of its own."""
        info = self.tensors[name]
        buffer = np.empty(info.stop - info.start, np.uint8)
        self._fill(buffer, self._begin + info.start, f"tensor {name!r}")
        return buffer.view(DTYPES[info.dtype]).reshape(info.shape)

    def _fill(self, buffer: np.ndarray, offset: int, what: str) -> None:
        view, done = memoryview(buffer), 0  # type: ignore[arg-type]
        while done < len(view):
            count = os.preadv(self._descriptor, [view[done:]], offset + done)
            if count == 0:
                raise CorruptArtifactError(f"{self.path.name} ends within {what}.")
            done += count

    def _header(self) -> tuple[dict[str, TensorInfo], dict[str, str], int]:
        size = os.fstat(self._descriptor).st_size
        if size < 8:
            raise CorruptArtifactError(f"{self.path.name} has {size} bytes, too few for a safetensors file.")
        prefix = np.empty(8, np.uint8)
        self._fill(prefix, 0, "the length of its header")
        length = int(prefix.view("<u8")[0])
        if length > MAX_HEADER:
            raise ResourceLimitError(f"{self.path.name} declares a header of {length} bytes; at most {MAX_HEADER} are read.")
        if length > size - 8:
            raise CorruptArtifactError(f"{self.path.name} declares a header of {length} bytes, and has {size - 8} after its length.")
        raw = np.empty(length, np.uint8)
        self._fill(raw, 8, "its header")
        header = parse_json(raw.tobytes(), f"The header of {self.path.name}")
        if raw[:1].tobytes() != b"{" or not isinstance(header, dict):
            raise CorruptArtifactError(f"The header of {self.path.name} is no JSON object.")
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
            raise CorruptArtifactError(f"The metadata of {self.path.name} must map strings to strings.")
        if len(header) > MAX_TENSORS:
            raise ResourceLimitError(f"{self.path.name} declares {len(header)} tensors; at most {MAX_TENSORS} are read.")
        tensors = {name: self._info(name, entry) for name, entry in header.items()}
        self._check_extents(tensors, size - 8 - length)
        return tensors, metadata, 8 + length

    def _info(self, name: str, entry: Any) -> TensorInfo:
        where = f"Tensor {name[:80]!r} of {self.path.name}"
        if len(name) > MAX_NAME:
            raise ResourceLimitError(f"{where} has a name of {len(name)} characters; at most {MAX_NAME} are read.")
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise CorruptArtifactError(f"{where} must be described by dtype, shape and data_offsets.")
        if not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPES:
            raise CorruptArtifactError(f"{where} has the dtype {entry['dtype']!r}; known are {', '.join(DTYPES)}.")
        shape, offsets = entry["shape"], entry["data_offsets"]
        if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
            raise CorruptArtifactError(f"{where} has the shape {shape!r} and the offsets {offsets!r}; both must be lists of sizes.")
        if len(shape) > MAX_RANK:
            raise ResourceLimitError(f"{where} has {len(shape)} dimensions; at most {MAX_RANK} are read.")
        start, stop = offsets
        wanted = math.prod(shape) * DTYPES[entry["dtype"]].itemsize
        if stop - start != wanted:
            raise CorruptArtifactError(f"{where} takes {stop - start} bytes; its shape {tuple(shape)} and {entry['dtype']} need {wanted}.")
        return TensorInfo(entry["dtype"], tuple(shape), start, stop)

    def _check_extents(self, tensors: dict[str, TensorInfo], size: int) -> None:
        """The tensors must cover the data exactly, in some order."""
        at = 0
        for info in sorted(tensors.values(), key=lambda info: (info.start, info.stop)):
            if info.start != at:
                raise CorruptArtifactError(f"The tensors of {self.path.name} overlap or leave a gap at byte {min(at, info.start)}.")
            at = info.stop
        if at != size:
            raise CorruptArtifactError(f"{self.path.name} has {size} bytes of tensors, and describes {at}: it is truncated or altered.")


def write_safetensors(
    path: str | os.PathLike, tensors: Iterable[tuple[str, tuple[int, ...], np.dtype, Callable[[], np.ndarray]]], metadata: dict[str, str]
) -> None:
    """Writes tensors, given as `(name, shape, dtype, function that returns the array)`, one after the other.

    No more than one array is in memory at a time. The caller takes care that `path` is replaced atomically.
    """
    rows, header, at = sorted(tensors, key=lambda row: row[0]), {}, 0
    for name, shape, dtype, _ in rows:
        stop = at + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _NAMES[dtype], "shape": list(shape), "data_offsets": [at, stop]}
        at = stop
    text = json.dumps({"__metadata__": metadata, **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight
    with pathlib.Path(path).open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape, dtype, value in rows:
            array = np.ascontiguousarray(value(), dtype)
            if array.shape != tuple(shape) and array.size != math.prod(shape):
                raise ValueError(f"{name!r} was announced with shape {shape}, and has {array.shape}.")
            file.write(array.reshape(-1).view(np.uint8).data)


def parse_json(text: bytes, what: str) -> Any:
    """JSON without duplicate keys, NaN or infinities; anything else is a `CorruptArtifactError` that names `what`."""

    def pairs(found: list[tuple[str, Any]]) -> dict:
        if len(result := dict(found)) != len(found):
            names = [name for name, _ in found]
            raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands there twice")
        return result

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise CorruptArtifactError(f"{what} cannot be read: {str(error)[:200]}.") from None


def _naturals(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**63 for v in values)


def _open_regular(path: pathlib.Path) -> int:
    """A descriptor of a regular file. Links, pipes and devices are refused without being waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafeArtifactError(f"{path.name} cannot be opened as a regular file: {error.strerror}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnsafeArtifactError(f"{path.name} is no regular file.")
    return descriptor


def read_file(path: pathlib.Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes."""
    descriptor = _open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        if (size := os.fstat(file.fileno()).st_size) > limit:
            raise ResourceLimitError(f"{path.name} has {size} bytes; at most {limit} are read.")
        return file.read(limit)
