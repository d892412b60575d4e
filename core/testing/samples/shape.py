"""Samples of the shape ops. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array

_X = array(2, 3, 4)
_M = array(3, 4)
_INTS = array(3, 4, dtype="int32")
_BOOLS = array(3, 4, dtype="bool")


def _cases(reference, *calls, x=_X):
    """One sample per tuple of further arguments."""
    return [Sample((x, *call), reference=reference) for call in calls]


def _pad(x, pad_width, mode="constant", constant_values=None):
    return np.pad(x, pad_width, mode, **({"constant_values": constant_values or 0} if mode == "constant" else {}))


def _expand_dims(x, axis):
    return np.expand_dims(x, tuple(axis) if isinstance(axis, list) else axis)


def _b_hw(x, pattern, h):
    return x.reshape(x.shape[0], h, -1, x.shape[2]).transpose(0, 3, 1, 2)


SAMPLES: dict[str, list[Sample]] = {
    "reshape": _cases(np.reshape, ((4, 6),), ((-1, 3),), ((2, 3, 2, -1),), (-1,)) + [Sample((_BOOLS, (12,)), reference=np.reshape)],
    "ravel": [Sample((_X,), reference=np.ravel)],
    "transpose": _cases(np.transpose, (), ((0, 2, 1),), ((-1, 0, 1),)),
    "moveaxis": _cases(np.moveaxis, (0, -1), ((0, 1), (2, 0)), (2, 0)),
    "swapaxes": _cases(np.swapaxes, (0, 2), (-1, -2)),
    "expand_dims": _cases(_expand_dims, (0,), (-1,), ((0, -1),), ([1, 2],)),
    # Without axis, an unknown dimension may turn out to be 1: the rule keeps it.
    "squeeze": [
        Sample((array(1, 3, 1),), reference=np.squeeze, symbolic=False),
        Sample((array(1, 3, 1), -1), reference=np.squeeze),
        Sample((array(1, 3, 1),), {"axis": (0, 2)}, reference=np.squeeze),
    ],
    "broadcast_to": [Sample((array(3, 1), (2, 3, 4)), reference=np.broadcast_to), Sample((array(3), (2, 3)), reference=np.broadcast_to)],
    "tile": _cases(np.tile, (2,), ((2, 1, 3),), ((2, 1, 1, 2),), ((2, 2),)),
    "repeat": _cases(np.repeat, (2,), (2, 1), ([1, 0, 2], 1), (3, -1)),
    "flip": _cases(np.flip, (), (1,), ((0, -1),)),
    "fliplr": [Sample((_X,), reference=np.fliplr)],
    "flipud": [Sample((_X,), reference=np.flipud)],
    "roll": _cases(np.roll, (2,), (1, 1), ((1, -2), (0, 2)), (-5, 2)),
    "rot90": _cases(np.rot90, (), (2,), (3, (1, 2)), (-1, (2, 0))),
    "pad": _cases(
        _pad,
        (1,),
        ((1, 2),),
        (((0, 1), (2, 0), (0, 0)),),
        (((1, 1), (0, 2), (1, 0)), "reflect"),
        (((1, 1), (0, 2), (1, 0)), "symmetric"),
        (1, "edge"),
        (1, "wrap"),
        *((((1, 3), (0, 2), (2, 0)), mode) for mode in ("linear_ramp", "maximum", "mean", "median", "minimum")),
    )
    + [
        Sample((_X, 1), {"constant_values": 2.5}, reference=_pad),
        Sample((_INTS, 1), {"constant_values": 3}, reference=_pad),
        Sample((_BOOLS, 1), reference=_pad),
        *(Sample((_INTS, 2, mode), reference=_pad) for mode in ("linear_ramp", "mean", "median")),
    ],
    "concatenate": [
        Sample(([_M, array(2, 4)],), reference=np.concatenate),
        Sample(([_X, _X, _X], -1), reference=np.concatenate),
        Sample(([_INTS, _M],), {"axis": 1}, reference=np.concatenate),
    ],
    "stack": [Sample(([_M, _M],), reference=np.stack), Sample(([_M, _INTS], -1), reference=np.stack)],
    "append": [Sample((_M, array(2)), reference=np.append), Sample((_M, array(2, 4)), {"axis": 0}, reference=np.append)],
    "hstack": [Sample(([_M, array(3, 2)],), reference=np.hstack), Sample(([array(3), array(2)],), reference=np.hstack)],
    "vstack": [Sample(([_M, array(2, 4)],), reference=np.vstack), Sample(([array(3), array(3)],), reference=np.vstack)],
    "dstack": [Sample(([_M, _M],), reference=np.dstack), Sample(([array(3), array(3)],), reference=np.dstack)],
    "split": _cases(np.split, (2,), (2, -1), ([1, 3], 2), ((1, 2), 1)),
    "array_split": _cases(np.array_split, (3, 2), ([1, 3], 2), (2, 0)),
    "hsplit": [Sample((_X, 3), reference=np.hsplit), Sample((array(4), [1]), reference=np.hsplit)],
    "vsplit": [Sample((_X, 2), reference=np.vsplit)],
    "dsplit": [Sample((_X, [1, 2]), reference=np.dsplit)],
    "unstack": [
        Sample((_X, 3), {"axis": 1}, reference=lambda x, n, axis: list(np.moveaxis(x, axis, 0))),
        Sample((_X, 2), reference=lambda x, n: list(x)),
    ],
    "size": [Sample((_X,), reference=lambda x: np.int32(x.size), gradient=False)],
    "diag": [
        Sample((array(3),), reference=np.diag),
        Sample((array(3), -1), reference=np.diag),
        Sample((_M, 1), reference=np.diag),
        Sample((_INTS, -1), reference=np.diag),
    ],
    "diagflat": [Sample((array(2, 2), 1), reference=np.diagflat)],
    "diagonal": _cases(np.diagonal, (), (1, 1, 2), (-1, 0, -1)),
    "tril": _cases(np.tril, (), (1,), (-1,)) + [Sample((_BOOLS,), reference=np.tril)],
    "triu": _cases(np.triu, (), (1,), (-1,)) + [Sample((_INTS,), reference=np.triu)],
    "tri": [Sample((3,), reference=lambda n: np.tri(n)), Sample((3, 4, -1, "int32"), reference=np.tri)],
    "vander": [
        Sample((array(3),), reference=np.vander),
        Sample((array(3), 4, True), reference=np.vander),
        Sample((array(3, dtype="int32"), 2), reference=lambda x, n: np.vander(x, n).astype("int32")),
    ],
    "kron": [Sample((array(2, 3), array(2, 2)), reference=np.kron), Sample((array(2), array(2, 3, dtype="int32")), reference=np.kron)],
    "meshgrid": [
        Sample((array(3), array(2), array(4)), reference=lambda *x: list(np.meshgrid(*x))),
        Sample((array(3), array(2)), {"indexing": "ij"}, reference=lambda *x, indexing: list(np.meshgrid(*x, indexing=indexing))),
    ],
    "rearrange": [
        Sample((array(2, 6, 4), "b (h w) c -> b c h w"), {"h": 2}, reference=_b_hw),
        Sample((_X, "... c -> c (...)"), reference=lambda x, p: np.moveaxis(x, -1, 0).reshape(4, 6)),
        Sample((_X, "a b c -> (c a) 1 b"), reference=lambda x, p: x.transpose(2, 0, 1).reshape(8, 1, 3)),
    ],
}
