"""`get_file`: a file from the network, checked and kept."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings

from core.base.errors import CorruptArtifactError
from core.saving.atomic import replacing
from core.training.progress import Progbar, print_msg
from core.utils.archives import archive_kind, safe_components, unpack

TIMEOUT = 60  # seconds without any data
BLOCK = 1 << 18


def cache_home() -> str:
    """The directory of downloaded files: the environment's `CORE_HOME`, else `KERAS_HOME`, else `~/.core`."""
    return os.environ.get("CORE_HOME") or os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".core")


def hash_file(path: str, algorithm: str = "sha256") -> str:
    """The hexadecimal digest of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _algorithm(hash_algorithm: str, file_hash: str) -> str:
    if hash_algorithm not in ("auto", "sha256", "md5"):
        raise ValueError(f"hash_algorithm must be 'auto', 'sha256' or 'md5', got {hash_algorithm!r}.")
    if hash_algorithm == "auto":
        return "sha256" if len(file_hash) == 64 else "md5"
    return hash_algorithm


def get_file(fname=None, origin=None, untar=False, md5_hash=None, file_hash=None, cache_subdir="datasets", hash_algorithm="auto",
             extract=False, archive_format="auto", cache_dir=None, force_download=False) -> str:  # fmt: skip
    """The path of a file that is downloaded once, or of the directory it was unpacked into.

    The download goes to a temporary file, is checked, and appears under its name only then. A file that is there already is used if its
    checksum is right (or none is given).

    Args:
        fname: name in the cache, without directories; by default the last part of `origin`.
        origin: an http, https or file URL.
        file_hash: the expected checksum; 64 digits are taken for SHA-256, 32 for MD5.
        cache_subdir, cache_dir: the file goes to `cache_dir/cache_subdir`; `cache_dir` is `CORE_HOME`, `KERAS_HOME` or `~/.core` where it
            is None.
        extract: whether to unpack a tar or zip archive, to `fname` without its ending plus `_extracted`; that path is returned.
        archive_format: `"auto"`, `"tar"`, `"zip"`, a list of these, or None for no unpacking.
        untar: an older form of `extract`, for `fname + ".tar.gz"`, unpacked to `fname`.
        md5_hash: an older name of `file_hash`.
        force_download: whether to download again what is there.

    Raises:
        CorruptArtifactError: the checksum is wrong, or the archive is broken.
        UnsafeArtifactError: the archive holds links, special files, or names that lead elsewhere.
        ConnectionError: the file cannot be reached.
    """
    if origin is None:
        raise ValueError("get_file needs origin, the URL of the file.")
    url = urllib.parse.urlsplit(origin)
    if url.scheme not in ("http", "https", "file"):
        raise ValueError(f"origin must be an http, https or file URL, got {origin!r}.")
    fname = os.fspath(fname) if fname else os.path.basename(urllib.parse.unquote(url.path))
    if not fname:
        raise ValueError(f"No file name can be taken from {origin!r}; give fname.")
    if len(safe_components(fname)) != 1:
        raise ValueError(f"fname must be one name without directories, got {fname!r}; say where with cache_dir and cache_subdir.")
    if untar and not fname.endswith(".tar.gz"):
        fname += ".tar.gz"
    file_hash = file_hash or md5_hash
    directory = os.path.join(os.fspath(cache_dir) if cache_dir is not None else cache_home(), cache_subdir)
    path = os.path.join(directory, fname)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fresh = force_download or not os.path.isfile(path) or not _is_right(path, file_hash, hash_algorithm)
    if fresh:
        _download(origin, path, file_hash, hash_algorithm)
    if not (extract or untar) or archive_format is None:
        return path
    kinds = ("tar", "zip") if archive_format == "auto" else (archive_format,) if isinstance(archive_format, str) else tuple(archive_format)
    if not set(kinds) <= {"tar", "zip"}:
        raise ValueError(f"archive_format must be 'auto', 'tar', 'zip', a list of these, or None; got {archive_format!r}.")
    found = archive_kind(path)
    if found not in kinds:
        raise CorruptArtifactError(f"{path!r} is {'no archive' if found is None else f'a {found} archive'}, expected {' or '.join(kinds)}.")
    target = os.path.join(directory, _stem(fname) + ("" if untar else "_extracted"))
    return unpack(path, target, found) if fresh or not os.path.isdir(target) else target


def _stem(fname: str) -> str:
    """A file name without the ending of an archive."""
    for ending in (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tar", ".zip"):
        if fname.endswith(ending) and fname != ending:
            return fname.removesuffix(ending)
    return os.path.splitext(fname)[0]


def _is_right(path: str, file_hash: str | None, hash_algorithm: str) -> bool:
    if file_hash is None or hash_file(path, _algorithm(hash_algorithm, file_hash)) == file_hash.lower():
        return True
    warnings.warn(f"The cached file {path!r} has another checksum than the expected {file_hash}; it is downloaded again.", stacklevel=3)
    return False


def _download(origin: str, path: str, file_hash: str | None, hash_algorithm: str) -> None:
    print_msg(f"Downloading data from {origin}")
    with replacing(path) as temporary:
        try:
            with urllib.request.urlopen(origin, timeout=TIMEOUT) as response, open(temporary, "wb") as file:
                _copy(response, file, origin)
        except urllib.error.HTTPError as error:
            raise ConnectionError(f"{origin} answered {error.code} {error.reason}; check the URL.") from error
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            why = getattr(error, "reason", error)
            raise ConnectionError(
                f"{origin} cannot be reached: {why}. Without a network, put the file at {path!r} by hand; it is then used as it is."
            ) from error
        if file_hash is not None:
            algorithm = _algorithm(hash_algorithm, file_hash)
            found = hash_file(str(temporary), algorithm)
            if found != file_hash.lower():
                raise CorruptArtifactError(f"The {algorithm} of what {origin} sent is {found}, expected {file_hash}. It was not kept.")


def _copy(response, file, origin: str) -> None:
    declared = response.headers.get("Content-Length") if response.headers else None
    total = int(declared) if declared and declared.isdigit() else None
    bar = Progbar(total, unit_name="byte")
    seen = 0
    while block := response.read(BLOCK):
        file.write(block)
        seen += len(block)
        bar.update(seen, finalize=False)
    if total is not None and seen != total:
        raise http.client.IncompleteRead(b"", total - seen)
    bar.update(seen, finalize=True)
