"""Transforms that name, join and part arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayes.adapters.transforms.transform import Data, Transform, names, require, serializable


@serializable
class Rename(Transform):
    """One array under another name."""

    def __init__(self, from_key: str, to_key: str):
        self.from_key, self.to_key = from_key, to_key

    def forward(self, data: Data, *, strict: bool = True, **kwargs: Any) -> Data:
        if strict:
            require(data, [self.from_key], "Rename")
        return _moved(data, self.from_key, self.to_key)

    def inverse(self, data: Data, **kwargs: Any) -> Data:
        return _moved(data, self.to_key, self.from_key)

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        return _moved(log_det, self.to_key, self.from_key) if inverse else _moved(log_det, self.from_key, self.to_key)

    def get_config(self) -> dict:
        return {"from_key": self.from_key, "to_key": self.to_key}

    def extra_repr(self) -> str:
        return f"{self.from_key!r} -> {self.to_key!r}"


@serializable
class Concatenate(Transform):
    """Arrays joined along an axis; the inverse parts them as the first forward pass found them."""

    def __init__(self, keys: Sequence[str], *, into: str, axis: int = -1, indices: Sequence[int] | None = None):
        self.keys, self.into, self.axis = names(keys), into, axis
        self.indices = None if indices is None else [int(i) for i in indices]

    def forward(self, data: Data, *, strict: bool = True, **kwargs: Any) -> Data:
        present = [key for key in self.keys if key in data]
        if strict:
            require(data, self.keys, "Concatenate")
        elif len(present) < len(self.keys):
            if not present or self.indices is None:
                return dict(data)
            missing = sorted(set(self.keys) - set(present))
            raise KeyError(f"Concatenate needs all of {self.keys} or none; {missing} are missing, the data has {sorted(data)}.")
        arrays = [np.asarray(data[key]) for key in self.keys]
        try:
            joined = np.concatenate(arrays, axis=self.axis)
        except ValueError:
            shapes = {key: array.shape for key, array in zip(self.keys, arrays)}
            raise ValueError(
                f"{shapes} cannot be concatenated along axis {self.axis}: all other axes must agree. Use expand_dims, as_set or broadcast "
                "before."
            ) from None
        sizes = np.cumsum([array.shape[self.axis] for array in arrays])[:-1].tolist()
        if self.indices is not None and sizes != self.indices:
            raise ValueError(f"{self.keys} were joined at {self.indices} before, now they part at {sizes}: their sizes must stay the same.")
        self.indices = sizes
        return {**{k: v for k, v in data.items() if k not in self.keys}, self.into: joined}

    def inverse(self, data: Data, **kwargs: Any) -> Data:
        if self.into not in data:
            return dict(data)
        if self.indices is None:
            if len(self.keys) > 1:
                raise ValueError(
                    "The adapter must have seen data before its inverse is asked for: concatenate does not know the sizes yet."
                )
            self.indices = []
        parts = np.split(np.asarray(data[self.into]), self.indices, axis=self.axis)
        return {**{k: v for k, v in data.items() if k != self.into}, **dict(zip(self.keys, parts))}

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        if inverse:
            return _moved(log_det, self.into, self.keys[0])
        known = [log_det[key] for key in self.keys if key in log_det]
        rest = {k: v for k, v in log_det.items() if k not in self.keys}
        return {**rest, self.into: sum(known)} if known else rest

    def get_config(self) -> dict:
        return {"keys": self.keys, "into": self.into, "axis": self.axis, "indices": self.indices}

    def extra_repr(self) -> str:
        return f"{self.keys} -> {self.into!r}"


@serializable
class Split(Transform):
    """One array parted along an axis; the whole log-determinant goes with the first part."""

    def __init__(self, key: str, into: Sequence[str], indices_or_sections: Any = None, axis: int = -1):
        self.key, self.into, self.axis = key, names(into), axis
        sections: Any = len(self.into) if indices_or_sections is None else indices_or_sections
        self.sections: Any = int(sections) if np.ndim(sections) == 0 else [int(i) for i in sections]
        count = self.sections if isinstance(self.sections, int) else len(self.sections) + 1
        if count != len(self.into):
            raise ValueError(f"split makes {count} parts of {key!r}, but {len(self.into)} names were given: {self.into}.")

    def forward(self, data: Data, *, strict: bool = True, **kwargs: Any) -> Data:
        if strict:
            require(data, [self.key], "Split")
        if self.key not in data:
            return dict(data)
        parts = np.split(np.asarray(data[self.key]), self.sections, axis=self.axis)
        return {**{k: v for k, v in data.items() if k != self.key}, **dict(zip(self.into, parts))}

    def inverse(self, data: Data, **kwargs: Any) -> Data:
        if not all(key in data for key in self.into):
            return dict(data)
        whole = np.concatenate([np.asarray(data[key]) for key in self.into], axis=self.axis)
        return {**{k: v for k, v in data.items() if k not in self.into}, self.key: whole}

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        if inverse:
            known = [log_det[key] for key in self.into if key in log_det]
            rest = {k: v for k, v in log_det.items() if k not in self.into}
            return {**rest, self.key: sum(known)} if known else rest
        return _moved(log_det, self.key, self.into[0])

    def get_config(self) -> dict:
        return {"key": self.key, "into": self.into, "indices_or_sections": self.sections, "axis": self.axis}

    def extra_repr(self) -> str:
        return f"{self.key!r} -> {self.into}"


@serializable
class Drop(Transform):
    """All but some arrays; names that are not there are passed over."""

    def __init__(self, keys: Sequence[str]):
        self.keys = names(keys)

    def forward(self, data: Data, **kwargs: Any) -> Data:
        return {k: v for k, v in data.items() if k not in self.keys}

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        return log_det if inverse else {k: v for k, v in log_det.items() if k not in self.keys}

    def get_config(self) -> dict:
        return {"keys": self.keys}

    def extra_repr(self) -> str:
        return repr(self.keys)


@serializable
class Keep(Transform):
    """Some arrays, and nothing else."""

    def __init__(self, keys: Sequence[str]):
        self.keys = names(keys)

    def forward(self, data: Data, **kwargs: Any) -> Data:
        return {k: v for k, v in data.items() if k in self.keys}

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        return log_det if inverse else {k: v for k, v in log_det.items() if k in self.keys}

    def get_config(self) -> dict:
        return {"keys": self.keys}

    def extra_repr(self) -> str:
        return repr(self.keys)


@serializable
class Group(Transform):
    """Arrays as a dict of arrays under one name; `prefix` is taken off their names."""

    def __init__(self, keys: Sequence[str], into: str, prefix: str = ""):
        self.keys, self.into, self.prefix = names(keys), into, prefix
        strange = [key for key in self.keys if not key.startswith(prefix)]
        if strange:
            raise ValueError(f"The names {strange} do not begin with the prefix {prefix!r}.")

    def forward(self, data: Data, *, strict: bool = True, **kwargs: Any) -> Data:
        if strict:
            require(data, self.keys, "Group")
        inner = {k.removeprefix(self.prefix): data[k] for k in self.keys if k in data}
        return {**{k: v for k, v in data.items() if k not in self.keys}, **({self.into: inner} if inner else {})}

    def inverse(self, data: Data, **kwargs: Any) -> Data:
        inner = {self.prefix + k: v for k, v in data.get(self.into, {}).items()}
        return {**{k: v for k, v in data.items() if k != self.into}, **inner}

    def get_config(self) -> dict:
        return {"keys": self.keys, "into": self.into, "prefix": self.prefix}

    def extra_repr(self) -> str:
        return f"{self.keys} -> {self.into!r}"


@serializable
class Ungroup(Transform):
    """A dict of arrays as arrays of their own; `prefix` is put before their names."""

    def __init__(self, key: str, prefix: str = ""):
        self.key, self.prefix = key, prefix
        self._members: list[str] | None = None

    def forward(self, data: Data, *, strict: bool = True, **kwargs: Any) -> Data:
        if strict:
            require(data, [self.key], "Ungroup")
        if self.key not in data:
            return dict(data)
        inner = {self.prefix + k: v for k, v in data[self.key].items()}
        twice = sorted(set(inner) & set(data))
        if twice:
            raise ValueError(f"ungroup would overwrite {twice}; give a prefix.")
        self._members = list(inner)
        return {**{k: v for k, v in data.items() if k != self.key}, **inner}

    def inverse(self, data: Data, **kwargs: Any) -> Data:
        members = [k for k in self._members or () if k in data]
        inner = {k.removeprefix(self.prefix): data[k] for k in members}
        return {**{k: v for k, v in data.items() if k not in members}, **({self.key: inner} if inner else {})}

    def get_config(self) -> dict:
        return {"key": self.key, "prefix": self.prefix}

    def extra_repr(self) -> str:
        return repr(self.key)


@serializable
class ToDict(Transform):
    """A table (pandas) or another mapping as a dict of arrays `(rows, 1)`; dicts pass. Not undone."""

    def forward(self, data: Any, **kwargs: Any) -> Data:
        if isinstance(data, dict):
            return dict(data)
        result = {}
        for name in data:
            column = data[name]
            codes = getattr(column, "cat", None)
            values = np.asarray(codes.codes if codes is not None else column)
            if values.dtype.kind not in "biuf":
                raise ValueError(f"Column {name!r} holds {values.dtype} values; make it numbers or a pandas category.")
            result[str(name)] = values[:, None] if values.ndim == 1 else values
        return result


def _moved(data: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    if old not in data:
        return dict(data)
    return {**{k: v for k, v in data.items() if k != old}, new: data[old]}
