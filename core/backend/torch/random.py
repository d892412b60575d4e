"""The torch backend's functions of the random room: a `torch.Generator` seeded at each draw. See `core.backend.protocol`."""

import threading

import torch

from core.backend import gradients, seeds
from core.backend.distributions import check_rate, is_unit, noise_dims, share_below
from core.backend.torch.array import native_dtype
from core.base.dtypes import continuous, standardize_dtype
from core.base.shapes import normalize_axis

_local = threading.local()
_INCREMENT = torch.tensor([0, 1])
_UNSIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}


def _generator(seed, device=None):
    """This thread's generator of the device, seeded by both words (PyTorch's CPU generator uses 32 bits, so they are mixed)."""
    words = seeds.resolved(seed, "torch")
    low, high = words if type(words) is tuple else words.tolist()
    mixed = (low * 0x9E3779B97F4A7C15 + high * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 & 0xFFFFFFFFFFFFFFFF
    kind = device or torch.get_default_device()
    generators = _local.__dict__
    generator = generators.get(kind)
    if generator is None:
        generator = generators[kind] = torch.Generator(kind)
    return generator.manual_seed((mixed ^ mixed >> 32) & 0xFFFFFFFF)


def _dtype(dtype):
    return native_dtype(standardize_dtype(dtype))


def _drawn(fill, shape, dtype, seed):
    """An empty float tensor filled in place; float16 by way of float32 for the quality of the tails."""
    generator = _generator(seed)
    return fill(
        torch.empty(tuple(shape), dtype=torch.float64 if dtype == torch.float64 else torch.float32, device=generator.device), generator
    )


def _on(draws, parameter):
    """A parameter to compute with beside `draws`: numbers as they are, arrays and tensors on their device and in their dtype."""
    return parameter if isinstance(parameter, (int, float)) else torch.as_tensor(parameter).to(draws.device, draws.dtype)


def seed_dtype():
    return "int64"  # PyTorch does not add uint32


def tracing():
    return False


def next_seed(holder):
    held = holder.value
    if type(held) is not torch.nn.Parameter:  # in a stateless call
        holder.put(held + _INCREMENT.to(held.device, held.dtype))
        return held
    if held.dtype != torch.int64:
        held = torch.nn.Parameter(held.detach().long(), requires_grad=False)
    seed = held.detach().clone()
    gradients.before_write(held, lambda _: seed)
    held.add_(_INCREMENT if held.device.type == "cpu" else _INCREMENT.to(held.device))
    holder.put(held)
    return seed


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    draws = _drawn(lambda x, g: x.normal_(generator=g), shape, dtype, seed)
    return (draws * _on(draws, stddev) + _on(draws, mean)).to(dtype)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    draws = _drawn(lambda x, g: x.uniform_(generator=g), shape, dtype, seed)
    if draws.dtype == dtype and is_unit(minval, maxval):
        return draws
    low, high = (torch.as_tensor(end).to(draws.device, draws.dtype) for end in (minval, maxval))
    draws = draws * (high - low) + low
    top = torch.maximum(high - high.abs() * share_below(dtype), low)
    return torch.where(draws.to(dtype).to(draws.dtype) < high, draws, top).to(dtype)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    generator, dtype = _generator(seed), _dtype(dtype)
    if isinstance(minval, int) and isinstance(maxval, int):
        return torch.randint(minval, maxval, tuple(shape), generator=generator, device=generator.device).to(dtype)
    words = torch.empty(tuple(shape), dtype=torch.int64, device=generator.device).random_(generator=generator)  # 63 bits
    low, high = (_on(words, end) for end in (minval, maxval))
    return (words % (high - low) + low).to(dtype)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    draws = _drawn(lambda x, g: torch.nn.init.trunc_normal_(x, generator=g), shape, dtype, seed)
    return (draws * _on(draws, stddev) + _on(draws, mean)).to(dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    if logits.ndim != 2 or num_samples < 0:
        raise ValueError("shapes")  # the op's rule says which
    if not num_samples or not len(logits):
        return torch.zeros((len(logits), num_samples), dtype=_dtype(dtype), device=logits.device)
    dtype, probabilities = _dtype(dtype), torch.softmax(logits.float(), -1)
    return torch.multinomial(probabilities, num_samples, True, generator=_generator(seed, logits.device)).to(dtype)


def _gammas(generator, shape, wide, *alphas):
    alphas = (torch.as_tensor(alpha, dtype=wide, device=generator.device).expand(tuple(shape)) for alpha in alphas)
    return [torch._standard_gamma(alpha, generator=generator) for alpha in alphas]


def gamma(shape, alpha, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    return _gammas(_generator(seed), shape, torch.float64 if dtype == torch.float64 else torch.float32, alpha)[0].to(dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    first, second = _gammas(_generator(seed), shape, torch.float64, alpha, beta)  # in float32, both would often underflow for small ones
    return (first / (first + second)).to(dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    generator, dtype = _generator(seed), _dtype(continuous(dtype))
    parts = (torch.as_tensor(part, dtype=torch.float32, device=generator.device).expand(tuple(shape)) for part in (counts, probabilities))
    return torch.binomial(*parts, generator=generator).to(dtype)


def shuffle(x, axis=0, seed=None):
    axis = normalize_axis(axis, x.ndim)
    order = torch.randperm(x.shape[axis], generator=_generator(seed, x.device), device=x.device)
    if x.dtype in _UNSIGNED:  # which PyTorch does not gather
        return x.view(_UNSIGNED[x.dtype]).index_select(axis, order).view(x.dtype)
    return x.index_select(axis, order)


def dropout(inputs, rate, noise_shape=None, seed=None):
    check_rate(rate)
    if rate == 0 or rate == 1:
        return inputs if rate == 0 else torch.zeros_like(inputs)
    noise = torch.empty_like(inputs) if noise_shape is None else inputs.new_empty(noise_dims(noise_shape, tuple(inputs.shape)))
    return inputs * noise.bernoulli_(1 - rate, generator=_generator(seed, inputs.device)).div_(1 - rate)
