"""A hub on loopback: as much of the Hugging Face hub's HTTP interface as downloads use, with a log of what was asked for."""

import contextlib
import hashlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field

_REPOSITORY = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)(/(?P<what>revision|tree)/(?P<revision>[^/]+))?")
_FILE = re.compile(r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@dataclass
class Hub:
    """Repositories, what happened, and what shall go wrong.

    Attributes:
        repositories: name -> revision -> path -> bytes. Every revision is a commit, named by a hash of its files.
        log: `(method, path in the repository)` of each request for a file; `("API", name)` of each for a repository.
        cut: path -> number of bytes after which the connection is dropped, once.
        closed: names of repositories that want a token.
    """

    repositories: dict = field(default_factory=dict)
    log: list = field(default_factory=list)
    cut: dict = field(default_factory=dict)
    closed: set = field(default_factory=set)
    url: str = ""

    def fetched(self):
        """The paths of files whose content was asked for."""
        return [path for method, path in self.log if method == "GET"]

    def commit(self, name, revision):
        """`(commit, files)` of a branch or of a commit itself; None where there is none."""
        revisions = self.repositories.get(name, {})
        named = {key: (_hash(repr(sorted(files.items()))), files) for key, files in revisions.items()}
        return named.get(revision) or next((found for found in named.values() if found[0] == revision), None)


def _hash(content):
    return hashlib.sha1(content if isinstance(content, bytes) else content.encode()).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *arguments):
        """Nothing on standard error."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.partition("?")[0]
        if found := _FILE.fullmatch(path):
            return self._file(**found.groupdict())
        if found := _REPOSITORY.fullmatch(path):
            return self._repository(found["name"], found["revision"] or "main", found["what"] == "tree")
        return self._answer(404, b"{}")

    def _repository(self, name, revision, listed):
        self.hub.log.append(("API", name))
        if refused := self._refused(name):
            return refused
        found = self.hub.commit(name, revision)
        if found is None:
            code = "RevisionNotFound" if name in self.hub.repositories else "RepoNotFound"
            return self._answer(404, b'{"error": "not found"}', {"X-Error-Code": code})
        commit, files = found
        if listed:
            entries = [{"type": "file", "path": path, "size": len(content), "oid": _hash(content)} for path, content in files.items()]
            return self._answer(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})
        described = {"_id": "1", "id": name, "modelId": name, "sha": commit, "siblings": [{"rfilename": path} for path in files]}
        return self._answer(200, json.dumps(described).encode(), {"Content-Type": "application/json"})

    def _refused(self, name):
        if name not in self.hub.closed:
            return False
        self._answer(
            401, b'{"error": "restricted"}', {"X-Error-Code": "GatedRepo", "X-Error-Message": f"Access to model {name} is restricted."}
        )
        return True

    def _file(self, name, revision, path):
        self.hub.log.append((self.command, path))
        found = self.hub.commit(name, revision)
        if found is None or path not in found[1]:
            return self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
        commit, content = found[0], found[1][path]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{_hash(content)}"', "Accept-Ranges": "bytes"}
        status = 200
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, stop = int(asked[1]), int(asked[2] or len(content) - 1) + 1
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            content, status = content[start:stop], 206
        return self._answer(status, content, headers, None if self.command == "HEAD" else self.hub.cut.pop(path, None))

    def _answer(self, status, content, headers=None, cut=None):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[:cut])
        if cut is not None:
            self.close_connection = True


@contextlib.contextmanager
def serve():
    """A `Hub` at `hub.url`, on a free port of this machine."""
    hub = Hub()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
