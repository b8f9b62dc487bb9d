"""The config of a network that compression steps have made smaller, so that it can be trained on."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.config import Document, load_config
from trainkit.config.yaml_reader import read_text
from trainkit.deploy.compress.kernels import variables_of
from trainkit.deploy.proof import Proof
from trainkit.deploy.subject import COMPRESSED, NETWORK, Subject
from trainkit.errors import PromiseError
from trainkit.inference.network_text import move_sections, write_config
from trainkit.models import build_model
from trainkit.models.describe import describe
from trainkit.models.describe.names import sayable
from trainkit.runs import write_text
from trainkit.training.weights import load_weights

SAMPLES = 32
"""Samples that the network of the config has to answer like the model."""
CLOSE = 1e-4
"""How far answers may be apart: the layers are the same, but not the order of their sums."""


def is_other_network(model: Any, before: Any) -> bool:
    """Whether a model has other weights than the one that it was made from, and not only other values."""
    first, second = ([tuple(weight.shape) for weight in variables_of(one)] for one in (model, before))
    return sorted(map(str, first)) != sorted(map(str, second))


def write_network(directory: Path, model: Any, proof: Proof, subject: Subject) -> None:
    """Write the config of a model beside `compressed.keras`, whose weights it begins with.

    Args:
        directory: Of the files; it will stand where that of the subject is.
        model: What was made.
        proof: Samples that the network has to answer like the model.
        subject: What is deployed: `data` and `training` are those of its config.

    Raises:
        InputError: If the config language cannot say its layers.
        PromiseError: If the config would build another network.
    """
    description = describe(model)
    names = sorted((layer.name for layer in model.layers if layer.weights), key=len, reverse=True)
    renamed = {name: sayable(name) for name in names if sayable(name) != name}
    description.section["weights"] = {"file": COMPRESSED, "rename": renamed} if renamed else COMPRESSED
    document = subject.config.document
    sections = move_sections(document, subject.directory.absolute())
    made_of = f"{COMPRESSED}, {model.count_params():,} parameters"
    text = write_config(description, sections, name=f"{subject.config.experiment.name}_compressed", made_of=made_of)
    text = text.replace(", without its weights.", ", which it begins with.", 1)
    _check(read_text(text, source=NETWORK, directory=subject.directory.absolute()), directory, model, proof)
    write_text(directory / NETWORK, text)


def _check(document: Document, directory: Path, model: Any, proof: Proof) -> None:
    """Build the network, with the weights, and let it answer."""
    document = copy.deepcopy(document)
    weights, file = document.data["model"]["weights"], str((directory / COMPRESSED).absolute())
    document.data["model"]["weights"] = file if isinstance(weights, str) else weights | {"file": file}
    config = load_config(document)
    with config.locating():
        built = build_model(config.experiment.model, {}, name=config.experiment.name)
        load_weights(config, built)
    given = [array[:SAMPLES] for array in proof.inputs.values()]
    apart = max(
        float(np.abs(one - other).max())
        for one, other in zip(_answers(built, given), _answers(model, given), strict=True)
    )
    if not apart <= CLOSE:
        raise PromiseError(f"{NETWORK} would build another network: its answers are {apart:.2g} from the model's.")


def _answers(model: Any, given: list[np.ndarray]) -> list[np.ndarray]:
    answers = model.predict(given, verbose=0, batch_size=SAMPLES)
    return list(answers.values()) if isinstance(answers, dict) else answers if isinstance(answers, list) else [answers]
