"""A picture of samples, images or sequences: as they are, and as the first epochs of a training see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from trainkit.config import Config, SettingError
from trainkit.data import Facts, Split, Splits, load_data
from trainkit.framework import tf
from trainkit.runs import replace_file
from trainkit.training.outputs import Output, outputs_of
from trainkit.training.pipeline import training_change

LEAST_SIDE = 96
"""Pixels of the shorter side of a tile; smaller images are magnified by a whole number."""
MOST_STEPS = 600
"""Steps of a sequence that are drawn, a column of pixels or more each."""
LINE = 13
GAP = 6


def write_contact_sheet(
    config: Config, filepath: Path, *, samples: int = 8, epochs: int = 5, splits: Splits[Split] | None = None
) -> Path:
    """Draw training samples, a row each: as they are, and augmented as in the first epochs, with their labels.

    Args:
        config: The configuration.
        filepath: The PNG to write.
        samples: How many samples, in the order of the first epoch.
        epochs: How many epochs.
        splits: The data, if they are loaded already.

    Returns:
        `filepath`.

    Raises:
        ConfigError: If the data cannot be used, or have neither images nor sequences of numbers.
        OutputError: If the file cannot be written.
    """
    splits = splits or load_data(config)
    train, facts = splits.train, splits.train.facts
    outputs = outputs_of(config.experiment, facts)
    with config.locating():
        if not can_draw(facts):
            raise SettingError(("data", "source"), "has no images and no sequences of numbers to show.")
        change = training_change(config, facts, outputs, seed=config.experiment.seed)
    first = train.first_rows(min(samples, train.size), seed=config.experiment.seed)
    batch = next(iter(first.ordered(first.size)))
    columns = [("as it is", batch)]
    if change is not None:
        rows = tf.constant(first.rows)
        columns += [
            (f"epoch {epoch + 1}", change(*batch, epoch=tf.constant(epoch, tf.int64), rows=rows))
            for epoch in range(epochs)
        ]
    sheet = _draw(columns, first, facts, outputs)
    with replace_file(filepath) as temporary:
        sheet.save(temporary, format="PNG")
    return filepath


def can_draw(facts: Facts) -> bool:
    """Whether there is an input that can be drawn."""
    return bool(_drawn(facts))


def _draw(columns: Sequence[tuple[str, Any]], split: Split, facts: Facts, outputs: Mapping[str, Output]) -> Image.Image:
    """The tiles of all columns, with the label of each below it."""
    names = _drawn(facts)
    tiles = [
        (_tile(batch[0][name][row], name, row, split), f"{title}\n{_label(batch[1], row, outputs)}")
        for row in range(split.size)
        for title, batch in columns
        for name in names
    ]
    across = len(columns) * len(names)
    width = max(picture.width for picture, _ in tiles) + GAP
    height = max(picture.height for picture, _ in tiles) + 2 * LINE + GAP
    sheet = Image.new("RGB", (across * width + GAP, len(tiles) // across * height + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=10)
    for index, (picture, label) in enumerate(tiles):
        left, top = GAP + index % across * width, GAP + index // across * height
        sheet.paste(picture, (left, top))
        for number, line in enumerate(label.split("\n", 1)):
            text = _cut(" ".join(line.split()), pen, font, width - GAP)
            pen.text((left, top + picture.height + number * LINE), text, fill="black", font=font)
    return sheet


def _drawn(facts: Facts) -> list[str]:
    """The inputs that are drawn."""
    return [
        name
        for name, field in facts.inputs.items()
        if field.is_image or (field.is_sequence and len(field.shape) < 3 and field.dtype != "string")
    ]


def _tile(values: Any, name: str, row: int, split: Split) -> Image.Image:
    """An image, or a sequence as a heat map: time goes to the right, a line is a feature."""
    field, lengths = split.facts.inputs[name], split.lengths(name)
    if lengths is None:
        return _picture(values, field.value_range)
    steps = np.asarray(values, np.float32)[: min(lengths[row], MOST_STEPS)]
    picture = _pixels(steps.reshape(len(steps), -1).T[..., np.newaxis], field.value_range)
    across, down = (side * max(1, LEAST_SIDE // side) for side in picture.size)
    return picture.resize((across, down), Image.Resampling.NEAREST)


def _picture(image: Any, value_range: tuple[float, float] | None) -> Image.Image:
    picture = _pixels(np.asarray(image, np.float32), value_range)
    times = max(1, -(-LEAST_SIDE // min(picture.size)))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _pixels(values: np.ndarray, value_range: tuple[float, float] | None) -> Image.Image:
    low, high = value_range or (float(values.min()), float(values.max()) or 1.0)
    pixels = np.clip((values - low) * 255 / max(high - low, 1e-12), 0, 255).astype(np.uint8)
    channels = pixels.shape[-1]
    return Image.fromarray(pixels[..., 0] if channels < 3 else pixels[..., :3]).convert("RGB")


def _label(targets: Mapping[str, Any], row: int, outputs: Mapping[str, Output]) -> str:
    return ", ".join(" ".join(_target(np.asarray(targets[name][row]), output)) for name, output in outputs.items())


def _target(value: np.ndarray, output: Output) -> Iterator[str]:
    """The class, or the share of each class of mixed samples, or the numbers."""
    classes = output.target.classes
    if classes is None:
        yield from (f"{number:.3g}" for number in value.ravel())
    elif value.ndim == 0:
        yield classes[int(value)]
    else:
        shares = sorted(((float(value[index]), classes[index]) for index in np.flatnonzero(value > 1e-3)), reverse=True)
        yield from (name if share > 1 - 1e-3 else f"{share:.0%} {name}" for share, name in shares)


def _cut(text: str, pen: ImageDraw.ImageDraw, font: Any, width: int) -> str:
    while text and pen.textlength(text, font=font) > width:
        text = text[:-1]
    return text
