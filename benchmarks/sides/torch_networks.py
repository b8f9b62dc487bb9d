"""The networks that are compared, in PyTorch; they answer with logits, as its cross-entropy wants them."""

from __future__ import annotations

from torch import Tensor, nn


def lenet300(classes: int) -> nn.Module:
    hidden = nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU()
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(100, classes))


def lenet5(classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, classes),
    )


class Residual(nn.Module):
    """What a shortcut and a body give, added up."""

    def __init__(self, shortcut: nn.Module, *body: nn.Module) -> None:
        super().__init__()
        self.shortcut, self.body = shortcut, nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.shortcut(x) + self.body(x))


def resnet8(classes: int) -> nn.Module:
    def conv(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.BatchNorm2d(outputs)]

    layers = [*conv(3, 16), nn.ReLU()]
    inputs = 16
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        shortcut = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()
        layers.append(Residual(shortcut, *conv(inputs, outputs, stride), nn.ReLU(), *conv(outputs, outputs)))
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def mobilenet(classes: int) -> nn.Module:
    def norm(filters: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(filters), nn.ReLU6()]

    layers = [nn.Conv2d(3, 8, 3, 2, padding=1, bias=False), *norm(8)]
    inputs = 8
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    for outputs, stride in zip((16, 32, 32, 64, 64, *[128] * 6, 256, 256), strides, strict=True):
        layers += [nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False), *norm(inputs)]
        layers += [nn.Conv2d(inputs, outputs, 1, bias=False), *norm(outputs)]
        inputs = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.001), nn.Linear(inputs, classes)]
    return nn.Sequential(*layers)


class LastOfLSTM(nn.Module):
    """The last answer of an LSTM."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0][:, -1]


def lstm(classes: int) -> nn.Module:
    return nn.Sequential(LastOfLSTM(16, 64), nn.Linear(64, classes))


def resnet50(classes: int) -> nn.Module:
    def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, size, stride, padding=size // 2), nn.BatchNorm2d(outputs)]

    layers = [*conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)]
    inputs = 64
    for filters, depth, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(depth):
            stride, outputs = (1 if index else first), 4 * filters
            body = conv(inputs, filters, 1, stride), conv(filters, filters, 3), conv(filters, outputs)
            shortcut = nn.Identity() if index else nn.Sequential(*conv(inputs, outputs, 1, stride))
            layers.append(Residual(shortcut, *body[0], nn.ReLU(), *body[1], nn.ReLU(), *body[2]))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


NETWORKS = {
    "LeNet-300-100": lenet300,
    "LeNet-5": lenet5,
    "ResNet-8": resnet8,
    "MobileNetV1 0.25": mobilenet,
    "LSTM": lstm,
    "ResNet-50": resnet50,
}
L2 = {"ResNet-8": 1e-4}
"""Keras' L2 adds this times the sum of squares of the kernels to the loss."""
