"""Chains and blocks to how many layers they expand to at least, before any is lowered."""

from ...grammar import ast
from ...grammar.limits import MAX_NESTING
from ..expressions.names import Home
from ..layers.layerdef import LAYERS

_CHAINED = (ast.ChainStatement, ast.BindStatement)


def layers_in(chain: ast.Chain, home: Home, depth: int = 0) -> int:
    """At least how many layers a chain expands to, as far as its literal counts show.

    `depth` says how many blocks are around it; deeper ones than may be called count as none.
    """
    return sum(_layers_in_step(step.item, home, depth) for step in chain.steps)


def layers_in_block(name: str, home: Home, depth: int = 0) -> int:
    """At least how many layers a block expands to, computed once; a layer is one, a value none."""
    block = home.blocks.get(name)
    if block is None:
        return int(name in LAYERS)
    if name not in home.sizes:
        if depth > MAX_NESTING:
            return 0
        home.sizes[name] = 0  # for a block that calls itself
        chains = [s.chain for s in block.statement.body if isinstance(s, _CHAINED)]
        home.sizes[name] = sum(layers_in(chain, block.home, depth + 1) for chain in chains)
    return home.sizes[name]


def _layers_in_step(item: ast.Item, home: Home, depth: int) -> int:
    match item:
        case ast.Group(branches):
            certain = (branch.chain for branch in branches if not branch.is_computed)
            return sum(layers_in(chain, home, depth) for chain in certain)
        case ast.Repeat(inner, ast.Number(count)) if isinstance(count, int):
            return count * layers_in(inner, home, depth)
        case ast.Repeat(inner, None):
            return layers_in(inner, home, depth)
        case ast.Call(name):
            return layers_in_block(name, home, depth)
        case ast.Reference(label) if label.literal is not None:
            return layers_in_block(label.literal, home, depth)
        case ast.Shorthand():
            return 1
    return 0
