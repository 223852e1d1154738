"""A network -> the text of a Python file that defines it in PyTorch."""

import os
from collections.abc import Iterable
from functools import partial

from ...ir.graph import Graph
from ...model import Model
from .blocks import Block, root_block
from .classes import Class, classes_of
from .code import Code, Group, code, laid_out, spelled
from .forward import Forward
from .helpers import HELPERS
from .members import Members
from .names import class_name, fresh, plain_text, variable
from .steps import Steps
from .training import training_text
from .translation import steps_of

# Classes of layers that are written out by their operators.
KINDS = {
    "ATTENTION": "Attention",
    "DROPCONNECT": "DropConnect",
    "LOCAL": "LocallyConnected",
    "RMSNORM": "RMSNorm",
}


def torch_source(model: Model) -> str:
    """A standalone file: classes, and what the program says of training.

    Raises:
        NetError: E506, a layer has no counterpart in PyTorch.
    """
    found = steps_of(model.graph)
    root = root_block(found)
    classes = classes_of(root, found, partial(_name, model.graph))
    texts = [_class(c, found, c is classes[-1]) for c in classes]
    texts += filter(None, [training_text(model)])
    body = "\n\n".join(texts)
    helpers = [text for name, text in HELPERS.items() if f"{name}(" in body]
    head = _header(model, "\n".join([*helpers, body]))
    return "\n\n".join([head, *helpers, *texts])


def _header(model: Model, body: str) -> str:
    imports = ["import torch"] if "torch." in body.replace("torch.nn", "") else []
    imports.append("from torch import nn")
    if "F." in body:
        imports.append("from torch.nn import functional as F")
    standard = ["import math"] if "math." in body else []
    standard += ["from collections import OrderedDict"] if "OrderedDict(" in body else []
    standard += [""] if standard else []
    origin = plain_text(os.path.basename(model.origin))
    lines = [f"# {plain_text(model.graph.name)} in PyTorch, written by netc from {origin}.", *_HOW]
    return "\n".join([*lines, "", *standard, *imports]) + "\n"


_HOW = (
    "#",
    "# Names and shapes of the weights are those of netc:",
    '# `model.load_state_dict(safetensors.torch.load_file("weights.safetensors"))`.',
)


def _class(made: Class, found: Steps, is_root: bool) -> str:
    members = Members(made.body.members, made.optional)
    arguments = _arguments(made, found, is_root)
    lines = [f"class {made.name}(nn.Module):"]
    if made.body.members or made.arguments:
        lines += _signature("__init__", [_argument(a.name, a.default) for a in made.arguments])
        kept = [f"        self.{name} = {name}" for name in made.kept]
        lines += ["        super().__init__()", *kept, *members.statements()]
        lines += [*(_frozen(members, found) if is_root else []), ""]
    if is_root:
        lines += _training_of_frozen(members, found)
    lines += _signature("forward", arguments)
    lines += _forward(made, members, arguments)
    return "\n".join(lines) + "\n"


def _forward(made: Class, members: Members, arguments: list[str]) -> list[str]:
    """The statements of `forward`."""
    if not made.body.is_series:
        return Forward(made.body, members, arguments).written()
    turn = Forward(made.body, members, arguments, indent=12).written(f"{arguments[0]} = ")
    return ["        for block in self.children():", *turn, f"        return {arguments[0]}"]


def _frozen(members: Members, found: Steps) -> list[str]:
    """What keeps frozen layers' weights from training."""
    if not found.frozen:
        return []
    loop = Code(("for module in ", *_tuple(map(members.reference, found.frozen)).parts))
    return [*laid_out("", loop, ":", 8), "            module.requires_grad_(False)"]


def _training_of_frozen(members: Members, found: Steps) -> list[str]:
    """What keeps frozen normalizations from using the statistics of a batch."""
    kept = [
        members.reference(path) for path, has_statistics in found.frozen.items() if has_statistics
    ]
    if not kept:
        return []
    loop = Code(("for module in ", *_tuple(kept).parts))
    return [
        "    def train(self, mode=True):",
        "        super().train(mode)",
        *laid_out("", loop, ":", 8),
        "            module.eval()  # frozen: it keeps its running statistics",
        "        return self",
        "",
    ]


def _tuple(items: Iterable[str]) -> Code:
    """A tuple; one alone has a comma after it."""
    texts = list(items)
    codes = [code(f"{texts[0]},")] if len(texts) == 1 else list(map(code, texts))
    return Code((Group(tuple(codes), "()", "list"),))


def _argument(name: str, default: object) -> str:
    return name if default is None else f"{name}={spelled(default)}"


def _signature(name: str, arguments: list[str]) -> list[str]:
    items = tuple(map(code, ["self", *arguments]))
    return laid_out(f"def {name}", Code((Group(items),)), ":", indent=4)


def _arguments(made: Class, found: Steps, is_root: bool) -> list[str]:
    """What the tensors that `forward` takes are called: an input of the network by its name."""
    if len(made.inputs) == 1:
        return ["x"]
    given = {key: variable(name) for name, key in found.inputs.items()}
    if is_root:
        return list(given.values())
    names: list[str] = []
    for place, key in enumerate(made.inputs):
        known = given.get(key) if place else None
        names.append(known if known and known not in names else fresh({*names, *given.values()}))
    return names


def _name(graph: Graph, block: Block) -> str:
    """What the class of a block is called: as in the program, or after its layer or its scope."""
    path = ".".join(block.path)
    if not path:
        return class_name(graph.name)
    layer = graph.layers.get(path)
    if layer is not None:
        return KINDS.get(layer.kind, layer.kind.capitalize())
    return class_name(graph.blocks.get(path) or _scope_name(block))


def _scope_name(block: Block) -> str:
    words = [part.rstrip("0123456789").strip("_") for part in block.path]
    named = [word for word in words if word]
    return named[-1].replace("_", " ") if named else "block"
