"""Published convolutional networks as PyTorch modules, written from the papers and their code."""

import torch
from torch import nn

from .torch_zoo import Module, Rule, Tensor, conv, named


def poolformer_s12() -> Module:
    """PoolFormer-S12 (Yu et al. 2022)."""
    stages: list[Module] = []
    channels = 64
    for i, (c, n) in enumerate(((64, 2), (128, 2), (320, 6), (512, 2))):
        if i:
            stages.append(named(proj=nn.Conv2d(channels, c, 3, 2, 1)))
        stages.append(nn.Sequential(*(poolformer_block(c) for _ in range(n))))
        channels = c

    def forward(net: Module, x: Tensor) -> Tensor:
        return net.head(net.norm(net.network(net.patch_embed(x))).mean((2, 3)))

    return Rule(
        forward,
        patch_embed=named(proj=nn.Conv2d(3, 64, 7, 4, 2)),
        network=nn.Sequential(*stages),
        norm=nn.GroupNorm(1, 512),
        head=nn.Linear(512, 1000),
    )


def poolformer_block(c: int) -> Module:
    """Means of neighbours in the place of attention, and two dense layers."""

    def forward(block: Module, x: Tensor) -> Tensor:
        y = block.norm1(x)
        mean = nn.functional.avg_pool2d(y, 3, 1, 1, count_include_pad=False)
        x = x + block.layer_scale_1.weight[:, None, None] * (mean - y)
        return x + block.layer_scale_2.weight[:, None, None] * block.mlp(block.norm2(x))

    mlp = named(fc1=nn.Conv2d(c, 4 * c, 1), act=nn.GELU(), fc2=nn.Conv2d(4 * c, c, 1))
    norms = {f"norm{i}": nn.GroupNorm(1, c) for i in (1, 2)}
    scales = {f"layer_scale_{i}": factors(c) for i in (1, 2)}
    return Rule(forward, mlp=mlp, **norms, **scales)


def factors(c: int) -> Module:
    """A module that holds a factor for each channel, and is not called."""
    module = nn.Module()
    module.weight = nn.Parameter(torch.full((c,), 1e-5))
    return module


def mobilenet_v4_conv_small() -> Module:
    """MobileNetV4-Conv-S (Qin et al. 2024, table 11)."""

    def activated(channels: int, c: int, kernel: int, stride: int = 1) -> Module:
        return named(conv=conv(channels, c, kernel, stride), bn1=nn.BatchNorm2d(c), act=nn.ReLU())

    rows = [
        [(5, 5, 2, 3, 96), *[(0, 3, 1, 2, 96)] * 4, (3, 0, 1, 4, 96)],
        [
            *[(3, 3, 2, 6, 128), (5, 5, 1, 4, 128), (0, 5, 1, 4, 128), (0, 5, 1, 3, 128)],
            *[(0, 3, 1, 4, 128)] * 2,
        ],
    ]
    stages, channels = [], 64
    for stage in rows:
        blocks = []
        for start, middle, stride, t, c in stage:
            blocks.append(universal(channels, start, middle, stride, t, c))
            channels = c
        stages.append(nn.Sequential(*blocks))
    return named(
        conv_stem=conv(3, 32, 3, 2),
        bn1=nn.BatchNorm2d(32),
        act=nn.ReLU(),
        blocks=nn.Sequential(
            nn.Sequential(activated(32, 32, 3, 2), activated(32, 32, 1)),
            nn.Sequential(activated(32, 96, 3, 2), activated(96, 64, 1)),
            *stages,
            nn.Sequential(activated(128, 960, 1)),
        ),
        pool=nn.AdaptiveAvgPool2d(1),
        conv_head=conv(960, 1280, 1),
        norm_head=nn.BatchNorm2d(1280),
        act2=nn.ReLU(),
        flatten=nn.Flatten(),
        classifier=nn.Linear(1280, 1000),
    )


def universal(channels: int, start: int, middle: int, stride: int, t: int, c: int) -> Module:
    """MobileNetV4's block: a depthwise convolution before the channels are widened, or after."""

    def depthwise(n: int, kernel: int, s: int) -> Module:
        return nn.Conv2d(n, n, kernel, s, kernel // 2, groups=n, bias=False)

    def part(convolution: Module, n: int, *, active: bool = False) -> Module:
        return named(conv=convolution, bn=nn.BatchNorm2d(n), **{"act": nn.ReLU()} if active else {})

    wide = t * channels
    parts = {}
    if start:
        parts["dw_start"] = part(depthwise(channels, start, 1 if middle else stride), channels)
    parts["pw_exp"] = part(conv(channels, wide, 1), wide, active=True)
    if middle:
        parts["dw_mid"] = part(depthwise(wide, middle, stride), wide, active=True)
    parts["pw_proj"] = part(conv(wide, c, 1), c)
    keeps = stride == 1 and channels == c

    def forward(block: Module, x: Tensor) -> Tensor:
        y = x
        for name in parts:
            y = getattr(block, name)(y)
        return x + y if keeps else y

    return Rule(forward, **parts)


def yolov8n() -> Module:
    """YOLOv8n (Jocher, Chaurasia and Qiu 2023), up to what is decoded."""
    layers = {
        **{"0": yolo_conv(3, 16, 3, 2), "1": yolo_conv(16, 32, 3, 2), "2": c2f(32, 32, 1)},
        **{"3": yolo_conv(32, 64, 3, 2), "4": c2f(64, 64, 2)},
        **{"5": yolo_conv(64, 128, 3, 2), "6": c2f(128, 128, 2)},
        **{"7": yolo_conv(128, 256, 3, 2), "8": c2f(256, 256, 1), "9": sppf(256)},
        **{"12": c2f(384, 128, 1, add=False), "15": c2f(192, 64, 1, add=False)},
        **{"16": yolo_conv(64, 64, 3, 2), "18": c2f(192, 128, 1, add=False)},
        **{"19": yolo_conv(128, 128, 3, 2), "21": c2f(384, 256, 1, add=False)},
        "22": Rule(
            lambda head, xs: [
                torch.cat([box(x), score(x)], 1)
                for x, box, score in zip(xs, head.cv2, head.cv3, strict=True)
            ],
            cv2=nn.ModuleList(yolo_head(c, 64, 64) for c in (64, 128, 256)),
            cv3=nn.ModuleList(yolo_head(c, 80, 80) for c in (64, 128, 256)),
        ),
    }

    def forward(model: Module, x: Tensor) -> Tensor:
        def run(x: Tensor, *places: int) -> Tensor:
            for place in places:
                x = getattr(model, str(place))(x)
            return x

        def double(x: Tensor) -> Tensor:
            return nn.functional.interpolate(x, scale_factor=2)

        p3 = run(x, 0, 1, 2, 3, 4)
        p4 = run(p3, 5, 6)
        p5 = run(p4, 7, 8, 9)
        h4 = run(torch.cat([double(p5), p4], 1), 12)
        o3 = run(torch.cat([double(h4), p3], 1), 15)
        o4 = run(torch.cat([run(o3, 16), h4], 1), 18)
        o5 = run(torch.cat([run(o4, 19), p5], 1), 21)
        return run([o3, o4, o5], 22)

    return named(model=Rule(forward, **layers))


def yolo_conv(channels: int, c: int, kernel: int, stride: int = 1) -> Module:
    """A convolution with its normalization and SiLU."""
    bn = nn.BatchNorm2d(c, eps=0.001, momentum=0.03)
    return named(conv=conv(channels, c, kernel, stride), bn=bn, act=nn.SiLU())


def c2f(channels: int, c: int, n: int, *, add: bool = True) -> Module:
    """Half of the channels through n bottlenecks, all of whose results are seen together."""

    def bottleneck() -> Module:
        return Rule(
            lambda block, x: block.cv2(block.cv1(x)) + (x if add else 0),
            cv1=yolo_conv(c // 2, c // 2, 3),
            cv2=yolo_conv(c // 2, c // 2, 3),
        )

    def forward(block: Module, x: Tensor) -> Tensor:
        parts = list(block.cv1(x).chunk(2, 1))
        for each in block.m:
            parts.append(each(parts[-1]))
        return block.cv2(torch.cat(parts, 1))

    return Rule(
        forward,
        cv1=yolo_conv(channels, c, 1),
        cv2=yolo_conv((n + 2) * (c // 2), c, 1),
        m=nn.ModuleList(bottleneck() for _ in range(n)),
    )


def sppf(c: int) -> Module:
    """Maxima over 5, 9 and 13 positions, side by side."""

    def forward(block: Module, x: Tensor) -> Tensor:
        parts = [block.cv1(x)]
        for _ in range(3):
            parts.append(nn.functional.max_pool2d(parts[-1], 5, 1, 2))
        return block.cv2(torch.cat(parts, 1))

    return Rule(forward, cv1=yolo_conv(c, c // 2, 1), cv2=yolo_conv(2 * c, c, 1))


def yolo_head(channels: int, c: int, n: int) -> Module:
    """What version 8 makes of features: n numbers at every position."""
    return nn.Sequential(yolo_conv(channels, c, 3), yolo_conv(c, c, 3), nn.Conv2d(c, n, 1))
