"""The torch backend's functions of the random room: a `torch.Generator` seeded at each draw. See `core.backend.protocol`."""

import threading

import torch

from core.backend import gradients, seeds
from core.backend.torch.array import native_dtype
from core.base.dtypes import continuous, standardize_dtype

_local = threading.local()
_INCREMENT = torch.tensor([0, 1])


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
    return (_drawn(lambda x, g: x.normal_(generator=g), shape, dtype, seed) * stddev + mean).to(dtype)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    return (_drawn(lambda x, g: x.uniform_(generator=g), shape, dtype, seed) * (maxval - minval) + minval).to(dtype)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    generator = _generator(seed)
    return torch.randint(int(minval), int(maxval), tuple(shape), generator=generator, device=generator.device).to(_dtype(dtype))


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    draws = _drawn(lambda x, g: torch.nn.init.trunc_normal_(x, generator=g), shape, dtype, seed)
    return (draws * stddev + mean).to(dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    if logits.ndim != 2:
        raise ValueError("shapes")  # the op's rule says which
    if not num_samples or not len(logits):
        return torch.zeros((len(logits), num_samples), dtype=_dtype(dtype), device=logits.device)
    probabilities = torch.softmax(logits.float(), -1)
    return torch.multinomial(probabilities, num_samples, True, generator=_generator(seed, logits.device)).to(_dtype(dtype))


def _gammas(generator, shape, *alphas):
    alphas = (torch.as_tensor(alpha, dtype=torch.float32, device=generator.device).expand(tuple(shape)) for alpha in alphas)
    return [torch._standard_gamma(alpha, generator=generator) for alpha in alphas]


def gamma(shape, alpha, dtype=None, seed=None):
    return _gammas(_generator(seed), shape, alpha)[0].to(_dtype(continuous(dtype)))


def beta(shape, alpha, beta, dtype=None, seed=None):
    first, second = _gammas(_generator(seed), shape, alpha, beta)
    return (first / (first + second)).to(_dtype(continuous(dtype)))


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    generator = _generator(seed)
    parts = (torch.as_tensor(part, dtype=torch.float32, device=generator.device).expand(tuple(shape)) for part in (counts, probabilities))
    return torch.binomial(*parts, generator=generator).to(_dtype(continuous(dtype)))


def shuffle(x, axis=0, seed=None):
    order = torch.randperm(x.shape[axis], generator=_generator(seed, x.device), device=x.device)
    return x.index_select(axis, order)


def dropout(inputs, rate, noise_shape=None, seed=None):
    if rate == 0:
        return inputs
    if noise_shape is None:
        noise = torch.empty_like(inputs)
    else:
        noise = inputs.new_empty([d if n is None else n for n, d in zip(noise_shape, inputs.shape, strict=True)])
    noise.bernoulli_(1 - rate, generator=_generator(seed, inputs.device))
    return inputs * (noise.div_(1 - rate) if rate < 1 else noise)
