"""Images in files and arrays, and data sets out of folders."""

import io

import numpy as np
import pytest

import core
from core import layers
from core.preprocessing import image_dataset_from_directory, text_dataset_from_directory
from core.preprocessing.image import array_to_img, img_to_array, load_img, save_img, smart_resize

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 31, 3)).astype("uint8")


@pytest.fixture
def folder(tmp_path):
    """Three classes of two images, one of them in a folder inside, and a text each."""
    for number, name in enumerate("bac"):
        (tmp_path / name / "deep").mkdir(parents=True)
        for i, path in enumerate(("0.png", "deep/1.png")):
            Image.fromarray(np.full((6 + i, 8, 3), 10 * number + i, "uint8")).save(tmp_path / name / path)
        (tmp_path / name / "note.txt").write_text(f"É{name} is long", encoding="utf-8")
    return tmp_path


# ------------------------------------------------------------------------------------------------ single images


def test_arrays_and_images():
    image = Image.fromarray(PIXELS)
    array = img_to_array(image)
    assert array.dtype == "float32" and np.array_equal(array, PIXELS)
    assert np.array_equal(img_to_array(image, "channels_first", "uint8"), PIXELS.transpose(2, 0, 1))
    assert img_to_array(Image.new("L", (5, 4))).shape == (4, 5, 1)
    assert np.array_equal(array_to_img(array, scale=False), PIXELS)
    assert np.array_equal(array_to_img(array.transpose(2, 0, 1), "channels_first", scale=False), PIXELS)


def test_scaling_stretches_to_the_whole_range():
    stretched = np.asarray(array_to_img(np.linspace(-1, 3, 12).reshape(2, 2, 3)))
    np.testing.assert_array_equal(stretched.ravel(), np.floor(np.linspace(0, 255, 12) + 1e-4))
    assert not np.asarray(array_to_img(np.full((2, 2, 1), 7.0))).any()
    deep = array_to_img(np.full((2, 2, 1), 300.0), scale=False)
    assert deep.mode == "I" and np.asarray(deep).max() == 300


@pytest.mark.parametrize("shape, message", [((3,), "three axes"), ((2, 3, 4, 3), "three axes"), ((2, 3, 5), "1, 3 or 4 channels")])
def test_arrays_that_are_no_images(shape, message):
    with pytest.raises(ValueError, match=message):
        array_to_img(np.ones(shape))


def test_files(tmp_path):
    path = tmp_path / "a.png"
    save_img(path, PIXELS, scale=False)
    assert np.array_equal(img_to_array(load_img(path)), PIXELS)
    assert np.array_equal(img_to_array(load_img(io.BytesIO(path.read_bytes()))), PIXELS)
    assert [load_img(path, mode).mode for mode in ("rgb", "rgba", "grayscale")] == ["RGB", "RGBA", "L"]
    assert load_img(path, target_size=(5, 7)).size == (7, 5)
    with pytest.warns(UserWarning, match="transparency"):
        save_img(tmp_path / "b.jpg", np.ones((4, 4, 4)))
    assert load_img(tmp_path / "b.jpg").size == (4, 4)
    with pytest.raises(ValueError, match="did you mean 'rgb'"):
        load_img(path, "rgbb")
    with pytest.raises(ValueError, match="Unknown interpolation"):
        load_img(path, target_size=(2, 2), interpolation="cubist")


def test_the_aspect_ratio_is_kept_by_cutting_the_middle_out(tmp_path):
    path = tmp_path / "a.png"
    save_img(path, PIXELS, scale=False)
    assert np.array_equal(img_to_array(load_img(path, target_size=(20, 20), keep_aspect_ratio=True)), PIXELS[:, 5:25])
    assert np.array_equal(smart_resize(PIXELS, (20, 20)), PIXELS[:, 5:25])
    batch = smart_resize(np.stack([PIXELS, PIXELS]).astype("float32"), (10, 10))
    assert batch.shape == (2, 10, 10, 3) and batch.dtype == "float32"


def test_a_tensor_stays_a_tensor():
    with core.backend.use("torch"):
        result = smart_resize(core.ops.convert_to_tensor(PIXELS.astype("float32")), (20, 20))
    assert type(result).__name__ == "Tensor" and np.array_equal(result.numpy(), PIXELS[:, 5:25])


def test_missing_pillow_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        array_to_img(PIXELS)


# ------------------------------------------------------------------------------------------------ folders


def test_images_of_folders(folder, capsys):
    data = image_dataset_from_directory(folder, image_size=(4, 4), shuffle=False, batch_size=4)
    assert capsys.readouterr().out == "Found 6 files belonging to 3 classes.\n" and data.class_names == ["a", "b", "c"]
    (x, y), (x2, y2) = data
    assert x.shape == (4, 4, 4, 3) and x.dtype == "float32" and x2.shape[0] == 2
    assert y.dtype == "int32" and [*y, *y2] == [0, 0, 1, 1, 2, 2]
    np.testing.assert_allclose(x[:, 0, 0, 0], [10, 11, 0, 1])


@pytest.mark.parametrize(
    "options, shapes",
    [
        (dict(label_mode="categorical"), [(6, 4, 4, 3), (6, 3)]),
        (dict(label_mode="binary", class_names=["c", "a"]), [(4, 4, 4, 3), (4, 1)]),
        (dict(label_mode=None), [(6, 4, 4, 3)]),
        (dict(labels=None, label_mode=None), [(6, 4, 4, 3)]),
        (dict(labels=[5, 4, 3, 2, 1, 0]), [(6, 4, 4, 3), (6,)]),
        (dict(batch_size=None), [(4, 4, 3), ()]),
        (dict(color_mode="grayscale", data_format="channels_first"), [(6, 1, 4, 4), (6,)]),
        (dict(color_mode="rgba", pad_to_aspect_ratio=True), [(6, 4, 4, 4), (6,)]),
    ],
)
def test_forms_of_batches(folder, options, shapes):
    batch = image_dataset_from_directory(folder, image_size=(4, 4), verbose=False, seed=0, **options)[0]
    assert [part.shape for part in (batch if isinstance(batch, tuple) else (batch,))] == shapes


def test_the_parts_of_a_split_are_apart_and_together_all(folder):
    options = dict(validation_split=0.34, seed=3, verbose=False)
    train = image_dataset_from_directory(folder, subset="training", **options)
    test = image_dataset_from_directory(folder, subset="validation", **options)
    assert (len(train.file_paths), len(test.file_paths)) == (4, 2)
    assert not set(train.file_paths) & set(test.file_paths)
    both = image_dataset_from_directory(folder, subset="both", **options)
    assert [part.file_paths for part in both] == [train.file_paths, test.file_paths]


def test_epochs_are_shuffled_anew(folder):
    data = image_dataset_from_directory(folder, image_size=(2, 2), seed=0, verbose=False)
    orders = []
    for _ in range(4):
        x, y = data[0]
        orders.append(tuple(x[:, 0, 0, 0]))
        np.testing.assert_array_equal(y, np.array([1, 0, 2])[(x[:, 0, 0, 0] // 10).astype(int)])  # labels stay with their images
        data.on_epoch_end()
    assert len(set(orders)) > 1 and len({tuple(sorted(order)) for order in orders}) == 1


def test_texts_of_folders(folder):
    data = text_dataset_from_directory(folder, max_length=5, shuffle=False, verbose=False)
    texts, labels = data[0]
    assert texts.tolist() == ["Éa is", "Éb is", "Éc is"] and labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(label_mode="ints"), "did you mean 'int'"),
        (dict(labels=[1, 2]), "one number per file"),
        (dict(labels=None), "label_mode must be None"),
        (dict(class_names=["a", "z"]), r"\['z'\]"),
        (dict(label_mode="binary"), "two classes"),
        (dict(validation_split=0.2), "together"),
        (dict(validation_split=0.2, subset="training"), "seed"),
        (dict(validation_split=0.01, subset="both"), "leaves a part empty"),
        (dict(color_mode="cmyk"), "Unknown color_mode"),
    ],
)
def test_what_cannot_be_meant_is_named(folder, options, message):
    with pytest.raises(ValueError, match=message):
        image_dataset_from_directory(folder, verbose=False, **options)


def test_a_broken_file_is_named_and_a_missing_folder(folder):
    (folder / "a" / "0.png").write_bytes(b"no image")
    with pytest.raises(OSError) as caught:
        image_dataset_from_directory(folder, shuffle=False, verbose=False)[0]
    assert "0.png" in caught.value.__notes__[0]
    with pytest.raises(FileNotFoundError, match="nowhere"):
        image_dataset_from_directory(folder / "nowhere")


def test_a_model_trains_on_a_folder(folder):
    core.config.set_backend("torch")
    data = image_dataset_from_directory(folder, image_size=(4, 4), batch_size=2, seed=0, verbose=False)
    model = core.Sequential([core.Input((4, 4, 3)), layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", core.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(data, epochs=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()
