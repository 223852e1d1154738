"""What `set_mode` builds in training: noise, and what becomes of running statistics."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from ...grammar.diagnostics import error
from ..ir.builder import Builder
from ..ir.graph import INPUT, PARAMETER, Graph, Node, Value, present, required
from ..ir.scalars import STEP, scalar_name, scalar_type
from ..ir.types import DType
from ..ops.opdef import Operands
from .inference_mode import add_noise, divide_by_singular_value, keep_paths, pass_on
from .noise import kept, key_of, uniform
from .rewrite import RewriteRule, rewrite
from .shards import SHARD_INPUTS, Shard
from .shared_statistics import synchronized, unbiasing
from .spectral_norm import divided, moved
from .stochastic_pooling import sample_by_magnitude

NEXT = ".next"
HALF = 0.5  # ONNX's default for the rate of Dropout


class Training:
    """What is to be remembered from node to node while a graph is put in training mode.

    Attributes:
        graph: The graph before.
        seed: What all noise is keyed by, besides step, layer and element.
        shards: Whether the graph is to see a shard of each batch.
        sync_bn: Whether statistics of a batch are those of all its shards.
        draws: How often each layer has drawn noise.
        moved: What running statistics become, by their values before.
    """

    def __init__(
        self, graph: Graph, seed: int, *, shards: bool = False, sync_bn: bool = False
    ) -> None:
        self.graph = graph
        self.seed = seed
        self.shards = shards
        self.sync_bn = shards and sync_bn
        self.draws: Counter[str] = Counter()
        self.moved: dict[Value, Value] = {}

    def settled(self) -> Graph:
        """The graph in training mode."""
        return rewrite(self.graph, self.rules())

    def rules(self) -> Mapping[str, RewriteRule]:
        """What to build, by operator."""
        nested = {node.op_type for _, node in self.graph.nodes() if node.subgraphs}
        return {
            INPUT: self.use_input,
            **dict.fromkeys(nested, self.go_inside),
            "BatchNormalization": self.normalize,
            "Dropout": self.drop,
            "Mul": keep_paths,
            "netc.Noise": self.add,
            "netc.SpectralNorm": self.divide,
            "netc.StochasticPool": self.sample,
        }

    def use_input(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """An input that noise asks for, too, is there once, wherever it stands."""
        name = node.attributes["name"]
        if name in SHARD_INPUTS and name in build.graph.inputs:
            return (build.graph.inputs[name],)
        if name != scalar_name(self.graph, STEP):
            return None
        return (self._step(build),) if _counts(node) else None

    def go_inside(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        """An operator with its subgraphs in training mode, which capture the step if they draw."""
        place = len(operands)
        inside = {
            name: _Inside(
                inner, self.seed, self.draws, lambda: self._inside(build), place
            ).settled()
            for name, inner in node.subgraphs.items()
        }
        draws = any(place in inner.captures.values() for inner in inside.values())
        taken = (*operands, self._inside(build)) if draws else operands
        return build.again(replace(node, subgraphs=inside), taken)

    def drop(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        """Dropout: y = x m / (1 - p), where each m is 0 with the probability p and 1 otherwise.

        The inverted dropout of Srivastava et al. 2014, section 10, whose inference is y = x.
        """
        x = required(operands[0])
        rate = _rate(build, node, operands)
        if rate <= 0:
            return pass_on(build, node, operands)
        mask = kept(build, x, self._step(build), self._key(node), rate, self._shard(build))
        scale = build.constant(1.0 / (1.0 - rate) if rate < 1 else 0.0, x.dtype)
        factors = build.Mul(build.Cast(mask, to=x.dtype), scale)
        return (build.Mul(x, factors), mask)[: len(node.outputs)]

    def add(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        """Noise: x + deviation e, with new numbers e in each step."""
        keys = (self._key(node), self._key(node))
        return add_noise(build, node, operands, self._step(build), keys, self._shard(build))

    def sample(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        """Stochastic pooling: an element of each window, drawn by magnitude."""
        x = required(operands[0])

        def draw(shape_of: Value) -> Value:
            moment = self._step(build), self._key(node), self._shard(build)
            numbers = uniform(build, shape_of, *moment)
            return numbers if x.dtype == DType.FLOAT32 else build.Cast(numbers, to=x.dtype)

        return (sample_by_magnitude(build, x, node.attributes, draw),)

    def normalize(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """BatchNormalization: y from the batch's own mean and variance, which are extra outputs.

        With ONNX's momentum 0 these are the batch's mean and biased variance. The running
        statistics become m running + (1 - m) batch with the momentum m of the node, the variance
        times n / (n - 1) for n numbers per channel, as in PyTorch. A frozen layer normalizes
        by its running statistics, and leaves them as they are.
        """
        if node.attributes["training_mode"] or self._is_frozen(node):
            return None
        x, statistics = required(operands[0]), [required(operand) for operand in operands[3:5]]
        # Layers that share statistics move them one after the other, as in PyTorch.
        running = [self.moved.get(statistic, statistic) for statistic in statistics]
        if self.sync_bn:
            scale, bias = present(operands[1:3])
            y, mean, unbiased = synchronized(build, x, scale, bias, node.attributes["epsilon"])
        else:
            attributes = {**node.attributes, "training_mode": 1, "momentum": 0.0}
            y, mean, variance = build.op(
                "BatchNormalization", (*operands[:3], *running), attributes, outputs=3
            )
            count = build.Div(build.Size(x), build.Size(variance))
            unbiased = build.Mul(variance, unbiasing(build, count, x.dtype))
        for statistic, old, new in zip(statistics, running, (mean, unbiased), strict=True):
            self.moved[statistic] = _between(build, old, new, node.attributes["momentum"])
        return (y,)

    def divide(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        """Spectral normalization: W / (u W v), u and v moved by a step of the power method.

        A frozen layer divides by what they are, and leaves them so.
        """
        weight, *vectors = present(operands)
        if not self.graph.producer(node.input(0)).attributes.get("trainable", True):
            return divide_by_singular_value(build, node, operands)
        axis, epsilon = (node.attributes[name] for name in ("axis", "epsilon"))
        _, before = (self.moved.get(vector, vector) for vector in vectors)
        found = moved(build, weight, before, axis, epsilon)
        self.moved |= dict(zip(vectors, found, strict=True))
        return (divided(build, weight, *found, axis),)

    def _is_frozen(self, node: Node) -> bool:
        """Whether the author froze the layer, or the weights that it shares."""
        layer = self.graph.layers.get(node.scope)
        scale = self.graph.producer(node.input(1))
        frozen = scale.op_type == PARAMETER and not scale.attributes["trainable"]
        return frozen or (layer is not None and layer.frozen)

    def _key(self, node: Node) -> int:
        draw = self.draws[node.scope]
        self.draws[node.scope] += 1
        return key_of(self.seed, node.scope, draw)

    def _shard(self, build: Builder) -> Shard | None:
        """Which part of the batch the graph sees."""
        return Shard.of(Builder(build.graph)) if self.shards else None

    def _inside(self, build: Builder) -> Value:
        """What subgraphs draw by: the step and, of a shard, where it lies in the batch."""
        shard = self._shard(build)
        return self._step(build) if shard is None else shard.mixed(build, self._step(build))

    def _step(self, build: Builder) -> Value:
        """The number of the step: an input, which is there once something needs it."""
        name = scalar_name(self.graph, STEP)
        taken = self.graph.inputs.get(name)
        if taken is not None and not _counts(self.graph.producer(taken)):
            raise error(
                "E134",
                f"the network has an input `{name}`, a name that training needs for itself",
                self.graph.producer(taken).span,
                help="give it another label",
            )
        found = build.graph.inputs.get(name)
        return found or Builder(build.graph).input(name, scalar_type(STEP))


class _Inside(Training):
    """The same for a subgraph, which captures the step as an argument of its operator."""

    def __init__(
        self,
        graph: Graph,
        seed: int,
        draws: Counter[str],
        outer: Callable[[], Value],
        place: int,
    ) -> None:
        super().__init__(graph, seed)
        self.draws = draws
        self.outer, self.place = outer, place

    def use_input(self, build: Builder, node: Node, operands: Operands) -> None:
        """Inputs of a subgraph count turns, if anything."""

    def normalize(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """Running statistics cannot leave a subgraph: how often it runs is unknown."""
        if node.attributes["training_mode"] or self._is_frozen(node):
            return None
        raise error(
            "E103",
            "training cannot move the running statistics of a `BatchNormalization` in a subgraph",
            node.span,
        )

    def _step(self, build: Builder) -> Value:
        outer = self.outer()
        found = [name for name, at in build.graph.captures.items() if at == self.place]
        if found:
            return build.graph.inputs[found[0]]
        return Builder(build.graph).capture(outer, self.place)


def _rate(build: Builder, node: Node, operands: Operands) -> float:
    """With which probability Dropout drops; a constant, though ONNX lets it be computed."""
    given = operands[1] if len(operands) > 1 else None
    rate = HALF if given is None else build.known(given)
    (rate,) = rate if isinstance(rate, tuple) and len(rate) == 1 else (rate,)
    if not isinstance(rate, float | int):
        raise error("E103", "training needs a rate of `Dropout` that is a constant", node.span)
    return rate


def _counts(node: Node) -> bool:
    return node.outputs[0] == scalar_type(STEP)


def _between(build: Builder, old: Value, new: Value, momentum: float) -> Value:
    """momentum old + (1 - momentum) new."""
    kept_part = build.Mul(old, build.constant(momentum, old.dtype))
    return build.Add(kept_part, build.Mul(new, build.constant(1.0 - momentum, new.dtype)))
