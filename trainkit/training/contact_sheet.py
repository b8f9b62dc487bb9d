"""A picture of samples: as they are, and as the first epochs of a training see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from trainkit.config import Config, SettingError
from trainkit.data import Facts, Split, load_data
from trainkit.framework import tf
from trainkit.runs import replace_file
from trainkit.training.outputs import Output, outputs_of
from trainkit.training.pipeline import training_change

LEAST_SIDE = 96
"""Pixels of the shorter side of a tile; smaller images are magnified by a whole number."""
LINE = 13
GAP = 6


def write_contact_sheet(config: Config, filepath: Path, *, samples: int = 8, epochs: int = 5) -> Path:
    """Draw training samples, a row each: as they are, and augmented as in the first epochs, with their labels.

    Args:
        config: The configuration.
        filepath: The PNG to write.
        samples: How many samples, in the order of the first epoch.
        epochs: How many epochs.

    Returns:
        `filepath`.

    Raises:
        ConfigError: If the data cannot be used, or have no images.
        OutputError: If the file cannot be written.
    """
    splits = load_data(config)
    train, facts = splits.train, splits.train.facts
    outputs = outputs_of(config.experiment, facts)
    with config.locating():
        if not any(field.is_image for field in facts.inputs.values()):
            raise SettingError(("data", "source"), "has no images to show.")
        change = training_change(config, facts, outputs)
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


def _draw(columns: Sequence[tuple[str, Any]], split: Split, facts: Facts, outputs: Mapping[str, Output]) -> Image.Image:
    """The tiles of all columns, with the label of each below it."""
    names = [name for name, field in facts.inputs.items() if field.is_image]
    tiles = [
        (_picture(batch[0][name][row], facts.inputs[name].value_range), f"{title}\n{_label(batch[1], row, outputs)}")
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


def _picture(image: Any, value_range: tuple[float, float] | None) -> Image.Image:
    values = np.asarray(image, np.float32)
    low, high = value_range or (float(values.min()), float(values.max()) or 1.0)
    pixels = np.clip((values - low) * 255 / max(high - low, 1e-12), 0, 255).astype(np.uint8)
    channels = pixels.shape[-1]
    picture = Image.fromarray(pixels[..., 0] if channels < 3 else pixels[..., :3])
    times = max(1, -(-LEAST_SIDE // min(picture.size)))
    return picture.convert("RGB").resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


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
