"""The columns of the layer table: what each takes from a row, and how it is written."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from ..compiler.ir.dim import Dim
from ..grammar.diagnostics import did_you_mean, error, listing
from ..grammar.records import record
from .rows import LayerRow

EMPTY_CELL = "-"


@record
class Column:
    """A column of the layer table.

    Attributes:
        key: Its name for `columns=` and in JSON and CSV.
        title: Its heading in text and Markdown.
        align: Where its texts are aligned to.
        value: What it takes from a row: JSON's and CSV's form.
        text: The value for readers.
        wrap: How wide its texts may be before they go on in the next line.
    """

    key: str
    title: str
    align: Literal["left", "right"]
    value: Callable[[LayerRow], Any]
    text: Callable[[LayerRow], str]
    wrap: int | None = None


COLUMNS: dict[str, Column] = {}

# The columns that text and Markdown show where none are chosen.
USUAL_COLUMNS = ("layer", "call", "output", "params", "macs", "receptive_field")


def column(
    title: str,
    *,
    align: Literal["left", "right"] = "left",
    text: Callable[[LayerRow], str] | None = None,
    wrap: int | None = None,
) -> Callable[[Callable[[LayerRow], Any]], Callable[[LayerRow], Any]]:
    """Enter the decorated function of a row into the table of columns, under its name."""

    def register(value: Callable[[LayerRow], Any]) -> Callable[[LayerRow], Any]:
        key = value.__name__
        if key in COLUMNS:
            raise ValueError(f"column {key} is defined twice")
        COLUMNS[key] = Column(
            key, title, align, value, text or (lambda row: str(value(row)) or EMPTY_CELL), wrap
        )
        return value

    return register


def chosen_columns(keys: Sequence[str]) -> tuple[Column, ...]:
    """Columns by their keys.

    Raises:
        NetError: There is no such column.
    """
    for key in keys:
        if key not in COLUMNS:
            known = listing(COLUMNS)
            near = did_you_mean(key, COLUMNS) or f"the columns are {known}"
            raise error("E102", f"the table has no column `{key}`", help=near)
    return tuple(COLUMNS[key] for key in keys)


def quantity(dim: Dim) -> int | str:
    """A count for machines: an integer, or the formula where extents are symbolic."""
    return dim if isinstance(dim, int) else str(dim)


def grouped(dim: Dim) -> str:
    """A count for readers: `61,706`, `-` for nothing, or the formula."""
    return (f"{dim:,}" if isinstance(dim, int) else str(dim)) if dim != 0 else EMPTY_CELL


def byte_count(dim: Dim) -> str:
    """Bytes for readers: `128 B`, `3.5 KiB`, `-` for nothing, or the formula."""
    if not isinstance(dim, int):
        return f"{dim} B"
    size, unit = float(dim), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    if unit == "B":
        return f"{dim} B" if dim else EMPTY_CELL
    return f"{size:,.1f} {unit}"


def spelled_extents(extents: Sequence[Dim | float] | None) -> str:
    """Extents as a program spells them: `5x5`, `7`; empty where there are none."""
    extents = extents or ()
    separator = "x" if all(isinstance(extent, int | float) for extent in extents) else " x "
    return separator.join(map(str, extents))


def _parameters(row: LayerRow) -> str:
    if not row.shared:
        return grouped(row.params)
    return f"{row.params:,} + shared" if row.params else "shared"


@column("layer")
def layer(row: LayerRow) -> str:
    """The layer's path, or the scope's."""
    return row.name


@column("kind and arguments", wrap=38)
def call(row: LayerRow) -> str:
    """The layer as a program spells it, without what defaults determine."""
    return row.call


@column("kind")
def kind(row: LayerRow) -> str:
    """The language's name of the layer."""
    return row.kind


@column("arguments", text=lambda row: row.all_arguments or EMPTY_CELL)
def arguments(row: LayerRow) -> dict[str, Any]:
    """Every argument, marked where a default filled it in."""
    return {
        name: value if isinstance(value, int | float) else row.spelled(name)
        for name, value in row.arguments.items()
        if value is not None
    }


@column("by default", text=lambda row: " ".join(sorted(row.defaulted)) or EMPTY_CELL)
def defaulted(row: LayerRow) -> list[str]:
    """The arguments that a default filled in."""
    return [name for name in row.arguments if name in row.defaulted]


@column("output")
def output(row: LayerRow) -> str:
    """The shape of the output, channels last."""
    return row.output


@column("parameters", align="right", text=_parameters)
def params(row: LayerRow) -> int:
    """Learned parameters."""
    return row.params


@column("trainable", align="right", text=lambda row: grouped(row.trainable))
def trainable(row: LayerRow) -> int:
    """Learned parameters that training changes."""
    return row.trainable


@column("frozen", align="right", text=lambda row: grouped(row.frozen))
def frozen(row: LayerRow) -> int:
    """Learned parameters that training leaves alone."""
    return row.frozen


@column("buffers", align="right", text=lambda row: grouped(row.buffers))
def buffers(row: LayerRow) -> int:
    """Elements of running statistics."""
    return row.buffers


@column("shared with", text=lambda row: " ".join(row.shared) or EMPTY_CELL)
def shared(row: LayerRow) -> list[str]:
    """Parameters that it uses and that another layer counts."""
    return list(row.shared)


@column("MACs", align="right", text=lambda row: grouped(row.macs))
def macs(row: LayerRow) -> int | str:
    """Multiply-accumulates for one sample."""
    return quantity(row.macs)


@column("elementwise", align="right", text=lambda row: grouped(row.elementwise))
def elementwise(row: LayerRow) -> int | str:
    """All other operations for one sample."""
    return quantity(row.elementwise)


@column("FLOPs", align="right", text=lambda row: grouped(row.flops))
def flops(row: LayerRow) -> int | str:
    """2 x MACs + elementwise operations."""
    return quantity(row.flops)


@column("receptive\nfield", align="right")
def receptive_field(row: LayerRow) -> str:
    """Rows and columns of the input that one element sees."""
    return spelled_extents(row.receptive_field)


@column("stride", align="right")
def stride(row: LayerRow) -> str:
    """Rows and columns of the input between neighbours."""
    return spelled_extents(row.stride)


@column("memory", align="right", text=lambda row: byte_count(row.memory))
def memory(row: LayerRow) -> int | str:
    """Bytes of the outputs for one sample."""
    return quantity(row.memory)
