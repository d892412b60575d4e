"""The cases by hand in TensorFlow: one `tf.function` step of Adam per batch, on tf.Variables."""

import numpy as np
import tensorflow as tf
from by_hand_jax import MODELS as JAX_MODELS
from cases import BATCH, CASES, STEPS, data


def dense_apply(params, x):
    for w, b in params[:-1]:
        x = tf.nn.relu(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def cnn_apply(p, x):
    for w, b in ((p[0], p[1]), (p[2], p[3])):
        x = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(x, w, 1, "VALID") + b), 2, 2, "VALID")
    return tf.reshape(x, (BATCH, -1)) @ p[4] + p[5]


def lstm_apply(p, x):
    w, u, b, v, c0 = p
    z = tf.tensordot(x, w, 1) + b
    h = c = tf.zeros((BATCH, 64))
    for step in tf.unstack(z, axis=1):
        i, f, g, o = tf.split(step + h @ u, 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
    return h @ v + c0


def transformer_apply(p, x, heads=4):
    def norm(x, g, b):
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + 1e-5) * g + b

    for g1, b1, qkv, bq, out, bo, g2, b2, up, bu, down, bd in p[:2]:
        n, t, d = x.shape
        q, k, v = (tf.reshape(a, (n, t, heads, d // heads)) for a in tf.split(tf.tensordot(norm(x, g1, b1), qkv, 1) + bq, 3, -1))
        weights = tf.nn.softmax(tf.einsum("bqhd,bkhd->bhqk", q, k) / (d // heads) ** 0.5)
        x = x + tf.tensordot(tf.reshape(tf.einsum("bhqk,bkhd->bqhd", weights, v), (n, t, d)), out, 1) + bo
        x = x + tf.tensordot(tf.nn.relu(tf.tensordot(norm(x, g2, b2), up, 1) + bu), down, 1) + bd
    return tf.reduce_mean(x, 1) @ p[2] + p[3]


APPLY = {"mlp": dense_apply, "dense30": dense_apply, "cnn": cnn_apply, "lstm": lstm_apply, "transformer": transformer_apply}


def contender(name):
    """A function that trains for STEPS steps."""
    _, shape, classes = CASES[name]
    x, y = data(shape, classes)
    x, y = tf.constant(x), tf.constant(y)
    params = tf.nest.map_structure(tf.Variable, JAX_MODELS[name][0](np.random.default_rng(0)))
    flat = tf.nest.flatten(params)
    ms, vs = [tf.Variable(tf.zeros_like(p)) for p in flat], [tf.Variable(tf.zeros_like(p)) for p in flat]
    count = tf.Variable(0.0)

    @tf.function(autograph=False)
    def step(x, y):
        with tf.GradientTape() as tape:
            out = APPLY[name](params, x)
            if classes:
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, out))
            else:
                loss = tf.reduce_mean(tf.square(out - y))
        grads = tape.gradient(loss, flat)
        t = count.assign_add(1.0)
        rate = 1e-3 * tf.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for p, m, v, g in zip(flat, ms, vs, grads):
            m.assign_add(0.1 * (g - m))
            v.assign_add(0.001 * (g * g - v))
            p.assign_sub(rate * m / (tf.sqrt(v) + 1e-7))
        return loss

    def run():
        for i in range(STEPS):
            loss = step(x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH])
        return float(loss)

    return run
