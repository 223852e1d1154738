"""What can be called, what each takes, and what is said of it: layers, blocks, functions, terms."""

from inspect import cleandoc

from ..compiler.expressions.arguments import Kind, spell
from ..compiler.expressions.binding import CallSignature
from ..compiler.expressions.evaluate import Function
from ..compiler.expressions.functions import FUNCTIONS, taken
from ..compiler.expressions.names import Home
from ..compiler.layers.layerdef import COMMON, LAYERS, LayerDef
from ..compiler.training.term_table import TERMS
from ..grammar import ast
from ..grammar.records import record
from ..grammar.remarks import remark, signature

MOMENTUM = "momentum"  # the setting whose values are schedules


@record
class Taken:
    """An argument: how the signature shows it, its name, what it accepts, and its words."""

    text: str
    name: str
    accepts: str = ""
    words: tuple[str, ...] = ()


@record
class Signature:
    """A call: its name, its arguments in order of places, and what it does."""

    name: str
    arguments: tuple[Taken, ...]
    about: str
    common: tuple[Taken, ...] = ()

    @property
    def text(self) -> str:
        """The call with all arguments and their defaults."""
        shown = ", ".join(each.text for each in self.arguments)
        return f"{self.name}({shown})" if shown else self.name

    @property
    def keywords(self) -> tuple[Taken, ...]:
        """All that may be given by name."""
        return (*self.arguments, *self.common)

    def argument(self, name: str) -> Taken | None:
        """The argument of a name, if there is one."""
        return next((each for each in self.keywords if each.name == name), None)


def layer_signature(name: str) -> Signature:
    """What a layer takes, what calls give by place first."""
    row = LAYERS[name]
    common = tuple(_taken(each, kind, {}) for each, kind in COMMON.items())
    return Signature(name, _arguments(row), _about(row.function, row), common)


def definition_signature(statement: ast.BlockStatement | ast.FunctionStatement) -> Signature:
    """What a block or a function of a program takes."""
    arguments = tuple(Taken(each.span.text, each.name) for each in statement.parameters)
    about = remark(statement.span.source, statement.span.start)
    tensors = [name.id for name in getattr(statement, "inputs", ())]
    if tensors:
        about = f"`{signature(statement)}`. {about}".strip()
    return Signature(statement.name, arguments, about)


def term_signature(setting: str, name: str) -> Signature | None:
    """What a choice of a setting takes, if there is such a choice."""
    table = TERMS.get(kind_of_setting(setting))
    row = None if table is None else table.get(name)
    if row is None:
        return None
    return Signature(name, _arguments(row), _about(row.function))


def kind_of_setting(setting: str) -> str:
    """The table that a setting's values are in."""
    return "schedule" if setting == MOMENTUM else setting


def signature_of(name: str, home: Home | None, setting: str | None = None) -> Signature | None:
    """What is called by a name at a place: in a `train` block, a choice of its setting first."""
    if setting is not None and (term := term_signature(setting, name)) is not None:
        return term
    if home is not None and name in home.blocks:
        return definition_signature(home.blocks[name].statement)
    if home is not None and isinstance(function := _value(home, name), Function):
        return definition_signature(function.statement)
    if name in LAYERS:
        return layer_signature(name)
    if name in FUNCTIONS:
        return Signature(name, (), f"A function of the language: {taken(name)}.")
    return None


def _value(home: Home, name: str) -> object:
    """What a name, or a name of an import, stands for."""
    first, dot, member = name.partition(".")
    value = home.lets.get(first)
    return getattr(value, "values", {}).get(member) if dot else value


def _arguments(row: CallSignature) -> tuple[Taken, ...]:
    names = dict.fromkeys([*row.positional, *row.kinds])
    return tuple(
        _taken(name, row.kinds[name], row.defaults) for name in names if name not in row.preset
    )


def _taken(name: str, kind: Kind, defaults: object) -> Taken:
    text = name
    if isinstance(defaults, dict) and name in defaults:
        default = defaults[name]
        shown = default if isinstance(default, str) else spell(default)
        text = f"{name}={'none' if default is None else shown}"
    words = kind.words or (("yes", "no") if kind.expected == "`yes` or `no`" else ())
    return Taken(text, name, kind.expected, words)


def _about(function: object, row: LayerDef | None = None) -> str:
    about = cleandoc(function.__doc__ or "")
    if row is not None and row.preset:
        said = ", ".join(f"{name}={value}" for name, value in row.preset.items())
        about = f"`{row.name}` with `{said}`. {about}"
    return about
