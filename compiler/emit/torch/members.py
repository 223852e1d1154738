"""What a class holds -> the statements of `__init__`, and how its members are referred to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .bodies import Member, repeated, repetition
from .code import Code, Group, call, code, keyword, laid_out, listed
from .names import MOST_GAPS, is_attribute, is_place, quoted

INDENT = 8


@dataclass(slots=True)
class _Node:
    """A member, or what holds members."""

    member: Member | None = None
    inner: dict[str, "_Node"] = field(default_factory=dict)

    def leaves(self) -> Iterator[Member]:
        """All members."""
        if self.member is not None:
            yield self.member
        for node in self.inner.values():
            yield from node.leaves()


class Members:
    """The members of a class as a tree of what holds them."""

    def __init__(self, members: Sequence[Member], optional: Mapping[tuple[str, ...], str]) -> None:
        self.optional = optional
        self.root = _Node()
        for member in members:
            node = self.root
            for name in member.path:
                node = node.inner.setdefault(name, _Node())
            node.member = member

    def statements(self) -> list[str]:
        """The lines of `__init__` after the call of the class above."""
        return [line for name, node in self.root.inner.items() for line in self._stated(name, node)]

    def reference(self, path: str) -> str:
        """How a member, or what is in one, is written."""
        text, node = "self", self.root
        kind = ""
        for name in path.split("."):
            following = node.inner.get(name) if node is not None else None
            in_list = node is not self.root and (not node.inner or _is_list(node))
            kind = following.member.kind if following and following.member else "module"
            text += _accessed(name, kind, in_list)
            node = following if following is not None else _Node()
        return text

    def listed(self, path: str) -> int:
        """How many members a list of modules has; 0 where it is none."""
        node = self.root
        for name in path.split("."):
            if name not in node.inner:
                return 0
            node = node.inner[name]
        whole = _is_list(node) and list(node.inner) == [str(i) for i in range(len(node.inner))]
        return len(node.inner) if whole else 0

    def _stated(self, name: str, node: _Node) -> list[str]:
        if node.member is None or node.inner:
            return self._contained(name, node)
        member = node.member
        if member.kind == "series":
            return _series(member)
        if member.path in self.optional:
            inner = _assigned(f"self.{name}", member.construction, INDENT + 4)
            empty = f"{' ' * INDENT}self.{name} = nn.Identity()"
            return [empty, f"{' ' * INDENT}if {self.optional[member.path]}:", *inner]
        return self._assigned(f"self{_accessed(name, member.kind, False)}", member)

    def _assigned(self, target: str, member: Member) -> list[str]:
        if member.kind in ("buffer", "state"):
            name = member.path[-1]
            owner = target.removesuffix(_accessed(name, member.kind, False))
            options = [] if member.kind == "state" else [keyword("persistent", False)]
            held = call(f"{owner}.register_buffer", quoted(name), member.construction, *options)
            return laid_out("", held, indent=INDENT)
        return _assigned(target, member.construction, INDENT)

    def _contained(self, name: str, node: _Node) -> list[str]:
        """A member that holds members."""
        found = _container(node)
        if found is not None:
            return _assigned(f"self{_accessed(name, 'module', False)}", found, INDENT)
        return list(self._held(f"self{_accessed(name, 'module', False)}", node))

    def _held(self, target: str, node: _Node) -> Iterator[str]:
        """A module without a class of its own, whose members are assigned one by one."""
        yield f"{' ' * INDENT}{target} = nn.Module()"
        for name, inner in node.inner.items():
            if inner.member is not None:
                yield from self._assigned(
                    target + _accessed(name, inner.member.kind, False), inner.member
                )
            else:
                found = _container(inner)
                place = target + _accessed(name, "module", False)
                if found is None:
                    yield from self._held(place, inner)
                else:
                    yield from _assigned(place, found, INDENT)


def _series(member: Member) -> list[str]:
    """The members of a series, in a loop."""
    count, *parts = member.construction.parts
    name = "".join(member.path)
    added = call("self.add_module", code(f'f"{name}"'), Code(tuple(parts)))
    loop = laid_out("for i in range", Code((Group((Code((count,)),)),)), ":", INDENT)
    return [*loop, *laid_out("", added, indent=INDENT + 4)]


def _assigned(target: str, value: Code, indent: int) -> list[str]:
    return laid_out(f"{target} = ", value, indent=indent)


def _accessed(name: str, kind: str, in_list: bool) -> str:
    if is_place(name) and in_list:
        return f"[{name}]"
    if is_attribute(name):
        return f".{name}"
    table = {"module": "_modules", "parameter": "_parameters"}.get(kind, "_buffers")
    return f".{table}[{quoted(name)}]"


def _is_list(node: _Node) -> bool:
    """Whether a node is an `nn.ModuleList`."""
    return (
        node.member is None
        and bool(node.inner)
        and all(map(is_place, node.inner))
        and all(gap <= MOST_GAPS for gap in _gaps(sorted(map(int, node.inner))))
        and all(member.kind == "module" for member in node.leaves())
    )


def _gaps(places: Sequence[int]) -> list[int]:
    """How many places are free before each."""
    return [b - a - 1 for a, b in pairwise([-1, *places])]


def _container(node: _Node) -> Code | None:
    """A list or a dictionary of modules or parameters; None where there is no such thing."""
    kinds = {member.kind for member in node.leaves()}
    if node.member is not None:
        return node.member.construction if not node.inner else None
    if kinds == {"parameter"} and all(n.member for n in node.inner.values()):
        return _dictionary("nn.ParameterDict", node)
    if kinds != {"module"}:
        return None
    if _is_list(node):
        return _list(node)
    if not all(is_attribute(name) for name in node.inner):
        return None
    return _dictionary("nn.ModuleDict", node)


def _dictionary(kind: str, node: _Node) -> Code | None:
    items = []
    for name, inner in node.inner.items():
        found = _container(inner)
        if found is None or not is_attribute(name):
            return None
        items.append(Code((f'"{name}": ', *found.parts)))
    return call(kind, Code((Group(tuple(items), "{}", "list"),)))


def _list(node: _Node) -> Code | None:
    items: list[Code] = []
    for name in sorted(node.inner, key=int):
        found = _container(node.inner[name])
        if found is None:
            return None
        items += [call("nn.Identity")] * (int(name) - len(items))
        items.append(found)
    if len(items) > 2 and len(set(items)) == 1:
        each = repetition(items[0], len(items)).parts[1]
        assert isinstance(each, Group)
        return Code(("nn.ModuleList", each))
    return call("nn.ModuleList", listed(repeated(items)))


__all__ = ["Members", "code"]
