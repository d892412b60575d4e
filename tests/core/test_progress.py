"""The display: what is drawn where, and how seldom the values are read."""

import io
import sys

import pytest

from core.base import config
from core.callbacks import ProgbarLogger
from core.training import progress
from core.training.progress import Progbar, format_duration, format_step_time, format_value


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(monkeypatch, stream, verbose=1, interval=0.0, target=3, values=lambda i: [("loss", float(i))]):
    monkeypatch.setattr(sys, "stdout", stream)
    bar = Progbar(target, verbose=verbose, interval=interval)
    for i in range(3):
        bar.update(i + 1, values(i), finalize=True if i == 2 else None)
    return stream.getvalue()


def test_not_a_terminal_one_plain_line(monkeypatch):
    text = run(monkeypatch, io.StringIO())
    assert text.count("\n") == 1 and text.endswith(" - loss: 1.0000\n") and text.startswith("3/3 " + "━" * 20)
    assert not any(ord(char) < 32 for char in text.strip())


def test_terminal_draws_over_one_line(monkeypatch):
    text = run(monkeypatch, Terminal())
    assert text.count("\r") == 3 and text.count("\n") == 1 and "1/3" in text and "loss: 1.0000" in text.splitlines()[-1]


def test_notebook_draws_over_without_escapes(monkeypatch):
    monkeypatch.setattr(progress, "is_notebook", lambda: True)
    text = run(monkeypatch, io.StringIO())
    assert text.count("\r") == 3 and "\x1b" not in text and text.endswith("\n")


def test_long_lines_do_not_wrap_while_they_grow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    text = run(monkeypatch, Terminal(), values=lambda i: [("a_metric_with_a_long_name", 1.0)] * 1 + [("another_of_them", 2.0)])
    growing = text.split("\r")[1]
    visible = "".join(part.partition("m")[2] if part.startswith("[") else part for part in growing.split("\x1b"))
    assert len(visible.replace("[2K", "")) <= 40


@pytest.mark.parametrize("verbose, lines", [(0, 0), (2, 1)])
def test_verbose(monkeypatch, verbose, lines):
    text = run(monkeypatch, Terminal(), verbose=verbose)
    assert text.count("\n") == lines and "\r" not in text and "━" not in text
    assert lines == 0 or text.startswith("3/3 - 0s - ")


def test_unknown_target(monkeypatch):
    text = run(monkeypatch, Terminal(), target=None)
    assert "1/Unknown" in text and "3/3" in text


def test_values_are_read_only_when_drawn(monkeypatch):
    reads = []

    def values(i):
        return lambda: reads.append(i) or {"loss": i}

    run(monkeypatch, Terminal(), interval=1000.0, values=values)
    assert reads == [0, 2]  # the first drawing and the last
    reads.clear()
    run(monkeypatch, io.StringIO(), values=values)
    assert reads == [2]


def test_averages_and_stateful_values(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    bar = Progbar(4, verbose=2, stateful_metrics=["acc"])
    bar.update(3, [("loss", 1.0), ("acc", 0.1)])
    bar.add(1, [("loss", 5.0), ("acc", 0.2)])
    assert sys.stdout.getvalue().endswith(" - loss: 2.0000 - acc: 0.2000\n")


def test_logging_instead_of_printing(monkeypatch, caplog):
    config.change(interactive_logging=False)
    with caplog.at_level("INFO", "core"):
        assert run(monkeypatch, Terminal()) == ""
    assert len(caplog.records) == 1 and "loss: 1.0000" in caplog.text


@pytest.mark.parametrize(
    "value, text", [(0.5, "0.5000"), (1e-4, "1.0000e-04"), (123456, "123456.0000"), ([0.5, 2.0], "[0.5000, 2.0000]"), (float("nan"), "nan")]
)
def test_numbers(value, text):
    assert format_value(value) == text or (text == "nan" and format_value(value).startswith("nan"))


def test_times():
    assert [format_step_time(t, "step") for t in (2, 0.003, 0.000004)] == ["2s/step", "3ms/step", "4us/step"]
    assert [format_duration(t) for t in (5, 187, 3723)] == ["5s", "3:07", "1:02:03"]


def test_fit_display(monkeypatch, capsys):
    logger = ProgbarLogger()
    logger.set_params({"verbose": 1, "epochs": 2, "steps": 2})
    logger.on_train_begin()
    for epoch in range(2):
        logger.on_epoch_begin(epoch)
        for step in range(2):
            logger.advance(step + 1, lambda: {"loss": 0.25})
        logger.on_test_begin()
        logger.on_test_end({"loss": 9.0})
        logger.on_epoch_end(epoch, {"loss": 0.25, "val_loss": 0.5})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 4
    assert lines[1].startswith("2/2 ") and lines[1].endswith("- loss: 0.2500 - val_loss: 0.5000")
