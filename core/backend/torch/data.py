"""Batches for PyTorch: one tensor over a chunk's memory, and views of it."""

import torch

from core.backend.torch.array import convert_to_numpy, convert_to_tensor


def host_view(x):
    return convert_to_numpy(x) if x.device.type == "cpu" else None


def split_rows(x, size, native=True):
    if not isinstance(x, torch.Tensor):
        if x.dtype.kind in "OSU":  # text stays on the host
            return [x[start : start + size] for start in range(0, len(x), size)]
        x = convert_to_tensor(x)
    return x.split(size)


def gather_rows(x, indices):
    return x.index_select(0, torch.from_numpy(indices).to(x.device))


def batch_tensor(x, native=True):
    return x if not isinstance(x, torch.Tensor) and x.dtype.kind in "OSU" else convert_to_tensor(x)


def stack_batches(parts):
    return torch.stack(list(parts))


def seed_framework(seed):
    """Seeds PyTorch's own draws, for user code that makes some."""
    torch.manual_seed(seed)


def framework_seed_state():
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []


def restore_framework_seed(state):
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
