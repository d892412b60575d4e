"""Writes with the built-in model: completion, samplers, a stream, and a conversation. Offline, in under a minute.

    python examples/chat.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hub

model = hub.load("tiny")
print(model.generate("Return the absolute", max_length=24, sampler="greedy"))

# Samplers draw; equal seeds give equal text.
for seed in (1, 2):
    sampler = hub.samplers.TopPSampler(p=0.9, k=50, seed=seed, temperature=0.7)
    print(seed, model.generate("The exception", max_length=24, sampler=sampler, strip_prompt=True))

# Several prompts at once, each as if alone; the three best of a beam search.
for text in model.generate(["Open a", "Close the"], max_length=20, sampler=hub.samplers.BeamSampler(3), num_return_sequences=3):
    print("-", text)

# A conversation: the chat template of the preset makes the prompt, the answer comes piece by piece.
tokenizer = model.preprocessor.tokenizer
messages = [{"role": "user", "content": "What does os.path.join do?"}]
ids = [int(i) for i in tokenizer.apply_chat_template(messages, add_generation_prompt=True)]
print("user:", messages[0]["content"])
print("assistant: ", end="")
for (piece,) in model.generate([ids], max_length=len(ids) + 40, sampler="greedy", stream=True):
    print(piece, end="", flush=True)
print()
