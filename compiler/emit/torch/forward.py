"""The lines of a body -> the statements of `forward`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .bodies import ARGUMENT, Body, Line, Local
from .code import POSTFIX, WIDTH, Code, Input, Part, Ref, code, filled, flat, laid_out, mapped, walk
from .members import Members
from .names import VARIABLES, fresh, variable
from .series import TURN

INDENT = 8
DEEPEST = 3  # calls within calls
FAR = 6  # lines; what lives longer has a name that says what it is


@dataclass(slots=True)
class _Pending:
    """An expression that the next line may take as it is."""

    expression: Code
    depth: int
    heavy: bool
    variables: list[Local]
    line: int


class Forward:
    """Writes `forward` of one class."""

    def __init__(
        self, body: Body, members: Members, arguments: Sequence[str], indent: int = INDENT
    ) -> None:
        self.body, self.members, self.indent = body, members, indent
        self.margin = " " * indent
        self.looped = ""  # the list that a loop is over, when this is one turn
        self.outer: set[str] = set()  # variables around a loop
        self.names: dict[Local, str] = {(ARGUMENT, i): n for i, n in enumerate(arguments)}
        self.pending: dict[Local, _Pending] = {}
        self.statements: list[str] = []
        self.left: Counter[Local] = Counter()
        self.last: dict[Local, int] = {}
        for number, line in enumerate(body.lines):
            for local in _occurring(line):
                self.left[local] += 1
                self.last[local] = number
        for local in body.outputs:
            self.left[local] += 1
            self.last[local] = len(body.lines)

    def written(self, end: str = "return ") -> list[str]:
        """The statements, the last of which starts with `end`."""
        number = 0
        while number < len(self.body.lines):
            count = self._loop(number)
            if not count:
                self._line(number, self.body.lines[number])
            number += max(count, 1)
        self._return(end)
        return self.statements

    def _line(self, number: int, line: Line) -> None:
        expression = self._relative(line.expression)
        taken = [local for local in line.inputs if local in self.pending]
        heavy = [local for local in taken if self.pending[local].heavy and line.heavy]
        depth = max((self.pending[local].depth for local in taken), default=0)
        if heavy or depth >= DEEPEST or not self._fits(expression, line):
            self._flush(taken)
        made = self._pending(number, expression, line)
        key = (number, 0)
        if line.results == 1 and self.left[key] == 1:
            self.pending[key] = made
        elif line.results == 1:
            self._flush(list(self.pending))
            self._assign([key], made)
        else:
            self._flush(list(self.pending))
            self._assign([(number, k) for k in range(line.results)], made)

    def _pending(self, number: int, expression: Code, line: Line) -> _Pending:
        """The expression with its operands, those that waited for it included."""
        variables: list[Local] = []
        operands: list[Code] = []
        depth, heavy = 0, line.heavy
        order = [part.index for part in walk(expression) if isinstance(part, Input)]
        for index, local in enumerate(line.inputs):
            if local in self.pending:
                held = self.pending.pop(local)
                operands.append(held.expression)
                variables += held.variables
                depth, heavy = max(depth, held.depth), heavy or held.heavy
            else:
                operands.append(code(self.names[local]))
                variables += [local] * order.count(index)
        is_operator = expression.level != POSTFIX
        made = filled(expression, operands)
        return _Pending(made, depth + (0 if is_operator else 1), heavy, variables, number)

    def _fits(self, expression: Code, line: Line) -> bool:
        """Whether an expression with its operands fits in a line."""
        operands = [
            self.pending[local].expression if local in self.pending else code(self.names[local])
            for local in line.inputs
        ]
        target = "return "
        return self.indent + len(target) + len(flat(filled(expression, operands))) <= WIDTH

    def _relative(self, expression: Code) -> Code:
        def change(part: Part) -> Code | None:
            if not isinstance(part, Ref):
                return None
            looped = part.path in (self.looped, TURN)
            return code("block" if looped else self.members.reference(part.path))

        return mapped(expression, change)

    def _flush(self, locals_: Sequence[Local]) -> None:
        """Assign what waits, and all that has waited longer, to variables."""
        if not locals_:
            return
        newest = max(self.pending[local].line for local in locals_)
        for local in sorted(self.pending, key=lambda held: self.pending[held].line):
            if self.pending[local].line <= newest:
                self._assign([local], self.pending.pop(local))

    def _assign(self, results: Sequence[Local], made: _Pending) -> None:
        released: list[str] = []
        for local in made.variables:
            self.left[local] -= 1
            if not self.left[local] and not self._waits(local):
                released.append(self.names.pop(local))
        taken = set(self.names.values())
        targets: list[str] = []
        for local in results:
            if not self.left[local]:
                targets.append("_")
                continue
            name = self._name(local, made.line, released, taken)
            taken.add(name)
            self.names[local] = name
            targets.append(name)
        if targets == ["_"]:
            return
        self.statements += laid_out(f"{', '.join(targets)} = ", made.expression, indent=self.indent)

    def _waits(self, local: Local) -> bool:
        return any(local in held.variables for held in self.pending.values())

    def _name(self, local: Local, line: int, released: list[str], taken: set[str]) -> str:
        """What a value is called: as what it comes from alone, or after its layer."""
        if self.last.get(local, line) - line > FAR:
            hint = _hint(self.body.lines[local[0]].layer)
            if hint and hint not in taken:
                return hint
        free = [name for name in released if name not in taken and name in VARIABLES]
        return free[0] if free else fresh(taken | self.outer)

    def _return(self, end: str) -> None:
        outputs = self.body.outputs
        waiting = [local for local in outputs if local in self.pending]
        if len(outputs) > 1:
            whole = ", ".join(
                flat(self.pending[o].expression) if o in self.pending else self.names[o]
                for o in outputs
            )
            if self.indent + len(f"return {whole}") > WIDTH:
                self._flush(waiting)
                whole = ", ".join(self.names[o] for o in outputs)
            if self.indent + len(f"return {whole}") > WIDTH:
                lines = [f"{' ' * (self.indent + 4)}{self.names[o]}," for o in outputs]
                self.statements += [f"{self.margin}return (", *lines, f"{self.margin})"]
            else:
                self.statements.append(f"{self.margin}return {whole}")
            return
        (output,) = outputs
        held = self.pending.get(output)
        expression = held.expression if held else code(self.names[output])
        self.statements += laid_out(end, expression, indent=self.indent)

    def _loop(self, first: int) -> int:
        """Write what is done with each module of a list in turn as a loop; how many lines it is."""
        found = _repetition(self.body.lines[first:], first, self.members)
        if found is None or any(self.left[local] != 1 for local in found.inner):
            return 0
        self._flush(list(self.pending))
        name = self.names[found.start]
        self.left[found.start] -= 1
        if self.left[found.start]:
            name = fresh(set(self.names.values()) | self.outer)
            self.statements.append(f"{self.margin}{name} = {self.names[found.start]}")
        else:
            self.names.pop(found.start)
        arguments = [name, *(self.names[local] for local in found.others)]
        inner = Forward(found.body, self.members, arguments, self.indent + 4)
        inner.looped = found.base
        inner.outer = self.outer | {*self.names.values(), name}
        reference = self.members.reference(found.base)
        self.statements.append(f"{self.margin}for block in {reference}:")
        self.statements += inner.written(f"{name} = ")
        for local in found.others:
            self.left[local] -= found.reads[local]
        self.names = {k: n for k, n in self.names.items() if self.left[k]}
        self.names[first + found.count - 1, 0] = name
        return found.count


@dataclass(slots=True)
class _Repetition:
    """Lines that do the same with each module of a list, each with what the last turn yields.

    Attributes:
        base: The list.
        body: One turn, of the flowing value and of others, which stay.
        start: What flows into the first turn.
        others: What stays.
        reads: How often all turns read these.
        inner: What flows from turn to turn, and in them.
        count: How many lines all turns have.
    """

    base: str
    body: Body
    start: Local
    others: list[Local]
    reads: Counter[Local]
    inner: list[Local]
    count: int


def _repetition(lines: Sequence[Line], first: int, members: Members) -> _Repetition | None:
    """The repetition that starts with the first of some lines, if there is one."""
    base = _listed(lines[0])
    turns = members.listed(base) if base else 0
    if turns < 3:
        return None
    length = next((n for n, line in enumerate(lines) if n and _listed(line, 1) == base), 0)
    if not length or turns * length > len(lines):
        return None
    chunks = [lines[n * length : (n + 1) * length] for n in range(turns)]
    start = next(
        (a for a, b in zip(lines[0].inputs, lines[length].inputs, strict=False) if a != b), None
    )
    if start is None or not all(line.results == 1 for chunk in chunks for line in chunk):
        return None
    turned = [
        _turn(chunk, first + n * length, n, base, start if not n else (first + n * length - 1, 0))
        for n, chunk in enumerate(chunks)
    ]
    if any(turn is None or turn != turned[0] for turn in turned) or turned[0] is None:
        return None
    body, others = turned[0]
    reads = Counter(local for chunk in chunks for line in chunk for local in _occurring(line))
    count = turns * length
    inner = [(first + n, 0) for n in range(length - 1, count - 1, length)]
    return _Repetition(base, body, start, others, reads, inner, count)


def _turn(
    lines: Sequence[Line], first: int, turn: int, base: str, flowing: Local
) -> tuple[Body, list[Local]] | None:
    """One turn as a body of its own, and what it takes besides the flowing value."""
    others: list[Local] = []
    made: list[Line] = []

    def placed(local: Local) -> Local:
        if local == flowing:
            return (ARGUMENT, 0)
        if first <= local[0] < first + len(lines):
            return (local[0] - first, local[1])
        if local not in others:
            others.append(local)
        return (ARGUMENT, 1 + others.index(local))

    def renamed(part: Part) -> Code | None:
        return Code((Ref(base),)) if part == Ref(f"{base}.{turn}") else None

    for line in lines:
        expression = mapped(line.expression, renamed)
        inputs = tuple(map(placed, line.inputs))
        made.append(Line(expression, inputs, line.results, line.heavy, ""))
    if any(local[0] >= first and local[0] != ARGUMENT for local in others):
        return None
    return Body([], made, 1 + len(others), ((len(lines) - 1, 0),)), others


def _listed(line: Line, turn: int = 0) -> str:
    """The list whose module a line calls in a turn; empty where it calls none."""
    refs = [part.path for part in walk(line.expression) if isinstance(part, Ref)]
    ending = f".{turn}"
    return refs[0][: -len(ending)] if len(refs) == 1 and refs[0].endswith(ending) else ""


def _occurring(line: Line) -> list[Local]:
    """The operands of a line, as often as it reads them."""
    indices = [part.index for part in walk(line.expression) if isinstance(part, Input)]
    return [line.inputs[index] for index in indices]


def _hint(layer: str) -> str:
    """A variable's name after a layer; empty where it has none of its own."""
    parts = layer.split(".")
    last = parts[-1]
    if last.isdigit() and len(parts) > 1:
        last = f"{parts[-2]}_{last}"
    return variable(last) if last and not last.isdigit() else ""
