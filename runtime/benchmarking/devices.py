"""What devices can do at most, as their vendors' data sheets say."""

from collections.abc import Mapping
from dataclasses import dataclass

NVIDIA = "NVIDIA's data sheet"


@dataclass(frozen=True, slots=True)
class Device:
    """A row of the table.

    Attributes:
        name: Its full name.
        tflops: Products of float32 matrices, in 10^12 operations a second, 2 per MAC: in TF32
            without sparsity where it has that, which onnxruntime uses by default, else in FP32.
        gigabytes: Of memory, 10^9 bytes.
        bandwidth: Of that memory, in 10^9 bytes a second.
        source: Where that is stated.
    """

    name: str
    tflops: float
    gigabytes: float
    bandwidth: float
    source: str


DEVICES: Mapping[str, Device] = {
    "h200": Device("NVIDIA H200 SXM", 494.7, 141, 4_800, f"{NVIDIA} H200 Tensor Core GPU, 2024"),
    "h100": Device("NVIDIA H100 SXM", 494.7, 80, 3_350, f"{NVIDIA} H100 Tensor Core GPU, 2023"),
    "a100": Device("NVIDIA A100 80GB SXM", 156, 80, 2_039, f"{NVIDIA} A100 Tensor Core GPU, 2022"),
    "v100": Device("NVIDIA V100 SXM2", 15.7, 32, 900, f"{NVIDIA} Tesla V100 GPU, 2020"),
    "l4": Device("NVIDIA L4", 60, 24, 300, f"{NVIDIA} L4 Tensor Core GPU, 2023"),
    "t4": Device("NVIDIA T4", 8.1, 16, 300, f"{NVIDIA} T4 Tensor Core GPU, 2019"),
}
