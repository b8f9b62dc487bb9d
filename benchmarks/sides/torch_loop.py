"""The side of PyTorch: a plain loop with a DataLoader. python torch_loop.py NETWORK DATA CLASSES BATCH_SIZE EPOCHS"""

from __future__ import annotations

import sys
import time

from channel import Channel

channel = Channel()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402
from torch_networks import L2, NETWORKS  # noqa: E402

network, filepath, classes, batch_size, _ = sys.argv[1:]
with np.load(filepath) as arrays:
    x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]).long()
if x.dtype == torch.uint8:
    x = x.float() / 255
if x.ndim == 4:
    x = x.permute(0, 3, 1, 2).contiguous()

loader = DataLoader(TensorDataset(x, y), batch_size=int(batch_size), shuffle=True)
model = NETWORKS[network](int(classes))
model.train()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_function = nn.CrossEntropyLoss()
kernels = [module.weight for module in model.modules() if isinstance(module, nn.Conv2d)]
second_biases = [weight for name, weight in model.named_parameters() if "bias_hh" in name]  # Keras' LSTM has one
learned = sum(weight.numel() for weight in model.parameters()) - sum(weight.numel() for weight in second_biases)
channel.answer(learned=learned, torch=torch.__version__, threads=torch.get_num_threads())
while True:
    channel.wait()
    began = time.perf_counter()
    total, right = 0.0, 0
    for inputs, targets in loader:
        optimizer.zero_grad()
        answers = model(inputs)
        loss = loss_function(answers, targets)
        if network in L2:
            loss = loss + L2[network] * sum(kernel.square().sum() for kernel in kernels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(targets)
        right += (answers.argmax(1) == targets).sum().item()
    seconds = time.perf_counter() - began
    channel.answer(seconds=seconds, steps=seconds, logs={"loss": total / len(y), "accuracy": right / len(y)})
