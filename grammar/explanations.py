"""Diagnostic codes to explanations: what each is about, and programs that it answers.

The programs stand in `explanations.txt`, which `tests/diagnostics` writes from its cases.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .codes import CODES

# What happened, for codes that take files, weights or engines rather than a program.
SITUATIONS: Mapping[str, str] = {
    "E001": "The path is wrong, names a folder, or cannot be read; or the zoo has no such spec.",
    "E002": "The file was saved in another encoding. The message names the first byte that does "
    "not fit; save the file as UTF-8.",
    "E004": "The folder is missing or may not be written to, or the disk is full. What stood "
    "under the name before is untouched.",
    "E121": "A file imports itself, directly or through others. Move what both need to a third "
    "file, and import that.",
    "E131": "A layer that learns stands before an operator that netc cannot differentiate yet, as "
    "the message says, or before one that is constant almost everywhere, "
    "such as STEP or FLOOR, so it receives no gradient. Use a smooth layer in its place, "
    "or mark what stands before it with `frozen=yes`.",
    "E132": "The last layer of an output and its loss do not fit together: `RELU` and "
    "`cross_entropy`, `SIGMOID` and `cross_entropy` (use `binary_cross_entropy`, or `SOFTMAX`), "
    "`SOFTMAX` and `hinge`. Losses of classes take what `FC` or `CONV` yields, with `SOFTMAX`, "
    "`LOGSOFTMAX` or `SIGMOID` where the message says so.",
    "E133": "A data set's targets have another number of axes, or another type, than the loss "
    "takes. Class indices are integers, one for each sample or position; other targets have the "
    "output's shape.",
    "E134": "An input, a weight or an output of the network is called `loss`, `target`, `step`, "
    "`lr` or `momentum`, or as a step's next weights are, such as `fc1.weight.next`: these are "
    "inputs and outputs of a training step. Give it another label.",
    "E206": "An array that the network is run on has another number of axes, other extents or "
    "another type than the input. Images are (N, C, H, W), sequences (N, L, C), tokens (N, L). An "
    "extent that the program left open, such as `H`, may also be too small for a layer, or differ "
    "from what a merge or a slice needs; that is checked before either engine runs.",
    "E403": "A file holds more than 10 MiB, a string more than 10,000 characters, or a "
    "label with those around it more than 1,000. Write repeated parts with `[...]*n`, `for` or a "
    "block.",
    "E501": "Weights are missing, unexpected, or of the wrong shape or type. Names follow "
    "PyTorch's `state_dict`: a label in the program is the first part of a weight's name.",
    "E502": "The engine is not installed, or the device is not there. netc never falls back to "
    "another one: a run on the CPU that was meant for a GPU would go unnoticed.",
    "E503": "Diagrams are drawn by Graphviz, which the extra `render` installs, or are written as "
    "`.dot`; curves are drawn by matplotlib, which the extra `train` installs.",
    "E504": "NumPy and onnxruntime computed different results from the same model. The message "
    "names the first value that differs; please report it.",
    "E505": "The suffix or the content of the file is not a format that netc reads or writes here.",
    "E506": "onnx or onnxruntime refuses the model. The notes quote it.",
    "E507": "The arrays of one run, or of a data set, do not fit in memory. Run smaller batches or "
    "smaller inputs, or take fewer or smaller samples.",
    "E509": "ONNX models are written with opset 13 and above, as far as the installed onnx goes. "
    "Where an older opset lacks an operator, it is built from others; a few cannot be, and are "
    "named.",
    "E510": "Two names that differ in the program would be the same in the file. Rename one.",
    "E511": "The style, theme, direction or depth of a diagram is unknown.",
    "E521": "The file is truncated, or is not what its name says. Download or write it again.",
    "E522": "Each sample has an input and a target, so their numbers must be equal. "
    "The message names both numbers.",
    "E523": "Classes count from 0: of K classes the labels are 0 to K - 1. The message names the "
    "first sample whose label is none of them.",
    "E524": "An input is NaN, infinite, empty or a word. A target that is NaN or an empty cell is "
    "not known, and left out by the losses; labels are always known.",
    "E525": "The file, folder or array holds no sample. `images` looks for sub-folders, one for "
    "each class.",
    "E526": "The message lists the columns of the csv file, or the arrays of the npz file.",
    "E527": "A batch is one array, so all its pictures have the same size. `images(folder, "
    "size=64x64)` resizes all of them.",
    "E528": "`images` reads pictures with Pillow, which comes with the extra `train`.",
    "E529": "An input or target has not the shape or element type that the network takes, or not "
    "its name. Images are (N, C, H, W), sequences (N, L, C); class indices are whole numbers.",
    "E530": "Flips, rotations, shifts, crops and colours need pictures, (N, C, H, W); a crop is no "
    "larger than the picture, and pairs name points that are there.",
    "E531": "Up to three fractions divide the data, and sum to at most 1; some sample is left for "
    "training, and some batch is full where `last = drop`.",
    "E532": "The number of samples, the noise, the size or the channels is out of range.",
    "E541": "`--resume` met a checkpoint of another network or another recipe, whose differences "
    "the notes list, or data with other values, or a file that is not a checkpoint. Only `epochs` "
    "may change between two parts of a run.",
    "E542": "A step of training made the loss infinite or NaN. The message names the step and the "
    "layer in which the first such number appeared; the last checkpoint holds good weights.",
    "E543": "The network has an input, or an output with a loss, for which the data set has no "
    "array. Several are matched by name: give inputs and outputs the names that the data has.",
    "E544": "Neither the program nor the command line names the data. Add `data = ...` to "
    "the `train` block, or use `--set data=digits`.",
    "E545": "The folder for a new run holds the checkpoint of another. Go on with that run "
    "(`--resume`), overwrite it (`--force`), or choose another folder (`--output`). Without "
    "`--output`, a finished run is left alone, and the new one goes to `run2`, `run3`, ... Two "
    "processes never train in one folder.",
    "E546": "`netc evaluate`, `predict` and `features` take the weights of a finished run, "
    "from the folder that `netc train -o FOLDER` left, or a file of weights. A program that gives "
    "the values of all weights needs neither. `net.run(x)` takes a state, with the same exception.",
    "E547": "`netc predict` takes arrays and pictures with `--input`, or a data set with `--data`. "
    "Nothing was given, or a file is neither.",
    "E551": "A metric, threshold or column of the history is not known, or does not fit the output "
    "and its targets: their shapes differ, a class is out of range, scores are NaN, or a threshold "
    "is given for more than two classes.",
    "E561": "A monitor writes `monitor.csv` and `monitor.json`. The file is another one or "
    "damaged, or no epoch was recorded yet.",
    "E562": "Weights that are loaded for transfer learning match by name, shape and type, but for "
    "those that are left out on purpose, such as a head with another number of classes. The notes "
    "name the others.",
    "E563": "A pattern matches no layer or weight, or renaming gives two weights the same name. "
    "Patterns are those of a shell: `*` stands for any text.",
    "E564": "Features are one array for each sample: a value whose first axis counts the samples "
    "and whose other extents are the same for all of them.",
    "E565": "The shape of an input is not fixed, so no random input can be drawn. Name the data in "
    "a `train` block, or give the input a size.",
    "E570": "In training BN subtracts the mean of a channel over the batch. Where the batch leaves "
    "a channel one value, that is the mean, and the result does not depend on the input. Take "
    "larger batches, and where only an epoch's last one is too small, `last = drop` in the `train` "
    "block.",
    "E575": "An ONNX model takes or yields sequences, optional values, text, or numbers that NumPy "
    "does not have, such as bfloat16. Convert them in the model with `Cast` or `SequenceAt`.",
    "W110": "A loss of differences on probabilities, such as `mse` on `SOFTMAX`: its gradient "
    "vanishes where the network is most wrong. `cross_entropy` has no such plateau.",
    "W501": "The diagram was written as `.dot`, because no renderer was found.",
    "W502": "The run began with another engine, other versions, or another number of threads. "
    "It goes on, but its last bits may differ from those of a run that was never interrupted.",
    "W520": "`netc predict` resizes pictures to what the network takes, makes them gray for a "
    "network of one channel, and lays transparent ones on white. The notes say what was done.",
    "W525": "`weights.safetensors` of a run holds the network's weights alone. The network saw "
    "samples after preprocessing, such as `standardize`; without it, its answers are wrong. "
    "`netc export --run FOLDER` and `netc predict --run FOLDER` include it, and so do `run.export` "
    "and `run.predict`.",
}

_HEAD = "==== "
_DIVIDER = "----\n"


@dataclass(frozen=True, slots=True)
class Example:
    """A program, and the rendered diagnostics that it is answered with."""

    program: str
    answer: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code is about: in a line, in words where no program shows it, and by example."""

    code: str
    about: str
    situation: str | None
    examples: tuple[Example, ...]


def explain(code: str) -> Explanation:
    """The explanation of a code.

    Raises:
        KeyError: There is no such code.
    """
    return Explanation(code, CODES[code], SITUATIONS.get(code), _examples().get(code, ()))


@cache
def _examples() -> Mapping[str, tuple[Example, ...]]:
    return read_examples((files(__package__) / "explanations.txt").read_text(encoding="utf-8"))


def read_examples(text: str) -> dict[str, tuple[Example, ...]]:
    """Examples by code, as `write_examples` wrote them."""
    found: dict[str, tuple[Example, ...]] = {}
    for part in f"\n{text}".split(f"\n{_HEAD}")[1:]:
        code, _, rest = part.partition("\n")
        program, _, answer = rest.partition(_DIVIDER)
        found[code] = (*found.get(code, ()), Example(program, answer.rstrip("\n") + "\n"))
    return found


def write_examples(examples: Iterable[tuple[str, Example]]) -> str:
    """Examples as one text, which `read_examples` reads."""
    return "\n".join(
        f"{_HEAD}{code}\n{example.program}{_DIVIDER}{example.answer}" for code, example in examples
    )


def to_markdown(explanations: Iterable[Explanation]) -> str:
    """The manual's page on diagnostics."""
    parts = [_INTRODUCTION]
    for explanation in explanations:
        parts.append(f"## {explanation.code}: {explanation.about}\n")
        if explanation.situation is not None:
            parts.append(f"{explanation.situation}\n")
        mark = "" if explanation.code.startswith("W") else " error"
        for example in explanation.examples:
            parts.append(f"```net{mark}\n{example.program}```\n\n```text\n{example.answer}```\n")
    return "\n".join(parts)


_INTRODUCTION = """\
# Diagnostics

Every error and warning has a code. `netc explain CODE` prints its part of this page, and
`netc explain` lists all codes. Codes that start with `E` are errors: the program, the file or the
run is refused. Codes that start with `W` are warnings; `netc check --strict` refuses them, too.

- `E0..`: files and syntax
- `E1..`: names and arguments
- `E2..`: shapes
- `E3..`: expressions and assertions
- `E4..`: limits
- `E5..`, `W5..`: weights, engines, files that are written
- `W1..`: programs that are correct, and probably not what was meant
"""
