"""Callbacks that write the logs down: to a CSV file, to a server."""

from __future__ import annotations

import csv
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

import numpy as np

from core.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes one line per epoch to a CSV file: the epoch, then the metrics sorted by name; `NA` where one was not computed.

    Args:
        filename: path of the file.
        separator: between the values.
        append: whether an existing file goes on (with its own columns) instead of being replaced.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.separator, self.filename, self.append = separator, os.fspath(filename), append
        self.keys: list[str] | None = None
        self.csv_file: Any = None
        self.writer: Any = None

    def on_train_begin(self, logs=None):
        going_on = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self.keys = None
        self._write_header = not going_on
        self.csv_file = open(self.filename, "a" if going_on else "w", newline="")  # closed in on_train_end
        self.writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):  # validation may come in a later epoch
                self.keys += [f"val_{key}" for key in self.keys]
        if self.writer is None:
            self.writer = csv.DictWriter(self.csv_file, ["epoch", *self.keys], restval="NA", extrasaction="ignore",
                                         delimiter=self.separator, lineterminator="\n")  # fmt: skip
            if self._write_header:
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch, **{key: _cell(logs[key]) for key in self.keys if key in logs}})
        self.csv_file.flush()

    def on_train_end(self, logs=None):
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = self.writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    return f'"[{", ".join(map(str, array.ravel()))}]"' if array.ndim else array.item()


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server by HTTP POST: as JSON, or as a form with the JSON in one field.

    Args:
        root, path: where to; `root + path` is the URL.
        field: name of the form's field.
        headers: HTTP headers to add.
        send_as_json: whether the body is the JSON itself.
    """

    def __init__(self, root="http://localhost:9000", path="/publish/epoch/end/", field="data", headers=None, send_as_json=False):
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise ValueError(f"The root of RemoteMonitor must be an http or https address, got {root!r}.")
        self.root, self.path, self.field, self.headers, self.send_as_json = root, path, field, headers, send_as_json

    def on_epoch_end(self, epoch, logs=None):
        values = {name: np.asarray(value).tolist() for name, value in (logs or {}).items()}
        text = json.dumps({"epoch": epoch, **values})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        request = urllib.request.Request(self.root + self.path, body.encode(), {"Content-Type": kind, **(self.headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except (urllib.error.URLError, OSError) as error:  # training goes on without its monitor
            warnings.warn(f"RemoteMonitor could not reach {self.root + self.path}: {error}.", stacklevel=2)
