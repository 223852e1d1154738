"""Names of classes, members and variables that Python and PyTorch allow."""

import keyword
from collections.abc import Iterator
from itertools import count

from ....grammar.source import UNPRINTABLE

# What every module of PyTorch has already: a member of such a name would hide behind it.
RESERVED = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter
    get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu
    zero_grad clear items keys pop update values append extend insert copy fromkeys get popitem
    setdefault
    """.split()
)
MOST_GAPS = 8  # places of a list in a row that nothing is in
VARIABLES = ("x", "y", "z", "u", "v", "w")
TAKEN = frozenset({"F", "nn", "torch", "self", "math", "block", "OrderedDict"})


def is_attribute(name: str) -> bool:
    """Whether a member can be written as `self.name`."""
    return (
        name.isidentifier()
        and name.isascii()
        and not keyword.iskeyword(name)
        and name not in RESERVED
        and not name.startswith("_")
    )


def variable(name: str) -> str:
    """A name as that of a variable."""
    text = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    text = text if text and not text[0].isdigit() else f"x{text}"
    return f"{text}_" if keyword.iskeyword(text) or text in TAKEN else text


def class_name(name: str) -> str:
    """A name as that of a class."""
    text = "".join(c if c.isascii() and c.isalnum() else " " for c in name)
    words = text.split()
    camel = "".join(word[:1].upper() + word[1:] for word in words)
    camel = camel if camel and not camel[0].isdigit() else f"Net{camel}"
    return f"{camel}Net" if keyword.iskeyword(camel) or camel in TAKEN else camel


def fresh(taken: set[str]) -> str:
    """A short name that no variable has."""

    def candidates() -> Iterator[str]:
        yield from VARIABLES
        number = 1
        while True:
            for name in VARIABLES[:3]:
                yield f"{name}{number}"
            number += 1

    return next(name for name in candidates() if name not in taken)


def is_place(name: str) -> bool:
    """Whether a name is that of a place in a list of modules."""
    return name.isascii() and name.isdigit() and str(int(name)) == name


def quoted(name: str) -> str:
    """A name as a string of Python."""
    return f'"{name}"' if name.isprintable() and not {*'"\\'} & {*name} else repr(name)


def plain_text(text: str) -> str:
    """A text as it may stand in a comment."""
    return UNPRINTABLE.sub("?", " ".join(text.split()))


def numbered(name: str) -> Iterator[str]:
    """A name, and as many others as are asked for: `conv`, `conv2`, `conv3`."""
    yield name
    yield from (f"{name}{number}" for number in count(2))
