"""Whether what a help spells in backticks exists: a program, a setting, a command line, a name."""

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path

import click

import netc
from netc.choices import STYLES
from netc.cli import COMMANDS, cli
from netc.compiler.expressions.arguments import Kind
from netc.compiler.expressions.functions import FUNCTIONS
from netc.compiler.layers.layerdef import COMMON, LAYERS
from netc.compiler.onnx_standard.foreign_operators import operators
from netc.compiler.training.settings import SETTINGS
from netc.compiler.training.term_table import TERMS
from netc.runtime.metrics.definitions import METRICS

GRAMMAR = (Path(netc.__file__).parent / "grammar" / "net.lark").read_text(encoding="utf-8")

SPELLED = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[A-Za-z_][\w.]*")
A_NAME = re.compile(r"another name|a label is")  # said before names that may be given

WITHIN = ('"', "\\\\", '\\"', "_", "lib:")  # strings and numbers

# What stands for anything, and what it may stand for.
ANYTHING = ("ID", "3", "x", "8x8", "mse", "1, 2", "x = 3", '"file"')
SETTING = {"name = value": "epochs = 3"}

VALUES = """
let (n, c, k, width, w, index, length) = (2, yes, 3, 16, 16, 0, 8)
let (value, list) = (3, [1, 2])
"""
TENSORS = "x = INPUT(8x8x4)\n(a, b, y) = x -> ( ID | ID | ID )\n"

# Programs that a text may be a part of.
CONTEXTS = (
    "{}",
    "{}\nINPUT(8) -> FC(3)",
    "INPUT(8) -> FC(3)\n{}",
    f"{VALUES}{{}} -> FC(3)",
    f"{VALUES}{{}} -> EMBED(9, 4)",
    f"{VALUES}{TENSORS}{{}}",
    f"{VALUES}{TENSORS}x -> {{}}",
    f"{VALUES}{TENSORS}( x | a ) -> {{}}",
    f"{VALUES}{TENSORS}x -> ID as relu1 -> {{}}",
    f"{TENSORS}x -> FC(x{{}})",
    "(x, y) = INPUT(8x4, sequence) -> ( ID | ID )\n{}",
    "(branch1, branch2) = INPUT(8) -> ( ID | ID )\nbranch3 = branch1 -> ID\n{}",
    f"{VALUES}INPUT(8) -> FC(3)\nlet (a, b) = (1, 2)\nlet computed = {{}}",
    f"{VALUES}INPUT(8) -> FC(3)\nassert {{}}",
    "INPUT(8) -> FC(3)\ntrain {{ {} }}",
    "INPUT(8) -> ( FC(3) as digit | FC(2) as slant )\noutput digit\noutput slant\ntrain {{ {} }}",
    "block B(in_) {{\n{}\n}}\nINPUT(8) -> B(3)",
    "INPUT(8) -> for i in range(2) {{ FC(4) {} }}",
)
TRAINING = tuple(f"INPUT(8) -> FC(3)\ntrain {{{{ {name} = {{}} }}}}" for name in SETTINGS)


def exists(spelled: str, help: str = "", program: str = "") -> bool:
    """Whether a text that a help spells is a name, a command line, or a part of a program.

    Args:
        spelled: The text.
        help: The help.
        program: What the help was given for, whose names are known, too.
    """
    if re.match(r"netc |--?[a-z]", spelled):
        return is_command_line(spelled)
    if spelled.startswith("pip install"):
        return "netc[" in spelled
    if A_NAME.search(help) and NAME.fullmatch(spelled):
        return _is_free(spelled)
    if NAME.fullmatch(spelled) or _is_sign(spelled) or spelled in WITHIN:
        return _is_name(spelled, program) or f'"{spelled}"' in GRAMMAR or spelled in WITHIN
    return any(map(compiles, programs(spelled)))


def _is_name(spelled: str, program: str) -> bool:
    return spelled in names() or bool(re.search(rf"(?<![\w.]){re.escape(spelled)}\b", program))


def _is_free(spelled: str) -> bool:
    return compiles(f"{spelled} = INPUT(4)\n{spelled} -> FC(2) as {spelled}_")


def _is_sign(spelled: str) -> bool:
    return not re.search(r"[^\W_]", spelled)


def programs(spelled: str) -> Iterator[str]:
    """The programs that a text may be a part of, with what stands for anything filled in."""
    starts = ("INPUT(8x8x4)", "INPUT(8x4, sequence)")
    calls = [f"{start} -> {layer}({{}})" for layer in LAYERS for start in starts]
    for contexts in (CONTEXTS, TRAINING, calls):
        for text in filled(SETTING.get(spelled, spelled)):
            yield from (context.format(text) for context in contexts)


def filled(spelled: str) -> Iterator[str]:
    """A text with something in each place of `...`."""
    first, *others = spelled.split("...")
    for values in product(ANYTHING, repeat=len(others)):
        yield first + "".join(v + part for v, part in zip(values, others, strict=True))


def compiles(program: str) -> bool:
    """Whether a program has no errors."""
    try:
        netc.compile(program)
    except netc.NetError:
        return False
    return True


@cache
def names() -> frozenset[str]:
    """All words that the language, its tables and the command line know."""
    words = {*STYLES, *LAYERS, *FUNCTIONS, *SETTINGS, *METRICS, *COMMANDS, *COMMON, *operators()}
    reserved = re.findall(r'"[a-z]+"|/[a-z]+\(|\(\?!.*?\)', GRAMMAR)
    words |= set(re.findall(r"[a-z]+", " ".join(reserved)))
    kinds: list[Mapping[str, Kind]] = [row.kinds for row in LAYERS.values()]
    for terms in TERMS.values():
        words |= set(terms)
        kinds += [term.kinds for term in terms.values()]
    for arguments in kinds:
        words |= {*arguments, *(word for kind in arguments.values() for word in kind.words)}
    return frozenset(words)


def is_command_line(spelled: str) -> bool:
    """Whether it is a command with its options, or an option that some command has."""
    first, *others = shlex.split(spelled)
    if first == "netc":
        return _parses(others[0], others[1:])
    option = [first, *others]
    forms = product(([], ["FILE"], ["FILE", "FILE"]), ([], ["1"]) if not others else ([],))
    return any(_parses(name, [*f, *option, *value]) for f, value in forms for name in COMMANDS)


def _parses(name: str, arguments: list[str]) -> bool:
    with click.Context(cli) as parent:
        command = cli.get_command(parent, name)
        if isinstance(command, click.Group):
            known = [command.get_command(parent, each) for each in command.list_commands(parent)]
            named = [each for each in known if each and arguments[:1] == [each.name]]
            rest = arguments[1:] if named else arguments
            return any(each and _takes(each, parent, rest) for each in named or known)
        return command is not None and _takes(command, parent, arguments)


def _takes(command: click.Command, parent: click.Context, arguments: list[str]) -> bool:
    """Whether a command's options and arguments may be so."""
    try:
        command.make_parser(click.Context(command, parent)).parse_args([*arguments])
    except click.ClickException:
        return False
    return True
