"""The cases by hand in JAX: one jitted, donated step of Adam per batch."""

import jax
import jax.numpy as jnp
import numpy as np
from cases import BATCH, CASES, STEPS, data


def dense_params(rng, sizes):
    return [(rng.normal(size=(a, b)).astype("float32") * (2 / (a + b)) ** 0.5, np.zeros(b, "float32")) for a, b in zip(sizes, sizes[1:])]


def dense_apply(params, x):
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def cnn_init(rng):
    return [rng.normal(size=s).astype("float32") * 0.1 for s in ((3, 3, 1, 16), (16,), (3, 3, 16, 32), (32,), (800, 10), (10,))]


def cnn_apply(p, x):
    def pool(x):
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    for w, b in ((p[0], p[1]), (p[2], p[3])):
        x = pool(jax.nn.relu(jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b))
    return x.reshape(x.shape[0], -1) @ p[4] + p[5]


def lstm_init(rng):
    return [rng.normal(size=s).astype("float32") * 0.1 for s in ((16, 256), (64, 256), (256,), (64, 1), (1,))]


def lstm_apply(p, x):
    w, u, b, v, c0 = p
    z = jnp.swapaxes(x @ w + b, 0, 1)

    def step(carry, z):
        h, c = carry
        i, f, g, o = jnp.split(z + h @ u, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros((x.shape[0], 64))
    (h, _), _ = jax.lax.scan(step, (zero, zero), z)
    return h @ v + c0


def transformer_init(rng, d=64):
    def normal(*s):
        return rng.normal(size=s).astype("float32") * 0.1

    def norm():
        return [np.ones(d, "float32"), np.zeros(d, "float32")]

    def block():
        attention = [normal(d, 3 * d), normal(3 * d), normal(d, d), normal(d)]
        return [*norm(), *attention, *norm(), normal(d, 4 * d), normal(4 * d), normal(4 * d, d), normal(d)]

    return [block(), block(), normal(d, 1), normal(1)]


def transformer_apply(p, x, heads=4):
    def norm(x, g, b):
        m = x.mean(-1, keepdims=True)
        return (x - m) * jax.lax.rsqrt(jnp.square(x - m).mean(-1, keepdims=True) + 1e-5) * g + b

    for g1, b1, qkv, bq, out, bo, g2, b2, up, bu, down, bd in p[:2]:
        n, t, d = x.shape
        q, k, v = jnp.split(norm(x, g1, b1) @ qkv + bq, 3, -1)
        q, k, v = (a.reshape(n, t, heads, d // heads) for a in (q, k, v))
        weights = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k) / (d // heads) ** 0.5)
        x = x + jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(n, t, d) @ out + bo
        x = x + jax.nn.relu(norm(x, g2, b2) @ up + bu) @ down + bd
    return x.mean(1) @ p[2] + p[3]


MODELS = {
    "mlp": (lambda rng: dense_params(rng, [784, 64, 64, 10]), dense_apply),
    "dense30": (lambda rng: dense_params(rng, [32] * 31 + [1]), dense_apply),
    "cnn": (cnn_init, cnn_apply),
    "lstm": (lstm_init, lstm_apply),
    "transformer": (transformer_init, transformer_apply),
}


def contender(name):
    """A function that trains for STEPS steps."""
    _, shape, classes = CASES[name]
    x, y = data(shape, classes)
    init, apply = MODELS[name]
    params = jax.tree.map(jnp.asarray, init(np.random.default_rng(0)))
    state = [params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.zeros((), "int32")]

    def loss_of(params, x, y):
        out = apply(params, x)
        if classes:
            return -jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1).mean()
        return jnp.square(out - y).mean()

    def step(params, m, v, t, x, y):
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        t = t + 1
        m = jax.tree.map(lambda m, g: m + 0.1 * (g - m), m, grads)
        v = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), v, grads)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), params, m, v), m, v, t, loss

    step = jax.jit(step, donate_argnums=(0, 1, 2, 3))

    def run():
        for i in range(STEPS):
            *state[:], loss = step(*state, x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH])
        return float(loss)

    return run
