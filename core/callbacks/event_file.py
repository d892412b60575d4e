"""TensorBoard's event files, written without TensorBoard or TensorFlow.

A file is a row of records (length, its checksum, data, its checksum); a record is one `Event` protocol buffer. Field numbers are those of
the published event.proto and summary.proto; checksums are masked CRC-32C (RFC 3720).
"""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from typing import Any

import numpy as np


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def masked_crc32c(data: bytes) -> int:
    """The checksum of a record, rotated and shifted so that it differs from the data's own.

    >>> hex(masked_crc32c(b"123456789"))  # CRC-32C 0xe3069283
    '0xc78ab0e5'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: Any, kind: str) -> bytes:
    """One field; kinds: "int", "double", "float", "bytes" (also strings and messages)."""
    if kind == "bytes":
        value = value.encode() if isinstance(value, str) else value
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    wire, packed = {"int": (0, None), "double": (1, "<d"), "float": (5, "<f")}[kind]
    return _varint(number << 3 | wire) + (_varint(int(value)) if packed is None else struct.pack(packed, value))


def _plugin(name: str) -> bytes:
    return _field(9, _field(1, _field(1, name, "bytes"), "bytes"), "bytes")


def scalar(tag: str, value: float) -> bytes:
    """A summary value: one number."""
    return _field(1, tag, "bytes") + _field(2, float(value), "float")


def text(tag: str, value: str) -> bytes:
    """A summary value: a text, as a string tensor."""
    tensor = _field(1, 7, "int") + _field(2, b"", "bytes") + _field(8, value, "bytes")
    return _field(1, tag, "bytes") + _plugin("text") + _field(8, tensor, "bytes")


def histogram(tag: str, values: np.ndarray, bins: int = 30) -> bytes:
    """A summary value: how the finite numbers among `values` are distributed."""
    values = np.asarray(values, np.float64).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        values = np.zeros(1)
    counts, edges = np.histogram(values, bins)
    body = b"".join(
        _field(i + 1, v, "double") for i, v in enumerate((values.min(), values.max(), values.size, values.sum(), (values**2).sum()))
    )
    body += _field(6, edges[1:].astype("<f8").tobytes(), "bytes") + _field(7, counts.astype("<f8").tobytes(), "bytes")
    return _field(1, tag, "bytes") + _field(5, body, "bytes")


def image(tag: str, pixels: np.ndarray) -> bytes:
    """A summary value: a grey image (height, width), scaled to its own range."""
    pixels = np.asarray(pixels, np.float64)
    span = np.ptp(pixels) or 1.0
    grey = np.round((pixels - pixels.min()) / span * 255).astype(np.uint8)
    body = _field(1, grey.shape[0], "int") + _field(2, grey.shape[1], "int") + _field(3, 1, "int") + _field(4, png(grey), "bytes")
    return _field(1, tag, "bytes") + _field(4, body, "bytes")


def png(grey: np.ndarray) -> bytes:
    """A grey 8-bit image (height, width) as a PNG file's bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    header = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class EventFile:
    """An event file in `directory`, made with its first record."""

    count = 0

    def __init__(self, directory: str):
        os.makedirs(directory, exist_ok=True)
        EventFile.count += 1
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{EventFile.count}"
        self.path = os.path.join(directory, name)
        self._file = open(self.path, "ab")  # closed in close()
        self._record(_field(1, time.time(), "double") + _field(3, "brain.Event:2", "bytes"))

    def write(self, step: int, *values: bytes) -> None:
        """Adds summary values of one step."""
        summary = b"".join(_field(1, value, "bytes") for value in values)
        self._record(_field(1, time.time(), "double") + _field(2, step, "int") + _field(5, summary, "bytes"))

    def _record(self, data: bytes) -> None:
        length = struct.pack("<Q", len(data))
        self._file.write(length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data)))

    def flush(self) -> None:
        """Makes what was written readable."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        self._file.close()
