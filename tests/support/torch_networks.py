"""Small networks as PyTorch modules, their children named as the programs beside them label them.

The programs, by the same names, stand in `support.network_rows`.
"""

import torch
from torch import nn
from torch.nn import functional as f

from .torch_sequences import (
    language_model,
    masked_attention,
    masked_classifier,
    scanned,
    sequence,
    tagger,
    transformer,
    translation,
)
from .torch_zoo import Module, Rule, Several, Tensor, basic, dense_layer, inverted_residual, named


def lenet5() -> Module:
    """LeNet-5 with max-pools and ReLU."""
    return named(
        **{"c1": nn.Conv2d(1, 6, 5), "r1": nn.ReLU(), "s2": nn.MaxPool2d(2)},
        **{"c3": nn.Conv2d(6, 16, 5), "r3": nn.ReLU(), "s4": nn.MaxPool2d(2)},
        **{"c5": nn.Conv2d(16, 120, 5), "r5": nn.ReLU(), "flat": nn.Flatten()},
        **{"f6": nn.Linear(120, 84), "r6": nn.ReLU(), "out": nn.Linear(84, 10)},
    )


class Factors(nn.Module):  # type: ignore[misc]  # mypy does not follow torch
    """Multiplies by `factors`: Dropout with noise that is given."""

    factors: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """The product."""
        return x * self.factors


def alexnet() -> Module:
    """AlexNet, with Krizhevsky's alpha, which PyTorch divides by the number of channels."""

    def normalization() -> Module:
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return named(
        **{"conv1": nn.Conv2d(3, 96, 11, 4), "r1": nn.ReLU(), "n1": normalization()},
        **{"pool1": nn.MaxPool2d(3, 2), "conv2": nn.Conv2d(96, 256, 5, padding=2, groups=2)},
        **{"r2": nn.ReLU(), "n2": normalization(), "pool2": nn.MaxPool2d(3, 2)},
        **{"conv3": nn.Conv2d(256, 384, 3, padding=1), "r3": nn.ReLU()},
        **{"conv4": nn.Conv2d(384, 384, 3, padding=1, groups=2), "r4": nn.ReLU()},
        **{"conv5": nn.Conv2d(384, 256, 3, padding=1, groups=2), "r5": nn.ReLU()},
        **{"pool5": nn.MaxPool2d(3, 2), "flat": nn.Flatten()},
        **{"fc6": nn.Linear(256, 4096), "r6": nn.ReLU(), "dropout1": Factors()},
        **{"fc7": nn.Linear(4096, 4096), "r7": nn.ReLU(), "dropout2": Factors()},
        **{"fc8": nn.Linear(4096, 1000)},
    )


def local_response() -> Module:
    """Normalization by neighbouring channels, an even and an odd number of them."""
    return named(
        **{"a": nn.Conv2d(3, 8, 3, padding=1), "n1": nn.LocalResponseNorm(5, 0.7, 0.6, 1.5)},
        **{"b": nn.Conv2d(8, 6, 3, padding=1), "n2": nn.LocalResponseNorm(3, 0.9, 0.75, 1.0)},
        **{"t": nn.Tanh(), "flat": nn.Flatten(), "fc": nn.Linear(6 * 30, 4)},
    )


def basic_blocks() -> Module:
    """ResNet's basic blocks: one that halves the image, and one that keeps it."""
    stage = nn.Sequential(basic(4, 8, 2), basic(8, 8, 1))
    return named(layer1=stage, gap=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(8, 5))


def bottlenecks() -> Module:
    """ResNeXt's blocks, with groups."""
    stage = nn.Sequential(_bottleneck(6, 8, 2), _bottleneck(32, 8, 1))
    return named(layer1=stage, gap=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(32, 5))


def _bottleneck(channels: int, c: int, stride: int) -> Module:
    """With 4 groups of 16 / 64 as many channels as the paper's base, 64."""

    def forward(block: Module, x: Tensor) -> Tensor:
        y = torch.relu(block.bn1(block.conv1(x)))
        y = torch.relu(block.bn2(block.conv2(y)))
        y = block.bn3(block.conv3(y))
        return torch.relu(y + (block.downsample(x) if hasattr(block, "downsample") else x))

    children = {
        **{"conv1": nn.Conv2d(channels, c, 1, bias=False), "bn1": nn.BatchNorm2d(c)},
        "conv2": nn.Conv2d(c, c, 3, stride, 1, groups=4, bias=False),
        **{"bn2": nn.BatchNorm2d(c), "conv3": nn.Conv2d(c, 4 * c, 1, bias=False)},
        "bn3": nn.BatchNorm2d(4 * c),
    }
    if stride != 1 or channels != 4 * c:
        projection = nn.Conv2d(channels, 4 * c, 1, stride, bias=False)
        children["downsample"] = nn.Sequential(projection, nn.BatchNorm2d(4 * c))
    return Rule(forward, **children)


def unet() -> Module:
    """U-Net of three levels."""
    widths = (16, 32, 64)

    def forward(net: Module, x: Tensor) -> Tensor:
        skips = []
        for i in range(len(widths)):
            skips.append(net.get_submodule(f"down{i}")(x))
            x = f.max_pool2d(skips[-1], 2)
        x = net.bottom(x)
        for i in reversed(range(len(widths))):
            up = net.get_submodule(f"up{i}")
            x = up.twice(torch.cat([skips[i], up.upconv(x)], 1))
        return net.scores(x)

    children = {
        f"down{i}": _twice(c, w) for i, (c, w) in enumerate(zip((1, 16, 32), widths, strict=True))
    }
    children["bottom"] = _twice(64, 128)
    for i, c in enumerate(widths):
        children[f"up{i}"] = named(
            upconv=nn.ConvTranspose2d(2 * c, c, 2, 2), twice=_twice(2 * c, c)
        )
    return Rule(forward, **children, scores=nn.Conv2d(16, 2, 1))


def _twice(channels: int, c: int) -> Module:
    return named(
        **{"conv1": nn.Conv2d(channels, c, 3, padding=1), "r1": nn.ReLU()},
        **{"conv2": nn.Conv2d(c, c, 3, padding=1), "r2": nn.ReLU()},
    )


def inception() -> Module:
    """GoogLeNet's module, and two of version 3: one with average pools, one with long kernels."""
    return named(
        first=_branches(
            branch1=_normalized(3, 4, (1, 1)),
            branch2=nn.Sequential(_normalized(3, 3, (1, 1)), _normalized(3, 6, (3, 3))),
            branch3=nn.Sequential(_normalized(3, 2, (1, 1)), _normalized(2, 3, (3, 3))),
            branch4=nn.Sequential(nn.MaxPool2d(3, 1, 1), _normalized(3, 4, (1, 1))),
        ),
        second=_inception_a(17, 8),
        third=_inception_c(232, 6),
        **{"gap": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten(), "fc": nn.Linear(768, 5)},
    )


def _normalized(channels: int, c: int, kernel: tuple[int, int]) -> Module:
    padding = (kernel[0] // 2, kernel[1] // 2)
    return named(
        conv=nn.Conv2d(channels, c, kernel, padding=padding, bias=False),
        bn=nn.BatchNorm2d(c, eps=0.001),
        relu=nn.ReLU(),
    )


def _branches(**branches: Module) -> Module:
    """Branches side by side."""
    return Rule(lambda m, x: torch.cat([m.get_submodule(b)(x) for b in branches], 1), **branches)


def _inception_a(channels: int, pooled: int) -> Module:
    def forward(m: Module, x: Tensor) -> Tensor:
        five = m.branch5x5_2(m.branch5x5_1(x))
        double = m.branch3x3dbl_3(m.branch3x3dbl_2(m.branch3x3dbl_1(x)))
        pool = m.branch_pool(f.avg_pool2d(x, 3, 1, 1))
        return torch.cat([m.branch1x1(x), five, double, pool], 1)

    return Rule(
        forward,
        branch1x1=_normalized(channels, 64, (1, 1)),
        branch5x5_1=_normalized(channels, 48, (1, 1)),
        branch5x5_2=_normalized(48, 64, (5, 5)),
        branch3x3dbl_1=_normalized(channels, 64, (1, 1)),
        branch3x3dbl_2=_normalized(64, 96, (3, 3)),
        branch3x3dbl_3=_normalized(96, 96, (3, 3)),
        branch_pool=_normalized(channels, pooled, (1, 1)),
    )


def _inception_c(channels: int, c: int) -> Module:
    row, column = (1, 7), (7, 1)

    def forward(m: Module, x: Tensor) -> Tensor:
        seven, double = x, x
        for i in range(3):
            seven = m.get_submodule(f"branch7x7_{i + 1}")(seven)
        for i in range(5):
            double = m.get_submodule(f"branch7x7dbl_{i + 1}")(double)
        pool = m.branch_pool(f.avg_pool2d(x, 3, 1, 1))
        return torch.cat([m.branch1x1(x), seven, double, pool], 1)

    return Rule(
        forward,
        branch1x1=_normalized(channels, 192, (1, 1)),
        branch7x7_1=_normalized(channels, c, (1, 1)),
        branch7x7_2=_normalized(c, c, row),
        branch7x7_3=_normalized(c, 192, column),
        branch7x7dbl_1=_normalized(channels, c, (1, 1)),
        branch7x7dbl_2=_normalized(c, c, column),
        branch7x7dbl_3=_normalized(c, c, row),
        branch7x7dbl_4=_normalized(c, c, column),
        branch7x7dbl_5=_normalized(c, 192, row),
        branch_pool=_normalized(channels, 192, (1, 1)),
    )


def dense_block() -> Module:
    """A dense block of DenseNet, each layer of which sees all before."""
    layers = named(**{f"denselayer{j + 1}": dense_layer(5 + 32 * j) for j in range(2)})
    return named(
        **{"block": layers, "pool": nn.AvgPool2d(2), "gap": nn.AdaptiveAvgPool2d(1)},
        **{"flat": nn.Flatten(), "fc": nn.Linear(69, 5)},
    )


def inverted_residuals() -> Module:
    """MobileNet's blocks, with depthwise convolutions."""
    blocks = nn.Sequential(inverted_residual(6, 2, 8, 2), inverted_residual(8, 2, 8, 1))
    return named(blocks=blocks, gap=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(8, 5))


def squeeze_and_excitation() -> Module:
    """An image whose channels are scaled by gates that see all of it."""

    def forward(net: Module, x: Tensor) -> Tensor:
        x = f.hardswish(net.conv(x))
        gates = torch.sigmoid(net.open(f.silu(net.squeeze(x.mean((2, 3))))))
        return net.fc((x * gates[:, :, None, None]).amax((2, 3)))

    return Rule(
        forward,
        conv=nn.Conv2d(3, 8, 3, 2, 1),
        squeeze=nn.Linear(8, 4),
        open=nn.Linear(4, 8),
        fc=nn.Linear(8, 5),
    )


def volume() -> Module:
    """Convolutions and pools over volumes, and one of groups transposed."""
    return named(
        **{"a": nn.Conv3d(2, 6, (3, 5, 3), (2, 1, 2), (1, 2, 1)), "r1": nn.ReLU()},
        **{"pool": nn.MaxPool3d(2), "b": nn.Conv3d(6, 8, 3, padding=2, dilation=2, groups=2)},
        **{"t": nn.Tanh(), "up": nn.ConvTranspose3d(8, 4, 3, 2, 1, output_padding=1, groups=2)},
        **{"r2": nn.ReLU(), "avg": nn.AvgPool3d((2, 3, 2)), "flat": nn.Flatten()},
        **{"fc": nn.Linear(32, 5)},
    )


def transposed() -> Module:
    """Transposed convolutions: overlapping, of groups, dilated, and cropped."""
    return named(
        **{"a": nn.ConvTranspose2d(6, 8, 4, 2, 1), "t1": nn.Tanh()},
        **{"b": nn.ConvTranspose2d(8, 6, 3, (3, 2), 1, output_padding=(2, 1), groups=2)},
        **{"t2": nn.Tanh(), "c": nn.ConvTranspose2d(6, 4, (2, 3), 1, 0, dilation=(3, 2))},
        **{"t3": nn.Tanh(), "d": nn.Conv2d(4, 1, 3, 2, 1)},
    )


def dilated() -> Module:
    """Dilated convolutions in groups, one with a stride that leaves rows unseen."""
    return named(
        **{"a": nn.Conv2d(4, 8, 3, padding=2, dilation=2, groups=2), "r1": nn.ReLU()},
        **{"b": nn.Conv2d(8, 8, (3, 2), (3, 2), (0, 1), dilation=(1, 3), groups=8)},
        **{"r2": nn.ReLU(), "c": nn.Conv2d(8, 3, 3, padding=4, dilation=4)},
    )


def normalizations() -> Module:
    """Group, instance, layer and root-mean-square normalization."""

    def forward(net: Module, x: Tensor) -> Tensor:
        x = f.relu(net.gn(net.a(x)))
        x = f.elu(net.norm(net.b(x)))
        x = f.gelu(net.ln(net.c(x).movedim(1, -1)).movedim(-1, 1))
        x = net.rms(x.movedim(1, -1)).movedim(-1, 1)
        return net.fc(net.whole(net.d(x)).flatten(1))

    return Rule(
        forward,
        **{"a": nn.Conv2d(3, 8, 3, padding=1), "gn": nn.GroupNorm(4, 8)},
        **{
            "b": nn.Conv2d(8, 6, 3, padding=1, bias=False),
            "norm": nn.InstanceNorm2d(6, affine=True),
        },
        **{"c": nn.Conv2d(6, 8, 3, padding=1), "ln": nn.LayerNorm(8)},
        **{"rms": nn.RMSNorm(8, eps=1e-5), "d": nn.Conv2d(8, 4, 3, 2, 1)},
        **{"whole": nn.LayerNorm((4, 3, 3)), "fc": nn.Linear(36, 5)},
    )


def siamese() -> Module:
    """The same weights see two images, and a distance of their codes is scored."""

    def forward(net: Module, first: Tensor, second: Tensor) -> Tensor:
        a, b = (torch.sigmoid(net.twin(x)) for x in (first, second))
        return net.distance((a - b).abs())

    twin = named(
        **{"conv1": nn.Conv2d(1, 4, 3), "r": nn.ReLU(), "pool": nn.MaxPool2d(2)},
        **{"flat": nn.Flatten(), "fc": nn.Linear(36, 6)},
    )
    return Several(forward, twin=twin, distance=nn.Linear(6, 1))


def two_heads() -> Module:
    """A class and a box from the same features, in this order."""

    def forward(net: Module, x: Tensor) -> tuple[Tensor, Tensor]:
        x = f.max_pool2d(f.relu(net.conv1(x)), 2)
        return net.class_scores(x.flatten(1)), net.box_corners(x.flatten(1))

    return Rule(
        forward,
        conv1=nn.Conv2d(3, 6, 3, padding=1),
        class_scores=nn.Linear(96, 5),
        box_corners=nn.Linear(96, 4),
    )


def resampled() -> Module:
    """Pools of all kinds, unpooling, and images that are enlarged."""

    def forward(net: Module, x: Tensor) -> Tensor:
        x = f.leaky_relu(net.a(x), 0.1)
        small, places = f.max_pool2d(x, 2, return_indices=True)
        x = f.max_unpool2d(torch.tanh(net.b(small)), places, 2)
        x = f.interpolate(net.c(x), scale_factor=2, mode="bilinear")
        x = f.avg_pool2d(f.pixel_shuffle(net.d(x), 2), 3, 2, 1, count_include_pad=False)
        x = f.interpolate(f.lp_pool2d(torch.sigmoid(x), 3.0, 2), scale_factor=3)
        x = torch.cat([f.adaptive_avg_pool2d(x, (5, 7)), f.adaptive_max_pool2d(x, (5, 7))], 1)
        return net.e(x)

    return Rule(
        forward,
        **{"a": nn.Conv2d(3, 6, 3, padding=1), "b": nn.Conv2d(6, 6, 3, padding=1)},
        **{"c": nn.Conv2d(6, 4, 3, padding=1), "d": nn.Conv2d(4, 8, 3, padding=1)},
        e=nn.Conv2d(4, 3, 1),
    )


NETWORKS = {
    network.__name__: network
    for network in (
        lenet5,
        alexnet,
        local_response,
        basic_blocks,
        bottlenecks,
        unet,
        inception,
        dense_block,
        inverted_residuals,
        squeeze_and_excitation,
        volume,
        transposed,
        dilated,
        normalizations,
        siamese,
        two_heads,
        resampled,
        language_model,
        masked_classifier,
        scanned,
        tagger,
        translation,
        masked_attention,
        sequence,
        transformer,
    )
}
