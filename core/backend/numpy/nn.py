"""Neural-network functions on NumPy arrays that have no reference body of ops."""

import numpy as np


def relu(x):
    return np.maximum(x, np.zeros((), x.dtype))


def sigmoid(x):
    # Through tanh, which neither overflows nor loses small values' symmetry.
    return (np.tanh(x * 0.5) * 0.5 + 0.5).astype(x.dtype, copy=False)


def softplus(x):
    return np.logaddexp(x, np.zeros((), x.dtype))


def polar(abs_, angle):
    return abs_ * np.exp(angle.astype(np.result_type(angle.dtype, np.complex64)) * 1j).astype(np.result_type(abs_.dtype, np.complex64))


def ctc_beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    """Prefix beam search: each prefix keeps the log-probabilities of the paths that end in the blank and in its last label."""
    inputs, sequence_lengths = np.asarray(inputs), np.asarray(sequence_lengths)
    batch, steps, _ = inputs.shape
    paths = np.full((top_paths, batch, steps), -1, np.int32)
    scores = np.full((batch, top_paths), -np.inf, np.float32)
    logits = inputs.astype(np.float64)
    logits = logits - np.logaddexp.reduce(logits, -1, keepdims=True)
    for b in range(batch):
        best = _beam_search(logits[b, : int(sequence_lengths[b])], beam_width, mask_index)[:top_paths]
        for rank, (prefix, score) in enumerate(best):
            paths[rank, b, : len(prefix)] = prefix
            scores[b, rank] = score
    return paths, scores


def _beam_search(logits, width, blank):
    beams = {(): (0.0, -np.inf)}
    for frame in logits:
        grown: dict = {}

        def add(prefix, at, value, grown=grown):
            pair = grown.setdefault(prefix, [-np.inf, -np.inf])
            pair[at] = np.logaddexp(pair[at], value)

        for prefix, (in_blank, in_label) in beams.items():
            both = np.logaddexp(in_blank, in_label)
            add(prefix, 0, both + frame[blank])
            if prefix:
                add(prefix, 1, in_label + frame[prefix[-1]])
            for label in range(len(frame)):
                if label != blank:
                    # A repeated label starts a new one only after a blank.
                    add((*prefix, label), 1, (in_blank if prefix and label == prefix[-1] else both) + frame[label])
        ranked = sorted(grown.items(), key=lambda item: -np.logaddexp(*item[1]))[:width]
        beams = {prefix: tuple(pair) for prefix, pair in ranked}
    totals = [(prefix, np.logaddexp(*pair)) for prefix, pair in beams.items()]
    return sorted(totals, key=lambda item: -item[1])
