"""Fine-tunes a small BERT on raw strings, saves it, loads it again, and exports it for transformers. Offline, under a minute.

    python examples/finetune_classifier.py [torch|jax|tensorflow]

The task is made up: sentences about Python modules are praise or complaint. With a downloaded model the first lines become
`hub.models.TextClassifier.from_preset("hf://organisation/name", num_classes=2)`.
"""

import itertools
import pathlib
import random
import sys
import tempfile

import numpy as np

import core
import hub

core.config.set_backend(sys.argv[1] if len(sys.argv) > 1 else "torch")
core.utils.set_random_seed(0)

# Sentences: what is praised or blamed does not tell which, only the words around it do.
THINGS = ["json", "asyncio", "pathlib", "the parser", "the logger", "tkinter", "sqlite", "the debugger"]
PRAISE = ["{} works and is a joy to use.", "I like {}, it is fast.", "What a fine module {} is!", "{} never fails me."]
BLAME = ["{} is broken and a pain to use.", "I dislike {}, it is slow.", "What a poor module {} is!", "{} always fails me."]
rows = [(form.format(thing), label) for label, forms in enumerate((BLAME, PRAISE)) for form, thing in itertools.product(forms, THINGS)]
random.Random(0).shuffle(rows)
texts, labels = [text for text, _ in rows], np.array([label for _, label in rows])

# A tokenizer from the texts, and a backbone that has learnt nothing yet.
vocabulary = hub.tokenizers.compute_word_piece_vocabulary(texts, 200, lowercase=True)
tokenizer = hub.models.BertTokenizer(vocabulary, lowercase=True)
backbone = hub.models.BertBackbone(
    len(vocabulary), num_layers=2, num_heads=4, hidden_dim=32, intermediate_dim=64, max_sequence_length=32, initializer_range=0.1
)
preprocessor = hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=32)
classifier = hub.models.BertTextClassifier(backbone, num_classes=2, preprocessor=preprocessor)

# Training on strings.
classifier.compile(core.optimizers.Adam(1e-3))
classifier.fit(texts[:48], labels[:48], batch_size=16, epochs=40, verbose=2)
loss, accuracy = classifier.evaluate(texts[48:], labels[48:], verbose=0)
print(f"accuracy on {len(texts) - 48} other sentences: {accuracy:.2f}")

# A folder that from_preset reads, and transformers as well.
with tempfile.TemporaryDirectory() as folder:
    classifier.save_to_preset(folder)
    print("saved:", ", ".join(sorted(path.name for path in pathlib.Path(folder).iterdir())))
    again = hub.models.TextClassifier.from_preset(folder)
    same = np.array_equal(again.predict(texts, verbose=0), classifier.predict(texts, verbose=0))
    print("predicts the same:", same)
