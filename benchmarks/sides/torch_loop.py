"""The side of PyTorch: a plain loop with a DataLoader. python torch_loop.py NETWORK DATA CLASSES BATCH_SIZE EPOCHS

The DataLoader has as many workers as are fastest, of none up to one for each core: found by training a little first,
unless steps are long.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from channel import Channel

channel = Channel()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402
from torch_networks import L2, NETWORKS  # noqa: E402

SECONDS, FEWEST, MOST, TRIALS = 3.0, 10, 100, 2
"""Of a trial, about; its batches; trials of each number of workers: the fastest counts, not starting them."""

network, filepath, classes, size, _ = sys.argv[1:]
batch_size = int(size)
with np.load(filepath) as arrays:
    x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]).long()
if x.dtype == torch.uint8:
    x = x.float() / 255
if x.ndim == 4:
    x = x.permute(0, 3, 1, 2).contiguous()


class Training:
    """A new model and what it takes to train it."""

    def __init__(self) -> None:
        self.model = NETWORKS[network](int(classes)).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.loss_function = nn.CrossEntropyLoss()
        self.kernels = [module.weight for module in self.model.modules() if isinstance(module, nn.Conv2d)]

    def epoch(self, loader: Any) -> dict[str, float]:
        total, right, count = 0.0, 0, 0
        for inputs, targets in loader:
            self.optimizer.zero_grad()
            answers = self.model(inputs)
            loss = self.loss_function(answers, targets)
            if network in L2:
                loss = loss + L2[network] * sum(kernel.square().sum() for kernel in self.kernels)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(targets)
            right += (answers.argmax(1) == targets).sum().item()
            count += len(targets)
        return {"loss": total / count, "accuracy": right / count}


def make_loader(samples: int, workers: int) -> Any:
    dataset = TensorDataset(x[:samples], y[:samples])
    keep = workers > 0
    return DataLoader(dataset, batch_size, shuffle=True, num_workers=workers, persistent_workers=keep)


def seconds_of(training: Training, loader: Any) -> float:
    began = time.perf_counter()
    training.epoch(loader)
    return time.perf_counter() - began


def fastest() -> int:
    """The number of workers with which some batches are trained in the shortest time."""
    training = Training()
    seconds_of(training, make_loader(batch_size, 0))  # what PyTorch does once
    batches = round(SECONDS / seconds_of(training, make_loader(batch_size, 0)))
    if batches < FEWEST:
        return 0  # steps that long hide the milliseconds that it takes to stack samples
    samples = min(len(y), min(batches, MOST) * batch_size)
    loaders = {workers: make_loader(samples, workers) for workers in range(len(os.sched_getaffinity(0)) + 1)}
    seconds: dict[int, list[float]] = {workers: [] for workers in loaders}
    for _ in range(TRIALS):
        for workers, loader in loaders.items():
            seconds[workers].append(seconds_of(training, loader))
    return min(seconds, key=lambda workers: min(seconds[workers]))


workers = fastest()
loader, training = make_loader(len(y), workers), Training()
second_biases = [weight for name, weight in training.model.named_parameters() if "bias_hh" in name]  # Keras has one
learned = sum(weight.numel() for weight in training.model.parameters()) - sum(one.numel() for one in second_biases)
channel.answer(
    learned=learned,
    torch=torch.__version__,
    told=f"{torch.get_num_threads()} threads, num_workers={workers}",
)
while True:
    channel.wait()
    began = time.perf_counter()
    logs = training.epoch(loader)
    seconds = time.perf_counter() - began
    channel.answer(seconds=seconds, steps=seconds, logs=logs)
