"""The networks as Caffe's prototxt, one key a line, as the authors of ResNet published theirs."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase

RESNET152 = [(64, 3), (128, 8), (256, 36), (512, 3)]


def lenet5() -> str:
    return _net(
        ("LeNet-5", 1, 28),
        _layer("Convolution", "data", "conv1", num_output=20, kernel_size=5),
        _layer("Pooling", "conv1", "pool1", pool="MAX", kernel_size=2, stride=2),
        _layer("Convolution", "pool1", "conv2", num_output=50, kernel_size=5),
        _layer("Pooling", "conv2", "pool2", pool="MAX", kernel_size=2, stride=2),
        _layer("InnerProduct", "pool2", "ip1", num_output=500),
        _layer("ReLU", "ip1", "ip1", name="relu1"),
        _layer("InnerProduct", "ip1", "ip2", num_output=10),
        _layer("Softmax", "ip2", "prob"),
    )


def unet() -> str:
    return _net(("U-Net", 3, 256), *_unet_layers())


def resnet152() -> str:
    return _net(("ResNet-152", 3, 224), *_resnet_layers())


def _unet_layers() -> Iterator[str]:
    top = "data"
    for number in range(1, 5):
        yield from _unet_conv(top, f"down{number}", kernel_size=3, pad=1, stride=2)
        top = f"down{number}"
    for number, skip in zip(range(1, 5), ["down3", "down2", "down1", ""], strict=True):
        yield from _unet_conv(top, f"conv{number}", kernel_size=3, pad=1)
        yield _layer("Deconvolution", f"conv{number}", f"up{number}", **_sizes(kernel_size=3, stride=2))
        yield _layer("Crop", [f"up{number}", skip or "data"], f"crop{number}")  # a row and a column too many
        yield _layer("ReLU", f"crop{number}", f"crop{number}", name=f"up{number}_relu")
        top = f"crop{number}"
        if skip:
            yield _layer("Concat", [top, skip], f"concat{number}")
            top = f"concat{number}"
    yield _layer("Convolution", top, "score", num_output=2, kernel_size=1, bias_term="false")
    yield _layer("Softmax", "score", "prob")


def _unet_conv(bottom: str, top: str, **sizes: int) -> Iterator[str]:
    yield _layer("Convolution", bottom, top, **_sizes(**sizes))
    yield _layer("ReLU", top, top, name=f"{top}_relu")


def _sizes(**sizes: int) -> dict[str, int | str]:
    return {"num_output": 16, **sizes, "bias_term": "false"}


def _resnet_layers() -> Iterator[str]:
    yield from _conv_bn("data", "conv1", "conv1", (64, 7, 3, 2))
    yield _layer("ReLU", "conv1", "conv1", name="conv1_relu")
    yield _layer("Pooling", "conv1", "pool1", kernel_size=3, stride=2, pool="MAX")
    top = "pool1"
    for stage, (filters, depth) in enumerate(RESNET152, start=2):
        letters = [*ascii_lowercase[:depth]] if depth < 8 else ["a", *(f"b{number}" for number in range(1, depth))]
        for letter in letters:
            stride = 2 if letter == "a" and stage > 2 else 1
            yield from _bottleneck(top, f"{stage}{letter}", filters, stride, project=letter == "a")
            top = f"res{stage}{letter}"
    yield _layer("Pooling", top, "pool5", kernel_size=7, stride=1, pool="AVE")
    yield _layer("InnerProduct", "pool5", "fc1000", num_output=1000)
    yield _layer("Softmax", "fc1000", "prob")


def _bottleneck(bottom: str, name: str, filters: int, stride: int, *, project: bool) -> Iterator[str]:
    if project:
        yield from _conv_bn(bottom, f"res{name}_branch1", f"{name}_branch1", (4 * filters, 1, 0, stride))
    shortcut = f"res{name}_branch1" if project else bottom
    sizes = {"a": (filters, 1, 0, stride), "b": (filters, 3, 1, 1), "c": (4 * filters, 1, 0, 1)}
    top = bottom
    for part, size in sizes.items():
        top, before = f"res{name}_branch2{part}", top
        yield from _conv_bn(before, top, f"{name}_branch2{part}", size)
        if part != "c":
            yield _layer("ReLU", top, top, name=f"{top}_relu")
    yield _layer("Eltwise", [shortcut, top], f"res{name}")
    yield _layer("ReLU", f"res{name}", f"res{name}", name=f"res{name}_relu")


def _conv_bn(bottom: str, top: str, name: str, sizes: tuple[int, int, int, int]) -> Iterator[str]:
    filters, kernel_size, pad, stride = sizes
    keys = {"num_output": filters, "kernel_size": kernel_size, "pad": pad, "stride": stride, "bias_term": "false"}
    yield _layer("Convolution", bottom, top, **keys)
    yield _layer("BatchNorm", top, top, name=f"bn{name}", use_global_stats="true")
    yield _layer("Scale", top, top, name=f"scale{name}", bias_term="true")


PARAM = {
    "Convolution": "convolution_param",
    "Deconvolution": "convolution_param",
    "Pooling": "pooling_param",
    "InnerProduct": "inner_product_param",
    "BatchNorm": "batch_norm_param",
    "Scale": "scale_param",
}


def _layer(kind: str, bottom: str | list[str], top: str, *, name: str | None = None, **keys: int | str) -> str:
    bottoms = [bottom] if isinstance(bottom, str) else bottom
    lines = [*(f'bottom: "{one}"' for one in bottoms), f'top: "{top}"', f'name: "{name or top}"', f'type: "{kind}"']
    if keys:
        lines += [f"{PARAM[kind]} {{", *(f"  {key}: {value}" for key, value in keys.items()), "}"]
    return "\n".join(["layer {", *(f"  {line}" for line in lines), "}"])


def _net(head: tuple[str, int, int], *layers: str) -> str:
    name, channels, size = head
    dims = "".join(f"input_dim: {dim}\n" for dim in (1, channels, size, size))
    return f'name: "{name}"\ninput: "data"\n{dims}\n' + "".join(f"{layer}\n\n" for layer in layers)
