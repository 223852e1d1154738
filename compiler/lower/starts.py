"""Which chains and blocks start with values or sources, so that no tensor is led to them."""

from ...grammar import ast
from ...grammar.limits import MAX_NESTING
from ..expressions.names import Block, Home
from ..layers.layerdef import LAYERS

_CHAINED = (ast.ChainStatement, ast.BindStatement)


def starts_itself(chain: ast.Chain, home: Home, depth: int = 0) -> bool:
    """Whether a chain starts with values or sources, where the blocks of a file are known.

    `depth` says how many blocks are around it; in one that is nested too deep, none does.
    """
    first = chain.steps[0].item
    if isinstance(first, ast.Group):
        within = () if first.is_computed else first.branches
        return bool(within) and all(starts_itself(each.chain, home, depth) for each in within)
    if isinstance(first, ast.Reference):
        name = first.label.literal
        is_value = name not in LAYERS and name not in home.blocks and name != "in"
        return is_value or (name is not None and _is_source(name, home, depth))
    return isinstance(first, ast.Call) and _is_source(first.name, home, depth)


def block_starts_itself(block: Block, depth: int = 0) -> bool:
    """Whether the last chain of a block does, so that it takes no tensor."""
    chains = [s.chain for s in block.statement.body if isinstance(s, _CHAINED)]
    if block.statement.inputs or not chains or depth > MAX_NESTING:
        return False
    return starts_itself(chains[-1], block.home, depth + 1)


def _is_source(name: str, home: Home, depth: int) -> bool:
    if name in home.blocks:
        return block_starts_itself(home.blocks[name], depth)
    return name in LAYERS and LAYERS[name].takes == "nothing"
