"""Published networks as PyTorch modules, written from the papers with torchvision's names."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

Module: TypeAlias = Any  # mypy does not follow torch
Tensor: TypeAlias = Any


class Rule(nn.Module):  # type: ignore[misc]  # mypy does not follow torch
    """A module whose forward pass is a function of its children and the input."""

    def __init__(self, forward: Callable[..., Tensor], **children: Module) -> None:
        super().__init__()
        self.rule = forward
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Tensor:
        """The rule's result."""
        return self.rule(self, x)


class Several(Rule):
    """A rule of several inputs."""

    def forward(self, *xs: Tensor) -> Tensor:
        """The rule's result."""
        return self.rule(self, *xs)


def named(**children: Module) -> Module:
    """A sequence of modules with names."""
    sequence = nn.Sequential()
    for name, child in children.items():
        sequence.add_module(name, child)
    return sequence


def conv(channels: int, filters: int, kernel: int, stride: int = 1) -> Module:
    """A convolution without bias that keeps the image's size at a stride of 1."""
    return nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)


def resnet18() -> Module:
    """ResNet-18 (He et al. 2016)."""
    stages, channels = {}, 64
    for i, c in enumerate((64, 128, 256, 512), start=1):
        first = basic(channels, c, 1 if i == 1 else 2)
        stages[f"layer{i}"] = nn.Sequential(first, basic(c, c, 1))
        channels = c
    return named(
        conv1=conv(3, 64, 7, 2),
        bn1=nn.BatchNorm2d(64),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(3, 2, 1),
        **stages,
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        fc=nn.Linear(512, 1000),
    )


def basic(channels: int, c: int, stride: int) -> Module:
    """ResNet's basic block."""

    def forward(block: Module, x: Tensor) -> Tensor:
        y = torch.relu(block.bn1(block.conv1(x)))
        y = block.bn2(block.conv2(y))
        return torch.relu(y + (block.downsample(x) if hasattr(block, "downsample") else x))

    children = {
        "conv1": conv(channels, c, 3, stride),
        "bn1": nn.BatchNorm2d(c),
        "conv2": conv(c, c, 3),
        "bn2": nn.BatchNorm2d(c),
    }
    if stride != 1 or channels != c:
        children["downsample"] = nn.Sequential(conv(channels, c, 1, stride), nn.BatchNorm2d(c))
    return Rule(forward, **children)


def vgg16() -> Module:
    """VGG-16 (Simonyan and Zisserman 2015)."""
    features: list[Module] = []
    channels = 3
    for c, n in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(n):
            features += [nn.Conv2d(channels, c, 3, padding=1), nn.ReLU()]
            channels = c
        features.append(nn.MaxPool2d(2))
    classifier = nn.Sequential(
        *(nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()),
        nn.Linear(4096, 1000),
    )
    return named(features=nn.Sequential(*features), flatten=nn.Flatten(), classifier=classifier)


def mobilenet_v2() -> Module:
    """MobileNet v2 (Sandler et al. 2018, table 2)."""
    features = [_activated(3, 32, 3, 2)]
    channels = 32
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)]
    stages += [(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for t, c, n, s in stages:
        for j in range(n):
            features.append(inverted_residual(channels, t, c, s if j == 0 else 1))
            channels = c
    features.append(_activated(320, 1280, 1))
    return named(
        features=nn.Sequential(*features),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000)),
    )


def _activated(
    channels: int, filters: int, kernel: int, stride: int = 1, groups: int = 1
) -> Module:
    convolution = nn.Conv2d(
        channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(filters), nn.ReLU6())


def inverted_residual(channels: int, t: int, c: int, stride: int) -> Module:
    """MobileNet v2's block, t times as wide within."""
    wide = t * channels
    layers = [_activated(channels, wide, 1)] if t > 1 else []
    layers += [_activated(wide, wide, 3, stride, wide), conv(wide, c, 1), nn.BatchNorm2d(c)]
    keeps = stride == 1 and channels == c
    return Rule(
        lambda block, x: x + block.conv(x) if keeps else block.conv(x), conv=nn.Sequential(*layers)
    )


def mnasnet0_5() -> Module:
    """MnasNet-B1 with half of the channels, to multiples of 8 (Tan et al. 2019)."""
    layers = [conv(3, 16, 3, 2), nn.BatchNorm2d(16), nn.ReLU()]
    layers += [_depthwise(16, 3), nn.BatchNorm2d(16), nn.ReLU(), conv(16, 8, 1), nn.BatchNorm2d(8)]
    channels = 8
    stages = [(3, 3, 16, 3, 2), (5, 3, 24, 3, 2), (5, 6, 40, 3, 2)]
    stages += [(3, 6, 48, 2, 1), (5, 6, 96, 4, 2), (3, 6, 160, 1, 1)]
    for k, t, c, n, s in stages:
        stage = [_widened(channels if j == 0 else c, k, t, c, s if j == 0 else 1) for j in range(n)]
        layers.append(nn.Sequential(*stage))
        channels = c
    layers += [conv(160, 1280, 1), nn.BatchNorm2d(1280), nn.ReLU()]
    return named(
        layers=nn.Sequential(*layers),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000)),
    )


def _depthwise(channels: int, kernel: int, stride: int = 1) -> Module:
    return nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)


def _widened(channels: int, kernel: int, t: int, c: int, stride: int) -> Module:
    """MnasNet's block, which adds its input where it keeps the size and the channels."""
    wide = t * channels
    layers = [conv(channels, wide, 1), nn.BatchNorm2d(wide), nn.ReLU()]
    layers += [_depthwise(wide, kernel, stride), nn.BatchNorm2d(wide), nn.ReLU()]
    layers += [conv(wide, c, 1), nn.BatchNorm2d(c)]
    keeps = stride == 1 and channels == c
    return Rule(
        lambda block, x: x + block.layers(x) if keeps else block.layers(x),
        layers=nn.Sequential(*layers),
    )


def mixer_b_16() -> Module:
    """Mixer-B/16 (Tolstikhin et al. 2021), with timm's names."""

    def mlp(channels: int, hidden: int) -> Module:
        return named(
            fc1=nn.Linear(channels, hidden), act=nn.GELU(), fc2=nn.Linear(hidden, channels)
        )

    def forward(block: Module, x: Tensor) -> Tensor:
        x = x + block.mlp_tokens(block.norm1(x).mT).mT
        return x + block.mlp_channels(block.norm2(x))

    def layer() -> Module:
        norms = {f"norm{i}": nn.LayerNorm(768, eps=1e-6) for i in (1, 2)}
        return Rule(forward, mlp_tokens=mlp(196, 384), mlp_channels=mlp(768, 3072), **norms)

    def whole(net: Module, x: Tensor) -> Tensor:
        x = net.norm(net.blocks(net.stem.proj(x).flatten(2).mT))
        return net.head(x.mean(1))

    return Rule(
        whole,
        stem=named(proj=nn.Conv2d(3, 768, 16, 16)),
        blocks=nn.Sequential(*(layer() for _ in range(12))),
        norm=nn.LayerNorm(768, eps=1e-6),
        head=nn.Linear(768, 1000),
    )


def densenet121() -> Module:
    """DenseNet-121 (Huang et al. 2017)."""
    features: dict[str, Module] = {
        "conv0": conv(3, 64, 7, 2),
        "norm0": nn.BatchNorm2d(64),
        "relu0": nn.ReLU(),
        "pool0": nn.MaxPool2d(3, 2, 1),
    }
    channels = 64
    for i, n in enumerate((6, 12, 24, 16), start=1):
        layers = {f"denselayer{j + 1}": dense_layer(channels + 32 * j) for j in range(n)}
        features[f"denseblock{i}"] = named(**layers)
        channels += 32 * n
        if i < 4:
            features[f"transition{i}"] = _transition(channels)
            channels //= 2
    features["norm5"] = nn.BatchNorm2d(channels)
    return named(
        features=named(**features),
        relu=nn.ReLU(),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Linear(channels, 1000),
    )


def dense_layer(channels: int) -> Module:
    """DenseNet's layer, whose 32 channels are put behind those that it sees."""

    def forward(layer: Module, x: Tensor) -> Tensor:
        y = layer.conv1(torch.relu(layer.norm1(x)))
        return torch.cat([x, layer.conv2(torch.relu(layer.norm2(y)))], 1)

    return Rule(
        forward,
        norm1=nn.BatchNorm2d(channels),
        conv1=conv(channels, 128, 1),
        norm2=nn.BatchNorm2d(128),
        conv2=conv(128, 32, 3),
    )


def _transition(channels: int) -> Module:
    return named(
        norm=nn.BatchNorm2d(channels),
        relu=nn.ReLU(),
        conv=conv(channels, channels // 2, 1),
        pool=nn.AvgPool2d(2),
    )


def unet_plus_plus() -> Module:
    """U-Net++ with deep supervision (Zhou et al. 2018), as in pytorch-nested-unet."""
    widths = (32, 64, 128, 256, 512)

    def twice(channels: int, c: int) -> Module:
        return named(
            conv1=nn.Conv2d(channels, c, 3, padding=1),
            bn1=nn.BatchNorm2d(c),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(c, c, 3, padding=1),
            bn2=nn.BatchNorm2d(c),
            relu2=nn.ReLU(),
        )

    def forward(net: Module, x: Tensor) -> list[Tensor]:
        seen = {(-1, 0): x}
        for i in range(5):
            below = functional.max_pool2d(seen[i - 1, 0], 2) if i else x
            seen[i, 0] = getattr(net, f"conv{i}_0")(below)
        for j in range(1, 5):
            for i in range(5 - j):
                raised = functional.interpolate(
                    seen[i + 1, j - 1], scale_factor=2, mode="bilinear", align_corners=True
                )
                together = torch.cat([*(seen[i, k] for k in range(j)), raised], 1)
                seen[i, j] = getattr(net, f"conv{i}_{j}")(together)
        return [getattr(net, f"final{j}")(seen[0, j]) for j in range(1, 5)]

    children = {f"conv{i}_0": twice((3, *widths)[i], widths[i]) for i in range(5)}
    for j in range(1, 5):
        for i in range(5 - j):
            children[f"conv{i}_{j}"] = twice(widths[i] * j + widths[i + 1], widths[i])
        children[f"final{j}"] = nn.Conv2d(32, 1, 1)
    return Rule(forward, **children)


def tcn_mnist() -> Module:
    """The temporal convolutional network of Bai et al. (2018)."""

    def past(x: Tensor, convolution: Module) -> Tensor:
        return torch.relu(convolution(functional.pad(x, (6 * convolution.dilation[0], 0))))

    def level(block: Module, x: Tensor) -> Tensor:
        y = past(past(x, block.conv1), block.conv2)
        return torch.relu(y + (block.downsample(x) if hasattr(block, "downsample") else x))

    levels = []
    for i in range(8):
        channels = 25 if i else 1
        children = {
            "conv1": weight_norm(nn.Conv1d(channels, 25, 7, dilation=2**i)),
            "conv2": weight_norm(nn.Conv1d(25, 25, 7, dilation=2**i)),
        }
        if not i:
            children["downsample"] = nn.Conv1d(1, 25, 1)
        levels.append(Rule(level, **children))
    return Rule(
        lambda net, x: net.linear(net.tcn(x.mT)[:, :, -1]),
        tcn=named(network=nn.Sequential(*levels)),
        linear=nn.Linear(25, 10),
    )


def wavenet() -> Module:
    """WaveNet (van den Oord et al. 2016), as in pytorch-wavenet but for what leads nowhere."""
    dilations = [2 ** (i % 10) for i in range(40)]

    def convolutions(channels: int, c: int, kernel: int, n: int = 40) -> Module:
        return nn.ModuleList(
            nn.Conv1d(channels, c, kernel, dilation=d if kernel > 1 else 1, bias=False)
            for d in dilations[:n]
        )

    def forward(net: Module, x: Tensor) -> Tensor:
        x, skips = net.start_conv(x.mT), 0
        for i, d in enumerate(dilations):
            past = functional.pad(x, (d, 0))
            z = torch.tanh(net.filter_convs[i](past)) * torch.sigmoid(net.gate_convs[i](past))
            skips = skips + net.skip_convs[i](z)
            if i < 39:
                x = x + net.residual_convs[i](z)
        return net.end_conv_2(torch.relu(net.end_conv_1(torch.relu(skips)))).mT

    return Rule(
        forward,
        filter_convs=convolutions(32, 32, 2),
        gate_convs=convolutions(32, 32, 2),
        residual_convs=convolutions(32, 32, 1, 39),
        skip_convs=convolutions(32, 256, 1),
        start_conv=nn.Conv1d(256, 32, 1, bias=False),
        end_conv_1=nn.Conv1d(256, 256, 1),
        end_conv_2=nn.Conv1d(256, 256, 1),
    )


def pointnet() -> Module:
    """PointNet for classification (Qi et al. 2017), as in pointnet.pytorch."""

    def points(channels: int) -> dict[str, Module]:
        layers: dict[str, Module] = {}
        for i, (c, d) in enumerate(zip((channels, 64, 128), (64, 128, 1024), strict=True), start=1):
            layers |= {f"conv{i}": nn.Conv1d(c, d, 1), f"bn{i}": nn.BatchNorm1d(d)}
        return layers

    def dense(n: int, first: int) -> dict[str, Module]:
        layers: dict[str, Module] = {"fc3": nn.Linear(256, n)}
        for i, (c, d) in enumerate(((1024, 512), (512, 256))):
            layers |= {f"fc{i + 1}": nn.Linear(c, d), f"bn{i + first}": nn.BatchNorm1d(d)}
        return layers

    def step(net: Module, x: Tensor, layer: str, norm: int) -> Tensor:
        return getattr(net, f"bn{norm}")(getattr(net, layer)(x))

    def matrix(net: Module, x: Tensor) -> Tensor:
        for i in (1, 2, 3):
            x = torch.relu(step(net, x, f"conv{i}", i))
        x = x.amax(2)
        for i in (1, 2):
            x = torch.relu(step(net, x, f"fc{i}", i + 3))
        k = int(net.fc3.out_features**0.5)
        return net.fc3(x).reshape(-1, k, k) + torch.eye(k)

    def features(net: Module, x: Tensor) -> Tensor:
        x = (x.mT @ net.stn(x)).mT
        x = torch.relu(step(net, x, "conv1", 1))
        x = (x.mT @ net.fstn(x)).mT
        x = torch.relu(step(net, x, "conv2", 2))
        return step(net, x, "conv3", 3).amax(2)

    def whole(net: Module, x: Tensor) -> Tensor:
        x = net.feat(x.mT)
        for i in (1, 2):
            x = torch.relu(step(net, x, f"fc{i}", i))
        return torch.log_softmax(net.fc3(x), 1)

    transforms = {
        name: Rule(matrix, **points(k), **dense(k * k, 4)) for name, k in (("stn", 3), ("fstn", 64))
    }
    return Rule(whole, feat=Rule(features, **transforms, **points(3)), **dense(40, 1))
