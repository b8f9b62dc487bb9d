"""The U-Net in PyTorch."""

import torch
from torch import nn


def down(inputs):
    return nn.Sequential(nn.Conv2d(inputs, 16, 3, stride=2, padding=1, bias=False), nn.ReLU())


def up(inputs):
    return nn.Sequential(
        nn.Conv2d(inputs, 16, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1, output_padding=1, bias=False),
        nn.ReLU(),
    )


class UNet(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.down = nn.ModuleList([down(3), down(16), down(16), down(16)])
        self.up = nn.ModuleList([up(16), up(32), up(32), up(32)])
        self.classifier = nn.Conv2d(16, classes, 1, bias=False)

    def forward(self, x):
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        skips.pop()
        x = self.up[0](x)
        for layer in self.up[1:]:
            x = layer(torch.cat([x, skips.pop()], dim=1))
        return self.classifier(x).softmax(dim=1)
