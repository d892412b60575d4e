"""What an op says where its arguments cannot be meant: a ValueError in our words, the same on every backend, eager and symbolic."""

import numpy as np
import pytest

from core import ops
from core.backend import KerasTensor, slot

BACKENDS = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("numpy", "torch", "jax", "tensorflow")]


def a(*shape):
    return np.ones(shape, "float32")


# name: (op, arguments, what the message must hold)
CASES = {
    "matmul": (ops.matmul, (a(2, 3), a(4, 5)), r"matmul.*\(2, 3\).*\(4, 5\)"),
    "matmul_scalar": (ops.matmul, (a(), a(4, 5)), r"matmul.*\(\).*\(4, 5\)"),
    "concatenate": (lambda x, y: ops.concatenate([x, y], axis=0), (a(2, 3), a(2, 4)), r"concatenate.*\(2, 3\).*\(2, 4\)"),
    "stack": (lambda x, y: ops.stack([x, y]), (a(2, 3), a(2, 4)), r"stack.*\(2, 3\).*\(2, 4\)"),
    "reshape": (lambda x: ops.reshape(x, (4, 2)), (a(2, 3),), r"reshape.*\(4, 2\).*\(2, 3\)"),
    "reshape_rest": (lambda x: ops.reshape(x, (-1, 4)), (a(2, 3),), r"reshape.*6.*4"),
    "sum_axis": (lambda x: ops.sum(x, axis=2), (a(2, 3),), r"sum.*axis.*2"),
    "softmax_axis": (lambda x: ops.softmax(x, axis=-3), (a(2, 3),), r"softmax.*axis.*-3"),
    "expand_dims_axis": (lambda x: ops.expand_dims(x, 4), (a(2, 3),), r"expand_dims.*axis.*4"),
    "squeeze": (lambda x: ops.squeeze(x, 0), (a(2, 3),), r"squeeze.*\(2, 3\)"),
    "transpose": (lambda x: ops.transpose(x, (0, 0)), (a(2, 3),), r"transpose.*0, 0"),
    "split": (lambda x: ops.split(x, 4, axis=1), (a(2, 3),), r"split.*3.*4|split.*4.*3"),
    "broadcast": (ops.add, (a(2, 3), a(4)), r"add.*\(2, 3\).*\(4,\)"),
    "broadcast_to": (lambda x: ops.broadcast_to(x, (2, 4)), (a(2, 3),), r"broadcast.*\(2, 3\).*\(2, 4\)"),
    "where": (ops.where, (np.ones((2, 3), bool), a(2, 3), a(4)), r"where.*\(2, 3\).*\(4,\)"),
    "take_along_axis": (
        lambda x, i: ops.take_along_axis(x, i, axis=1), (a(2, 3), np.zeros((5, 1, 1), "int32")), r"take_along_axis.*\(2, 3\).*\(5, 1, 1\)",
    ),
    "conv_channels": (ops.conv, (a(1, 5, 5, 3), a(2, 2, 4, 8)), r"conv.*\b3\b.*\b4\b|conv.*\b4\b.*\b3\b"),
    "conv_rank": (ops.conv, (a(1, 5, 5, 3), a(2, 3, 8)), r"conv.*\(1, 5, 5, 3\).*\(2, 3, 8\)"),
    "einsum_sizes": (lambda x, y: ops.einsum("ab,bc->ac", x, y), (a(2, 3), a(4, 5)), r"einsum.*b.*3.*4"),
    "einsum_ranks": (lambda x: ops.einsum("abc->a", x), (a(2, 3),), r"einsum.*abc"),
    "cross_entropy": (ops.sparse_categorical_crossentropy, (np.zeros((4,), "int32"), a(3, 2)), r"sparse_categorical.*\(3,\).*\(4,\)"),
    "binary_crossentropy": (ops.binary_crossentropy, (a(2, 3), a(2, 4)), r"binary_crossentropy.*\(2, 3\).*\(2, 4\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", BACKENDS)
def test_the_message_teaches(name, case):
    function, arrays, message = CASES[case]
    with slot.use(name) as backend:
        with pytest.raises(ValueError, match=f"(?s){message}") as eager:
            function(*map(backend.convert_to_tensor, arrays))
    assert eager.type.__module__.partition(".")[0] in ("builtins", "core")


@pytest.mark.parametrize("case", CASES)
def test_the_message_teaches_before_there_are_values(case):
    function, arrays, message = CASES[case]
    with pytest.raises(ValueError, match=f"(?s){message}"):
        function(*(KerasTensor(array.shape, array.dtype) for array in arrays))
