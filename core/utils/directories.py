"""Data sets out of folders of files: `image_dataset_from_directory` and `text_dataset_from_directory`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.base.errors import unknown_name
from core.training.data import PyDataset
from core.training.data.source import fresh_seed, permutation
from core.utils.images import COLOR_MODES, _layout, load_img, resize_array

IMAGE_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
LABEL_MODES = ("int", "binary", "categorical")


class FileBatches(PyDataset):
    """Batches of files: `(data, labels)`, or data alone. A file is read when its batch is asked for.

    Attributes:
        file_paths: one string per file, in the order before shuffling.
        class_names: the names that the labels count, or None without labels.
    """

    def __init__(self, file_paths: list[str], labels: np.ndarray | None, class_names: list[str] | None, read: Callable[[str], Any],
                 batch_size: int | None, shuffle: bool, seed: int):  # fmt: skip
        super().__init__()
        self.file_paths, self.labels, self.class_names = file_paths, labels, class_names
        self.read, self.batch_size, self.shuffle, self.seed = read, batch_size, shuffle, seed
        self.epoch = 0
        self._order()

    def _order(self) -> None:
        count = len(self.file_paths)
        self.order = permutation(self.seed, self.epoch, count) if self.shuffle else np.arange(count)

    def __len__(self) -> int:
        return -(-len(self.file_paths) // (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}.")
        if self.batch_size is None:
            row = self.order[index]
            item = self._checked(self.file_paths[row])
            return item if self.labels is None else (item, self.labels[row])
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        items = [self._checked(self.file_paths[row]) for row in rows]
        data = np.array(items, object) if isinstance(items[0], str) else np.stack(items)
        return data if self.labels is None else (data, self.labels[rows])

    def _checked(self, path: str) -> Any:
        try:
            return self.read(path)
        except Exception as error:
            error.add_note(f"in reading {path}")
            raise

    def on_epoch_end(self) -> None:
        """Puts the files in a new order."""
        self.epoch += 1
        self._order()


def image_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Sequence[str] | None = None,
    color_mode: str = "rgb", batch_size: int | None = 32, image_size: tuple[int, int] = (256, 256), shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None, subset: str | None = None, interpolation: str = "bilinear", follow_links: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, data_format: str | None = None, format: str = "tf",
    verbose: bool = True,
) -> Any:  # fmt: skip
    """Batches of the images (bmp, gif, jpeg, png) of a folder: float32 (batch, height, width, channels) of 0 .. 255, and their labels.

    Args:
        directory: holds one folder per class; without labels, images anywhere below it.
        labels: `"inferred"` from the folders, None, or a list of integers, one per file in the order of their paths.
        label_mode: `"int"` for int32 (batch,), `"binary"` for float32 (batch, 1), `"categorical"` for one-hot float32, None for images
            alone.
        class_names: the folders to use, in the order of their labels; all of them, sorted, where it is None.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        batch_size: images per batch; None for single images without a batch axis.
        image_size: (height, width) to which the images are resized, as `core.ops.image.resize` does.
        shuffle, seed: whether and how the files are put in an order; without, they are sorted by path.
        validation_split, subset: the fraction at the end that validates, and which part is returned: `"training"`, `"validation"`, or
            `"both"` for a list of the two. Give both parts the same seed.
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio, pad_to_aspect_ratio: instead of distorting the images.
        format: accepted for Keras' sake; the result is a `PyDataset` always, which indexes, iterates, and trains on every backend.

    Raises:
        ValueError: an argument is unknown, or there are no files, or the labels do not fit them.

    >>> train, test = image_dataset_from_directory("photos", validation_split=0.2, subset="both", seed=0)
    """
    if color_mode not in COLOR_MODES:
        raise unknown_name("color_mode", color_mode, COLOR_MODES)
    layout = _layout(data_format)

    def read(path: str) -> np.ndarray:
        pixels = np.asarray(load_img(path, color_mode), "float32")
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        pixels = resize_array(
            pixels, image_size, interpolation, crop_to_aspect_ratio=crop_to_aspect_ratio, pad_to_aspect_ratio=pad_to_aspect_ratio,
            data_format="channels_last",
        )  # fmt: skip
        return pixels if layout == "channels_last" else pixels.transpose(2, 0, 1)

    return _from_directory(
        directory, IMAGE_ENDINGS, read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        format, verbose,
    )  # fmt: skip


def text_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Sequence[str] | None = None,
    batch_size: int | None = 32, max_length: int | None = None, shuffle: bool = True, seed: int | None = None,
    validation_split: float | None = None, subset: str | None = None, follow_links: bool = False, format: str = "tf", verbose: bool = True,
) -> Any:  # fmt: skip
    """Batches of the UTF-8 texts (`.txt`) of a folder: object arrays of strings, and their labels.

    Args:
        max_length: characters after which a text is cut.
        others: as those of `image_dataset_from_directory`.

    >>> train = text_dataset_from_directory("reviews", batch_size=16)
    """

    def read(path: str) -> str:
        return pathlib.Path(path).read_text(encoding="utf-8")[:max_length]

    return _from_directory(
        directory, (".txt",), read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        format, verbose,
    )  # fmt: skip


def _from_directory(directory, endings, read, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
                    follow_links, format, verbose):  # fmt: skip
    if format not in ("tf", "grain", "numpy"):
        raise unknown_name("format", format, ("tf", "grain", "numpy"))
    if label_mode is not None and label_mode not in LABEL_MODES:
        raise unknown_name("label_mode", label_mode, LABEL_MODES)
    if (validation_split is None) != (subset is None):
        raise ValueError(f"validation_split and subset are given together or not at all, got {validation_split!r} and {subset!r}.")
    if subset not in (None, "training", "validation", "both"):
        raise unknown_name("subset", subset, ("training", "validation", "both"))
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(f"validation_split must lie between 0 and 1, got {validation_split!r}.")
    if subset in ("training", "validation") and shuffle and seed is None:
        raise ValueError("Two calls with shuffle=True split alike only with one seed: pass the same `seed` to both, or subset='both'.")
    seed = fresh_seed() if seed is None else seed
    paths, numbers, class_names = _indexed(pathlib.Path(directory), endings, labels, label_mode, class_names, follow_links)
    if verbose:
        print(f"Found {len(paths)} files" + (f" belonging to {len(class_names)} classes." if class_names is not None else "."))
    order = permutation(seed, 0, len(paths)) if shuffle else np.arange(len(paths))
    targets = _encoded(numbers, label_mode, class_names)
    if subset is None:
        parts = [order]
    else:
        count = int(validation_split * len(paths))
        if not 0 < count < len(paths):
            raise ValueError(f"validation_split={validation_split} of {len(paths)} files leaves a part empty.")
        halves = {"training": order[:-count], "validation": order[-count:]}
        parts = list(halves.values()) if subset == "both" else [halves[subset]]
        if verbose:
            for name, part in halves.items():
                if subset in (name, "both"):
                    print(f"Using {len(part)} files for {name}.")
    made = [
        FileBatches([paths[i] for i in part], None if targets is None else targets[part], class_names, read, batch_size, shuffle, seed)
        for part in parts
    ]
    return made if subset == "both" else made[0]


def _indexed(directory: pathlib.Path, endings: tuple[str, ...], labels: Any, label_mode: str | None, class_names: Sequence[str] | None,
             follow_links: bool) -> tuple[list[str], list[int] | None, list[str] | None]:  # fmt: skip
    """The paths, their class numbers and the names of the classes."""
    if not directory.is_dir():
        raise FileNotFoundError(f"There is no folder {str(directory)!r}.")
    if isinstance(labels, str):
        if labels != "inferred":
            raise ValueError(f"labels must be 'inferred', None or a list of integers, got {labels!r}.")
        found = sorted(part.name for part in directory.iterdir() if part.is_dir())
        names = found if class_names is None else list(class_names)
        if missing := sorted(set(names) - set(found)):
            raise ValueError(f"class_names holds {missing}, but {str(directory)!r} has the folders {found}.")
        pairs = [(path, i) for i, name in enumerate(names) for path in _files(directory / name, endings, follow_links)]
        paths, numbers = [path for path, _ in pairs], [i for _, i in pairs]
    else:
        if class_names is not None:
            raise ValueError("class_names orders the folders, so it goes with labels='inferred' only.")
        paths = _files(directory, endings, follow_links)
        if labels is not None and len(labels) != len(paths):
            raise ValueError(f"labels needs one number per file: got {len(labels)} for {len(paths)} files under {str(directory)!r}.")
        numbers = [] if labels is None else list(map(int, labels))
        names = [str(number) for number in sorted(set(numbers))]
    if not paths:
        raise ValueError(
            f"No files with the endings {', '.join(endings)} under {str(directory)!r}" + (f", in folders {names}." if names else ".")
        )
    if label_mode is None or labels is None:
        if labels is None and label_mode is not None:
            raise ValueError(f"labels=None gives no labels, so label_mode must be None too, got {label_mode!r}.")
        return paths, None, None
    return paths, numbers, names


def _files(folder: pathlib.Path, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    """The files below a folder, sorted: folder by folder, the nearest first."""
    found = []
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        found += [os.path.join(root, name) for name in sorted(names) if name.lower().endswith(endings)]
    return found


def _encoded(numbers: list[int] | None, label_mode: str | None, class_names: list[str] | None) -> np.ndarray | None:
    if numbers is None or class_names is None:
        return None
    labels = np.asarray(numbers, "int32")
    if label_mode == "int":
        return labels
    if label_mode == "binary":
        if len(class_names) != 2:
            raise ValueError(f"label_mode='binary' needs two classes, got {len(class_names)}: {class_names}.")
        return labels[:, None].astype("float32")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(f"label_mode='categorical' needs labels from 0 to {len(class_names) - 1}, got {labels.min()} to {labels.max()}.")
    return np.eye(len(class_names), dtype="float32")[labels]
