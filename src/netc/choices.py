"""The words that users choose from: engines, devices, parts of data, forms of pictures."""

from typing import Literal

Engine = Literal["numpy", "onnxruntime"]
Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "float64"]
Part = Literal["train", "validation", "test", "all"]
PARTS: tuple[Part, ...] = ("train", "validation", "test", "all")
Style = Literal["graph", "backward", "neurons"]
Direction = Literal["TB", "LR", "BT", "RL"]
Format = Literal["svg", "png", "pdf", "dot"]
Theme = Literal["light", "dark"]
