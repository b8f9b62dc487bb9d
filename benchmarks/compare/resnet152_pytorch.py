"""ResNet-152 in PyTorch."""

from torch import nn


def conv_bn(inputs, outputs, kernel_size=1, stride=1):
    conv = nn.Conv2d(inputs, outputs, kernel_size, stride, padding=kernel_size // 2)
    return conv, nn.BatchNorm2d(outputs, eps=1.001e-5)


class Bottleneck(nn.Module):
    def __init__(self, inputs, filters, stride=1, project=False):
        super().__init__()
        self.body = nn.Sequential(
            *conv_bn(inputs, filters, stride=stride),
            nn.ReLU(),
            *conv_bn(filters, filters, 3),
            nn.ReLU(),
            *conv_bn(filters, 4 * filters),
        )
        shortcut = conv_bn(inputs, 4 * filters, stride=stride) if project else ()
        self.shortcut = nn.Sequential(*shortcut)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.shortcut(x) + self.body(x))


def resnet152(classes=1000):
    net = [*conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)]
    inputs = 64
    for filters, depth, stride in [(64, 3, 1), (128, 8, 2), (256, 36, 2), (512, 3, 2)]:
        net.append(Bottleneck(inputs, filters, stride, project=True))
        inputs = 4 * filters
        net += [Bottleneck(inputs, filters) for _ in range(depth - 1)]
    net += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes), nn.Softmax(dim=1)]
    return nn.Sequential(*net)
