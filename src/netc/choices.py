"""The words that users choose from: engines, devices, parts of data, forms of pictures."""

from typing import Literal, get_args

EngineName = Literal["numpy", "onnxruntime"]
Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "float64"]
PartName = Literal["train", "validation", "test", "all"]
PARTS: tuple[PartName, ...] = ("train", "validation", "test", "all")
Style = Literal["graph", "ops", "backward", "volumes", "neurons"]
STYLES: tuple[Style, ...] = get_args(Style)
Direction = Literal["TB", "LR", "BT", "RL"]
Format = Literal["svg", "png", "pdf", "tex", "dot", "mmd"]
ThemeName = Literal["light", "dark"]
PictureFormat = Literal["svg", "png", "pdf"]
