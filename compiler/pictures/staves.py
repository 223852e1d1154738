"""Circuit -> where its parts stand: columns by rank, forward above and backward below it.

A gradient stands beneath the operator that it is of. Wires run horizontally through columns and
vertically between them only; their labels have room of their own beside the part that they leave.
"""

from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from math import inf

from ..emit.circuit import Circuit, Wire
from .fonts import text_width

PITCH = 9.0  # between wires that enter a part
LABEL = 7.0  # the size of labels
LABEL_LINE = 8.5
BETWEEN = 7.0  # between parts of a column
PARAMETERS = ("parameter",)
LEAVES = ("input", "parameter")
UPPER = ("input", "parameter", "forward", "value")

# A part, -1 and its column; or what passes a column: the net's source, its number, the column.
Item = tuple[str, int, int]


@dataclass(eq=False)
class Net:
    """A value's wires from one part to others.

    Attributes:
        upright: Whether wires run from top to bottom, and labels stand beside them, not above.
    """

    source: str
    role: str
    lines: tuple[str, ...]
    targets: list[str] = field(default_factory=list)
    number: int = 0
    upright: bool = False

    @property
    def label(self) -> tuple[float, float]:
        """What its label takes along and across the wire."""
        width = max((text_width(line, LABEL) for line in self.lines), default=0.0)
        height = LABEL_LINE * len(self.lines)
        return (height, width) if self.upright else (width, height)

    @property
    def height(self) -> float:
        """What its label takes across the wire, its distance included."""
        return self.label[1] + (3.0 if self.upright else 2.0) if self.lines else 0.0


def nets_of(wires: Iterable[Wire], *, upright: bool = False) -> list[Net]:
    """The wires of each value as one; of forward values the longest label counts."""
    found: dict[object, Net] = {}
    for wire in wires:
        lines = tuple(line for line in wire.lines if line)
        key: object = (wire.source, wire.role, wire.value)
        if wire.role == "backward":
            key = (wire.source, wire.value, lines)
        fresh = Net(wire.source, wire.role, lines, number=len(found), upright=upright)
        net = found.setdefault(key, fresh)
        if len(lines) > len(net.lines):
            net.lines = lines
        if wire.target not in net.targets:
            net.targets.append(wire.target)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Block:
    """An item of a column about its axis, the height of its main wire.

    Attributes:
        top, bottom: The part's outline; y grows downwards.
        up, down: How far it reaches, its labels included.
        ports: The heights of wires, by side (`left`, `right`) and the net's number.
    """

    top: float
    bottom: float
    up: float
    down: float
    ports: Mapping[tuple[str, int], float]


PASSING = Block(0, 0, 4, 4, {})  # where a wire crosses a column


@dataclass(eq=False)
class Staves:
    """Places of parts.

    Attributes:
        sizes: What each part takes along the flow and across it.
        column: The column of each part.
        groups: The columns that begin a rank, where a row may end.
        place: The height of each item's axis, in its lane.
        blocks: Each item's outline and ports.
        ways: For each net the items that it passes, by column.
    """

    circuit: Circuit
    sizes: Mapping[str, tuple[float, float]]
    nets: list[Net]
    column: dict[str, int] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)
    place: dict[Item, float] = field(default_factory=dict)
    blocks: dict[Item, Block] = field(default_factory=dict)
    ways: dict[int, dict[int, Item]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.coming: dict[str, list[Net]] = defaultdict(list)
        self.going: dict[str, list[Net]] = defaultdict(list)
        for net in self.nets:
            self.going[net.source].append(net)
            for target in net.targets:
                self.coming[target].append(net)
        self._columns()
        self._ways()
        self.weight = {name: self._weight(name) for name in self.circuit.parts}
        self._upper()
        self._lower()

    @property
    def count(self) -> int:
        """How many columns there are."""
        return max(self.column.values()) + 1

    def item(self, name: str) -> Item:
        """A part as an item of its column."""
        return name, -1, self.column[name]

    def upper(self, name: str) -> bool:
        """Whether a part is in the upper lane."""
        return self.circuit.parts[name].role in UPPER

    def _sorted(self, role: str) -> list[str]:
        before = {n: [m.source for m in self.coming[n] if m.role == role] for n in self._in(role)}
        return [name for name in TopologicalSorter(before).static_order() if name in before]

    def _in(self, role: str) -> list[str]:
        return [n for n in self.circuit.parts if self.upper(n) == (role == "forward")]

    def _sources(self, name: str, role: str) -> list[str]:
        return [net.source for net in self.coming[name] if net.role == role]

    def _columns(self) -> None:
        """Ranks by the longest way from the start; gradients in the rank of what they are of."""
        parts, rank = self.circuit.parts, dict[str, int]()
        order = self._sorted("forward")
        for name in order:
            if parts[name].role not in LEAVES:
                before = (rank.get(s, -1) for s in self._sources(name, "forward"))
                rank[name] = max(before, default=-1) + 1
        for name in order:
            if parts[name].role in LEAVES:
                read = [rank[t] for net in self.going[name] for t in net.targets if t in rank]
                rank[name] = min(read, default=0) - 1
        turn: dict[str, int] = {}
        for name in self._sorted("backward"):
            sources = self._sources(name, "backward")
            own = rank.get(parts[name].beneath or "")
            limits = [rank[s] for s in sources]
            rank[name] = min([*limits, *([own] if own is not None else [])], default=0)
            turn[name] = max((turn[s] + 1 for s in sources if rank[s] == rank[name]), default=0)
        wide: dict[int, int] = defaultdict(lambda: 1)
        for name, number in turn.items():
            wide[rank[name]] = max(wide[rank[name]], number + 1)
        at = 0
        start: dict[int, int] = {}
        for r in range(min(rank.values()), max(rank.values()) + 1):
            start[r] = at
            self.groups.append(at)
            at += wide[r]
        for name, r in rank.items():
            last = start[r] + wide[r] - 1
            middle = start[r] + (wide[r] - 1) // 2
            forward = middle if parts[name].role == "forward" else last
            self.column[name] = last - turn[name] if name in turn else forward

    def _ways(self) -> None:
        """What nets pass: an item in each column between a part and those that read it."""
        for net in self.nets:
            if net.role == "kept":
                continue
            start = self.column[net.source]
            ends = [self.column[target] for target in net.targets]
            between = range(start + 1, max(ends))
            if net.role == "backward":
                between = range(start - 1, min(ends), -1)
            self.ways[net.number] = {c: (net.source, net.number, c) for c in between}

    def _weight(self, name: str) -> float:
        """How far a part is from where its lane ends; the longest way is to be straight."""
        if self.circuit.parts[name].role in PARAMETERS:
            return -1.0
        if self.upper(name):
            return float(self.column[name]) if self.circuit.parts[name].role != "input" else 0.0
        seen, pending, least = {name}, [name], self.column[name]
        while pending:
            for net in self.going[pending.pop()]:
                for target in net.targets:
                    if target not in seen and net.role == "backward":
                        seen.add(target)
                        pending.append(target)
                        least = min(least, self.column[target])
        own = self.column[name] - least
        if self.circuit.parts[name].role == "derivative":
            leaf = self.circuit.parts[self.circuit.parts[name].beneath or name].role
            return 0.5 if leaf == "input" else 0.0
        return float(own)

    def _items(self, upper: bool) -> dict[int, list[Item]]:
        """The items of a lane, by column."""
        found: dict[int, list[Item]] = defaultdict(list)
        for name in self.circuit.parts:
            if self.upper(name) == upper:
                found[self.column[name]].append(self.item(name))
        for net in self.nets:
            if (net.role == "forward") == upper:
                for column, item in self.ways.get(net.number, {}).items():
                    found[column].append(item)
        return found

    def _upper(self) -> None:
        """Operators from left to right, each as high as what it reads; then leaves around them."""
        items = self._items(True)
        taken: dict[int, list[tuple[float, float]]] = defaultdict(list)
        late: list[tuple[int, Item]] = []
        for column in range(self.count):
            own = sorted(items[column], key=lambda i: (-self._heavy(i), i[1], i[0]))
            for item in own:
                if self._is_leaf(item[0]):
                    late.append((column, item))
                    continue
                height = self._wanted_from_left(column, item)
                self._put(item, height, taken[column], -1)
        for column, item in sorted(late, key=lambda e: (-e[0], -self._heavy(e[1]))):
            if item[1] < 0:
                self.blocks[item] = self._block(item[0], 0.0)
            else:
                self.blocks[item] = PASSING
            self._put(item, self._wanted_from_right(column, item), taken[column], -1)

    def _is_leaf(self, name: str) -> bool:
        return self.circuit.parts[name].role in LEAVES

    def _heavy(self, item: Item) -> float:
        return self.weight[item[0]] - (0.5 if item[1] >= 0 else 0.0)

    def _wanted_from_left(self, column: int, item: Item) -> float:
        if item[1] >= 0:
            self.blocks[item] = PASSING
            return self.height_at(self.nets[item[1]], column - 1, "right")
        name = item[0]
        nets = [n for n in self.coming[name] if n.role == "forward"]
        known = {
            n.number: self.height_at(n, column - 1, "right")
            for n in nets
            if not self._is_leaf(n.source)
        }
        main = max(
            known,
            key=lambda n: (self.column[self.nets[n].source], -n),
            default=self._first_leaf(nets),
        )
        self.blocks[item] = self._block(name, known.get(main, 0.0), main, known)
        return known.get(main, 0.0)

    def _first_leaf(self, nets: Sequence[Net]) -> int:
        inputs = [n for n in nets if self.circuit.parts[n.source].role == "input"]
        return (inputs or nets)[0].number if nets else -1

    def _wanted_from_right(self, column: int, item: Item) -> float:
        """The height at which a leaf's net is read, by what is nearest."""
        net = self.nets[item[1]] if item[1] >= 0 else self.going[item[0]][0]
        after = self.ways.get(net.number, {}).get(column + 1)
        if after is not None:
            return self.place[after]
        found = [t for t in net.targets if self.column[t] == column + 1]
        target = found[0] if found else net.targets[0]
        return self.height_of(target, "left", net.number)

    def _lower(self) -> None:
        """Gradients from right to left, each as high as what it reads."""
        items = self._items(False)
        for column in range(self.count - 1, -1, -1):
            taken: list[tuple[float, float]] = []
            for item in sorted(items[column], key=lambda i: (-self._heavy_back(i), i[1], i[0])):
                if item[1] >= 0:
                    self.blocks[item] = PASSING
                    height = self.height_at(self.nets[item[1]], column + 1, "left")
                    self._put(item, height, taken, 1)
                    continue
                name = item[0]
                nets = [n for n in self.coming[name] if n.role == "backward"]
                known = {n.number: self.height_at(n, column + 1, "left") for n in nets}
                main = max(known, key=lambda n: (-self.column[self.nets[n].source], n), default=-1)
                wanted = known.get(main, 0.0)
                self.blocks[item] = self._block(name, wanted, main, known)
                self._put(item, wanted, taken, 1)

    def _heavy_back(self, item: Item) -> float:
        if item[1] < 0:
            return self.weight[item[0]]
        return max(self.weight[t] for t in self.nets[item[1]].targets) - 0.25

    def _put(
        self,
        item: Item,
        wanted: float,
        taken: list[tuple[float, float]],
        prefer: int,
    ) -> None:
        """The free height nearest to what is wanted; of two, the one in the direction `prefer`."""
        block = self.blocks[item]
        up, down = block.up + BETWEEN / 2, block.down + BETWEEN / 2
        best = _nearest(wanted, up, down, taken, prefer)
        insort(taken, (best - up, best + down))
        self.place[item] = best

    def _block(
        self, name: str, height: float, main: int = -1, known: Mapping[int, float] | None = None
    ) -> Block:
        """A part's ports: the main wire on the axis, others above and below it."""
        ports = self._entries(name, height, main, known or {})
        up, down = self._leave(name, ports)
        half = self.sizes[name][1] / 2
        top = min([-half, *(port - 5 for port in ports.values())])
        bottom = max([half, *(port + 5 for port in ports.values())])
        return Block(top, bottom, max(up, -top), max(down, bottom), ports)

    def _entries(
        self, name: str, height: float, main: int, known: Mapping[int, float]
    ) -> dict[tuple[str, int], float]:
        """Where wires enter a part: on the side that they come from, forward values on top."""
        upper = self.upper(name)
        role, into = ("forward", "left") if upper else ("backward", "right")
        ports: dict[tuple[str, int], float] = {}
        above, below, turn = 0.0, 0.0, 0
        for net in self.coming[name]:
            if net.role != role or net.number == main:
                continue
            turn += net.number not in known
            over = known[net.number] < height if net.number in known else turn % 2 == 1
            if over:
                above -= PITCH
            else:
                below += PITCH
            ports[into, net.number] = above if over else below
        if main >= 0:
            ports[into, main] = 0.0
        kept = {"left": 0.0, "right": above}
        for net in self.coming[name]:
            if net.role == "kept":
                side = self.kept_side(net, name)
                kept[side] -= PITCH
                ports[side, net.number] = kept[side]
        return ports

    def _leave(self, name: str, ports: dict[tuple[str, int], float]) -> tuple[float, float]:
        """Add where wires leave a part; how far their labels reach up and down."""
        upper = self.upper(name)
        role, out = ("forward", "right") if upper else ("backward", "left")
        at = up = down = 0.0
        for i, net in enumerate(n for n in self.going[name] if n.role == role):
            if upper:
                at += net.height + 6 if i else 0.0
                up, down = max(up, net.height - at), max(down, at + 3)
            else:
                at += 6 if i else 0.0
            ports[out, net.number] = at
            if not upper:
                at += net.height
                down = max(down, at)
        return up, down

    def kept_side(self, net: Net, target: str) -> str:
        """Where a forward value enters a gradient: at the left, if it comes from there."""
        return "left" if self.column[net.source] < self.column[target] else "right"

    def height_of(self, name: str, side: str, net: int) -> float:
        """The height of a port; a forward value that is kept leaves where it does anyway."""
        item = self.item(name)
        ports = self.blocks[item].ports
        return self.place[item] + ports.get((side, net), 0.0)

    def height_at(self, net: Net, column: int, side: str) -> float:
        """The height at which a net leaves a column."""
        if self.column[net.source] == column:
            return self.height_of(net.source, side, net.number)
        return self.place[self.ways[net.number][column]]


def _nearest(
    wanted: float, up: float, down: float, taken: Sequence[tuple[float, float]], prefer: int
) -> float:
    """The height nearest to what is wanted that leaves room above and below it.

    Args:
        wanted: The height that is wanted.
        up: The room that is needed above it.
        down: The room that is needed below it.
        taken: What is taken already, from the top.
        prefer: Of two heights, the direction of the one to choose.
    """
    found: list[float] = []
    at = bisect(taken, (wanted, inf))
    for gaps in ((at,), range(at + 1, len(taken) + 1), range(at - 1, -1, -1)):
        for gap in gaps:
            above = taken[gap - 1][1] if gap else -inf
            below = taken[gap][0] if gap < len(taken) else inf
            tries = (wanted, above + up, below - down)
            fits = [y for y in tries if y - up >= above - 1e-6 and y + down <= below + 1e-6]
            found += fits
            if fits:
                break
    return min(found, key=lambda y: (round(abs(y - wanted), 3), -prefer * y))
