"""Greedy decoding: tokens per CPU-second of ours, transformers and KerasHub, in interleaved rounds of one run.

    python benchmarks/hub.py                       # peers that are not installed are left out
    python benchmarks/hub.py --models llama --batches 1 --only ours-torch transformers

6 layers, 512 features, 8 heads, 8192 tokens; 32 tokens in, 128 out, float32, one thread. Every contestant is a process of its own that
is told when to run, so that all see the same machine; the median of the rounds counts, and the first call, which compiles, stands apart.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])  # this file has the name of the package

LAYERS, FEATURES, HEADS, HIDDEN, VOCABULARY = 6, 512, 8, {"gpt2": 2048, "llama": 1408}, 8192
PROMPT, NEW = 32, 128
CONTESTANTS = {
    "ours-torch": {"CORE_BACKEND": "torch"},
    "transformers": {},
    "ours-jax": {"CORE_BACKEND": "jax"},
    "keras-hub-jax": {"KERAS_BACKEND": "jax"},
    "ours-tensorflow": {"CORE_BACKEND": "tensorflow"},
    "keras-hub-tensorflow": {"KERAS_BACKEND": "tensorflow"},
}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
}


def prompts(batch):
    return np.random.default_rng(0).integers(1, VOCABULARY, (batch, PROMPT)).astype("int32")


def padded(batch):
    ids, mask = np.zeros((batch, PROMPT + NEW), "int32"), np.zeros((batch, PROMPT + NEW), "int32")
    ids[:, :PROMPT], mask[:, :PROMPT] = prompts(batch), 1
    return {"token_ids": ids, "padding_mask": mask}


def ours(model, batch):
    import hub

    sizes = {"vocabulary_size": VOCABULARY, "num_layers": LAYERS, "hidden_dim": FEATURES, "intermediate_dim": HIDDEN[model]}
    if model == "gpt2":
        backbone = hub.models.GPT2Backbone(**sizes, num_heads=HEADS, max_sequence_length=1024)
    else:
        backbone = hub.models.LlamaBackbone(**sizes, num_query_heads=HEADS, num_key_value_heads=HEADS)
    task = hub.models.CausalLM(backbone, None)
    task.compile(sampler="greedy")
    inputs = padded(batch)
    return lambda: task.generate(inputs, stop_token_ids=None)["token_ids"]


def transformers(model, batch):
    import torch
    import transformers as peer

    torch.set_num_threads(1)
    if model == "gpt2":
        config = peer.GPT2Config(vocab_size=VOCABULARY, n_embd=FEATURES, n_layer=LAYERS, n_head=HEADS, n_inner=HIDDEN[model])
        network = peer.GPT2LMHeadModel(config)
    else:
        config = peer.LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=FEATURES, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
            num_key_value_heads=HEADS, intermediate_size=HIDDEN[model],
        )  # fmt: skip
        network = peer.LlamaForCausalLM(config)
    network.eval()
    ids = torch.tensor(prompts(batch)).long()
    mask = torch.ones_like(ids)

    def run():
        with torch.inference_mode():
            return network.generate(
                ids, attention_mask=mask, do_sample=False, max_new_tokens=NEW, min_new_tokens=NEW, pad_token_id=0, eos_token_id=None
            ).numpy()

    return run


def keras_hub(model, batch):
    import keras_hub as peer

    sizes = {"vocabulary_size": VOCABULARY, "num_layers": LAYERS, "hidden_dim": FEATURES, "intermediate_dim": HIDDEN[model]}
    if model == "gpt2":
        backbone = peer.models.GPT2Backbone(**sizes, num_heads=HEADS, max_sequence_length=1024)
        task = peer.models.GPT2CausalLM(backbone, None)
    else:
        backbone = peer.models.LlamaBackbone(**sizes, num_query_heads=HEADS, num_key_value_heads=HEADS)
        task = peer.models.LlamaCausalLM(backbone, None)
    task.compile(sampler="greedy")
    inputs = padded(batch)
    return lambda: np.asarray(task.generate(inputs, stop_token_ids=None)["token_ids"])


def work(name, model, batch):
    """A contestant: one generation for each line of stdin; answers with CPU seconds and seconds."""
    made = {"ours": ours, "transformers": transformers, "keras": keras_hub}[name.partition("-")[0]](model, batch)
    print("ready", flush=True)
    for _ in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        found = made()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        assert found.shape == (batch, PROMPT + NEW), found.shape
        print(cpu, wall, flush=True)


def asked(process):
    process.stdin.write("go\n")
    process.stdin.flush()
    line = process.stdout.readline().split()
    return tuple(map(float, line)) if len(line) == 2 else None


def measure(model, batch, names, rounds):
    processes = {}
    for name in names:
        process = subprocess.Popen(
            [sys.executable, __file__, "--worker", name, model, str(batch)], env={**os.environ, **ONE_THREAD, **CONTESTANTS[name]},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        if process.stdout.readline().strip() == "ready":
            processes[name] = process
    first = {name: asked(process) for name, process in processes.items()}
    times = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            times[name].append(asked(process)[0])
    for process in processes.values():
        process.stdin.close()
        process.wait()
    print(f"\n{model}, batch {batch}: tokens per CPU-second (first call in CPU seconds)")
    for name in names:
        if name in times:
            speed = batch * NEW / statistics.median(times[name])
            print(f"  {name:22s} {speed:7.0f}  ({first[name][0]:5.2f})", flush=True)
        else:
            print(f"  {name:22s} not installed", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", nargs=3, metavar=("NAME", "MODEL", "BATCH"), help=argparse.SUPPRESS)
    parser.add_argument("--models", nargs="+", choices=("gpt2", "llama"), default=["gpt2", "llama"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    options = parser.parse_args()
    if options.worker:
        work(options.worker[0], options.worker[1], int(options.worker[2]))
        return
    for model in options.models:
        for batch in options.batches:
            measure(model, batch, options.only, options.rounds)


if __name__ == "__main__":
    main()
