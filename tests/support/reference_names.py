"""What weights are called elsewhere, as digests: a list of all would fill a book."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

# spec: the digest of its model's `state_dict()` in torchvision 0.28, without `num_batches_tracked`
# and `relative_position_index`.
TORCHVISION: Mapping[str, str] = {
    "alexnet_torchvision": "935c1ea73a78",
    "deeplabv3_mobilenet_v3_large": "9d57ba4a51b6",
    "deeplabv3_resnet101": "543484dba3b0",
    "deeplabv3_resnet50": "ad984bc10d48",
    "densenet121": "222a58d1fd8d",
    "densenet161": "9d03c4eb4e4c",
    "densenet169": "a9eb5c1c253d",
    "densenet201": "aaf6c59d276c",
    "efficientnet_b0": "b5ec7b4b5e4f",
    "efficientnet_b1": "1f5cde5a1ed0",
    "efficientnet_b2": "0dbc4ac8a0f4",
    "efficientnet_b3": "a78a6fe55721",
    "efficientnet_b4": "d5f2bdadab7f",
    "efficientnet_b5": "33800e077941",
    "efficientnet_b6": "12227c2910fa",
    "efficientnet_b7": "1019a0c28dcf",
    "efficientnet_v2_l": "5950c1bddea7",
    "efficientnet_v2_m": "840bd1d7f5e2",
    "efficientnet_v2_s": "63498c34974c",
    "fasterrcnn_mobilenet_v3_large_320_fpn": "e0df588e6160",
    "fasterrcnn_mobilenet_v3_large_fpn": "e0df588e6160",
    "fasterrcnn_resnet50_fpn": "3b48f955f86c",
    "fasterrcnn_resnet50_fpn_v2": "c15dff4ef1a6",
    "fcn_resnet101": "6d9a720bda79",
    "fcn_resnet50": "d9e351b7fb37",
    "fcos_resnet50_fpn": "9f3e0a3de89d",
    "googlenet": "b2fadd85b321",
    "inception_v3": "5beceaea5a42",
    "keypointrcnn_resnet50_fpn": "fa197e3b2b21",
    "lraspp_mobilenet_v3_large": "570bdc12455e",
    "maskrcnn_resnet50_fpn": "fac6a17b4d4c",
    "maskrcnn_resnet50_fpn_v2": "afe03c90a9e5",
    "maxvit_t": "3a73cca39d27",
    "mc3_18": "1ff969b39341",
    "mnasnet0_5": "04f736ea0d1f",
    "mnasnet0_75": "a9980c48af58",
    "mnasnet1_0": "b1a4ee79a5b4",
    "mnasnet1_3": "239bd12a7084",
    "mobilenet_v2": "d613ea65450d",
    "mobilenet_v3_large": "2af4cb8a399e",
    "mobilenet_v3_small": "c5aae8a56256",
    "r2plus1d_18": "f5a2e675e599",
    "r3d_18": "2c3da3d3efd6",
    "regnet_x_16gf": "d9ffa0f7e01e",
    "regnet_x_1_6gf": "26eca42978eb",
    "regnet_x_32gf": "2eb1bd6704ff",
    "regnet_x_3_2gf": "9a88c182ccc2",
    "regnet_x_400mf": "4d12f1772d20",
    "regnet_x_800mf": "ae847176c091",
    "regnet_x_8gf": "f51a7cb44e37",
    "regnet_y_128gf": "515fc92bae91",
    "regnet_y_16gf": "47a05bbc69b6",
    "regnet_y_1_6gf": "3b97470281b7",
    "regnet_y_32gf": "5174db34bab7",
    "regnet_y_3_2gf": "a7a871f25a47",
    "regnet_y_400mf": "cb7f2c2686cd",
    "regnet_y_800mf": "991608fe1d40",
    "regnet_y_8gf": "777fdc66c881",
    "resnet101": "d916ed2068e1",
    "resnet152": "2fe195791c8f",
    "resnet18": "2bb53b15765c",
    "resnet34": "b945021fb00b",
    "resnet50": "cf11dad974ea",
    "resnext101_32x8d": "682c26d7ce48",
    "resnext101_64x4d": "ed1563233073",
    "resnext50_32x4d": "f6c1ee50d987",
    "retinanet_resnet50_fpn": "593e3a6a7dba",
    "retinanet_resnet50_fpn_v2": "af086fb2c038",
    "s3d": "341a90f3d59f",
    "shufflenet_v2_x0_5": "cfd56088815d",
    "shufflenet_v2_x1_0": "c95a672d4672",
    "shufflenet_v2_x1_5": "24ba8d5b6dea",
    "shufflenet_v2_x2_0": "0402cbc7fa88",
    "squeezenet1_0": "142983e4c19c",
    "squeezenet1_1": "3fbd2a746421",
    "ssdlite320_mobilenet_v3_large": "a4c56589bdd5",
    "vgg11": "b11acd4f90d9",
    "vgg11_bn": "eb52f2d89ad4",
    "vgg13": "79ca8fd7a148",
    "vgg13_bn": "e71996a6a29b",
    "vgg16": "ba63c2556d91",
    "vgg16_bn": "d8308b804a50",
    "vgg19": "393fac8b08b6",
    "vgg19_bn": "8f342fea647d",
    "vit_b_16": "2c2360f67072",
    "vit_b_32": "5d993f6a7cca",
    "vit_h_14": "9307ffd5b5d2",
    "vit_l_16": "bf0dacece571",
    "vit_l_32": "d47ce21ffb6f",
    "wide_resnet101_2": "c1f0689a35d4",
    "wide_resnet50_2": "5b22ca8fa50e",
}


# The same of timm 1.0.
TIMM: Mapping[str, str] = {
    "mobilevit_s": "817d06314762",
    "mobilevit_xs": "a3fe497db7f3",
    "mobilevit_xxs": "23ec36b2c16a",
}

# The same of Ultralytics' YOLOv5 7.0.
ULTRALYTICS: Mapping[str, str] = {
    "yolov3_tiny": "1dda144ca572",
    "yolov5l": "b963b184a407",
    "yolov5m": "a8e3470e86fe",
    "yolov5n": "455308b4d0ab",
    "yolov5s": "40754275c8e2",
    "yolov5x": "129c646df7ec",
}

# The same of Hugging Face's Transformers 5.24, without the second name of the embedding.
TRANSFORMERS: Mapping[str, str] = {
    "qwen2_5_0_5b": "7f6ba282232a",
    "qwen3_0_6b": "0baa3fddba0d",
}

DIGESTS = {**TORCHVISION, **TIMM, **ULTRALYTICS, **TRANSFORMERS}


def digest(shapes: Iterable[tuple[str, tuple[object, ...]]]) -> str:
    """Of names and shapes in any order."""
    lines = sorted(f"{name} {shape}" for name, shape in shapes)
    return sha256("\n".join(lines).encode()).hexdigest()[:12]
