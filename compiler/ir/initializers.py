"""How a parameter's first values are drawn; `runtime/weights/initialize.py` acts on it."""

from ...grammar.records import record


@record
class Init:
    """An initializer by name with its numbers.

    `auto` is settled by `analysis/initial_values.py` from the activation that consumes the layer.
    """

    name: str
    numbers: tuple[float, ...] = ()

    def __str__(self) -> str:
        return self.name + (f"({', '.join(map(repr, self.numbers))})" if self.numbers else "")


# name -> how many numbers it takes
INITIALIZERS = {
    "auto": 0,
    "he": 0,
    "glorot": 0,
    "lecun": 0,
    "normal": 1,
    "uniform": 1,
    "orthogonal": 0,
    "zeros": 0,
    "ones": 0,
    "constant": 1,
    "torch": 0,
}

# those whose values do not depend on the seed
CONSTANT_INITIALIZERS = frozenset({"zeros", "ones", "constant"})

# those that layers choose: computed from the weight that their layer normalizes
NORM = "norm"
LEFT, RIGHT = "left_singular", "right_singular"

AUTO = Init("auto")
ZEROS = Init("zeros")
ONES = Init("ones")
HE = Init("he")
GLOROT = Init("glorot")
LECUN = Init("lecun")
TORCH = Init("torch")
