"""Names of nodes -> paths of modules, as exporters write them."""

import ast
import re
from dataclasses import dataclass
from itertools import takewhile

from onnx import GraphProto, NodeProto

# What PyTorch's exporter by `torch.export` notes of a node: the modules around it, and its name.
TORCH_SCOPES = "pkg.torch.onnx.name_scopes"
_NOWHERE = "_empty_nn_module_stack_from_metadata_hook"  # what its passes add has no module
# What netc notes of a node: the layer's kind and path.
_NETC = re.compile(r"[A-Z][A-Z0-9]* (\S+)\Z")
# Calls that TensorFlow's exporters are around a model, and that say nothing of it.
_CALLS = re.compile(r"(StatefulPartitionedCall|PartitionedCall)(:\d+|_\d+)?\Z")


@dataclass(frozen=True, slots=True)
class Scopes:
    """The paths of the nodes of a graph, such as `layer1.0.conv1`; empty where nothing names them.

    Attributes:
        common: How many parts all paths begin with, which say nothing.
    """

    common: int = 0

    @classmethod
    def of(cls, graph: GraphProto) -> "Scopes":
        """The paths of a graph's nodes."""
        paths = [parts for node in graph.node if (parts := _parts(node))]
        shared = _shared(paths) if len(paths) > 1 else []
        shortest = min(map(len, paths), default=0)
        return cls(min(len(shared), max(shortest - 1, 0)))

    def path(self, node: NodeProto) -> str:
        """A node's path."""
        return ".".join(_parts(node)[self.common :])


def _shared(paths: list[list[str]]) -> list[str]:
    """What all paths begin with."""
    first, last = min(paths), max(paths)
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return [part for part, _ in alike]


def _parts(node: NodeProto) -> list[str]:
    """The parts of a node's path."""
    for read in (_of_netc, _of_torch_export, _of_slashes):
        if (parts := read(node)) is not None:
            return [re.sub(r"\W", "_", part) or "_" for part in parts]
    return []


def _of_netc(node: NodeProto) -> list[str] | None:
    found = _NETC.match(node.doc_string)
    return found[1].split(".") if found else None


def _of_torch_export(node: NodeProto) -> list[str] | None:
    """The modules' full names; the last is the deepest, and the operator's own comes after it."""
    noted = [prop.value for prop in node.metadata_props if prop.key == TORCH_SCOPES]
    if not noted:
        return None
    try:
        names = ast.literal_eval(noted[0])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    modules = [name for name in names[:-1] if name and name != _NOWHERE]
    return modules[-1].split(".") if modules else []


def _of_slashes(node: NodeProto) -> list[str] | None:
    """`/layer1/layer1.0/conv1/Conv`: a module within another repeats the other's name."""
    if "/" not in node.name:
        return None
    parts: list[str] = []
    for part in node.name.strip("/").split("/")[:-1]:
        if _CALLS.match(part):
            continue
        if parts and part.startswith(f"{parts[-1]}."):
            parts.pop()
        parts.append(part)
    return ".".join(parts).split(".") if parts else []
