"""Archives from elsewhere, unpacked without trusting them.

Only regular files and directories are made, under names that are plain components, in a fresh directory that holds no link; one bad member
refuses the whole archive before anything is written. `extractall` and its filters are not used.
"""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from core.base.errors import CorruptArtifactError, ResourceLimitError, UnsafeArtifactError

MAX_MEMBERS = 2_000_000
MAX_BYTES = 1 << 38  # 256 GiB unpacked
MAX_DEPTH = 64
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


def archive_kind(path: str) -> str | None:
    """`"zip"`, `"tar"`, or None where the file is neither."""
    if zipfile.is_zipfile(path):
        return "zip"
    try:
        return "tar" if tarfile.is_tarfile(path) else None
    except (*_BROKEN, OSError):
        return None


def safe_components(name: str) -> tuple[str, ...]:
    """The components of a member's name.

    Raises:
        UnsafeArtifactError: the name is absolute, leads upwards, or holds what some system takes for a separator, a drive or an end.
    """
    parts = [part for part in name.removesuffix("/").split("/") if part != "."]
    bad = (
        not parts
        or name.startswith("/")
        or any(part in ("", "..") or len(part.encode()) > 255 or part != part.rstrip(". ") for part in parts)
    )
    if bad or any(ord(char) < 32 or char in '\\:*?"<>|' for char in name):
        raise UnsafeArtifactError(f"The archive holds a member named {name[:80]!r}, which is no plain relative path; nothing was unpacked.")
    if len(parts) > MAX_DEPTH:
        raise ResourceLimitError(f"The archive nests deeper than {MAX_DEPTH} directories; nothing was unpacked.")
    return tuple(parts)


def _tar_members(archive: tarfile.TarFile) -> Iterator[tuple[str, bool, int, Any]]:
    for member in archive:
        if member.name in (".", "./") and member.isdir():
            continue
        if not (member.isdir() or member.isreg()) or member.issparse():
            raise UnsafeArtifactError(f"The archive holds {member.name[:80]!r}, which is a link or a special file; nothing was unpacked.")
        yield member.name, member.isdir(), member.size, member


def _zip_members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bool, int, Any]]:
    for member in archive.infolist():
        mode = member.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UnsafeArtifactError(
                f"The archive holds {member.filename[:80]!r}, which is a link or a special file; nothing was unpacked."
            )
        if member.flag_bits & 1:
            raise UnsafeArtifactError(f"The archive's member {member.filename[:80]!r} is encrypted; nothing was unpacked.")
        yield member.filename, member.is_dir(), member.file_size, member


def unpack(path: str, target: str, kind: str | None = None) -> str:
    """Unpacks the archive `path` into the new directory `target` and returns that; `target` appears only when all is well.

    Raises:
        UnsafeArtifactError: a member is a link, a special file, or named so that it could land elsewhere.
        ResourceLimitError: too many members or bytes.
        CorruptArtifactError: the file is no archive, or a broken one.
    """
    kind = kind or archive_kind(path)
    if kind not in ("tar", "zip"):
        raise CorruptArtifactError(f"{path!r} is neither a tar nor a zip archive.")
    parent = os.path.dirname(os.path.abspath(target))
    os.makedirs(parent, exist_ok=True)
    fresh = tempfile.mkdtemp(prefix=".unpacking-", dir=parent)
    try:
        with tarfile.open(path) if kind == "tar" else zipfile.ZipFile(path) as archive:  # type: ignore[union-attr]
            members = _checked(_tar_members(archive) if kind == "tar" else _zip_members(archive))  # type: ignore[arg-type]
            for parts, is_dir, size, member in members:
                _write(archive, fresh, parts, is_dir, size, member)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(fresh, 0o777 & ~umask)
        if os.path.isdir(target):
            shutil.rmtree(target)
        os.replace(fresh, target)
    except _BROKEN as error:
        raise CorruptArtifactError(f"The archive {path!r} is broken: {error}. Download it again.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _checked(members: Iterator[tuple[str, bool, int, Any]]) -> list[tuple[tuple[str, ...], bool, int, Any]]:
    """All members, each looked at before the first is written."""
    found: list[tuple[tuple[str, ...], bool, int, Any]] = []
    seen, total = set(), 0
    for name, is_dir, size, member in members:
        parts = safe_components(name)
        total += size
        if size < 0 or total > MAX_BYTES or len(found) >= MAX_MEMBERS:
            raise ResourceLimitError(f"The archive declares more than {MAX_MEMBERS} members or {MAX_BYTES} bytes; nothing was unpacked.")
        if not is_dir and parts in seen:
            raise UnsafeArtifactError(f"The archive holds {name[:80]!r} twice; nothing was unpacked.")
        seen.add(parts)
        found.append((parts, is_dir, size, member))
    return found


def _write(archive: Any, fresh: str, parts: tuple[str, ...], is_dir: bool, size: int, member: Any) -> None:
    path = os.path.join(fresh, *parts)
    try:
        os.makedirs(path if is_dir else os.path.dirname(path), exist_ok=True)
        if is_dir:
            return
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except (FileExistsError, NotADirectoryError) as error:
        raise UnsafeArtifactError(
            f"Two members of the archive are in each other's way at {'/'.join(parts)[:80]!r}; nothing was unpacked."
        ) from error
    with (
        os.fdopen(descriptor, "wb") as out,
        archive.extractfile(member) if hasattr(archive, "extractfile") else archive.open(member) as data,
    ):
        _copy(data, out, size, "/".join(parts))


def _copy(data: IO[bytes], out: IO[bytes], size: int, name: str) -> None:
    left = size
    while block := data.read(1 << 20):
        left -= len(block)
        if left < 0:
            raise ResourceLimitError(f"The archive's member {name[:80]!r} holds more than the {size} bytes that it declares.")
        out.write(block)
    if left:
        raise CorruptArtifactError(f"The archive's member {name[:80]!r} ends {left} bytes early; download it again.")
