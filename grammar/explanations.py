"""Diagnostic codes to explanations: what each is about, and programs that cause it.

The programs are in `explanations.txt`, which `tests/diagnostics` writes from its cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .codes import CODES

# What happened, for codes that take files, weights or engines rather than a program.
SITUATIONS: Mapping[str, str] = {
    "E001": "The path is wrong, is a folder, or cannot be read; or the zoo has no such spec.",
    "E002": "The file has another encoding. The message names the first byte that is not "
    "valid; save the file as UTF-8.",
    "E004": "The folder is missing or read-only, or the disk is full. An existing file of "
    "that name is unchanged.",
    "E121": "A file imports itself, directly or through others. Move what both need to a "
    "third file, and import that.",
    "E131": "A layer with weights precedes an operator that netc cannot differentiate yet, or "
    "one that is constant almost everywhere, such as `STEP`; the message says which. The "
    "layer therefore receives no gradient. Use a smooth layer instead, or mark the layers "
    "before it with `frozen=yes`.",
    "E132": "The last layer of an output does not fit its loss: `RELU` and `cross_entropy`, "
    "`SIGMOID` and `cross_entropy` (use `binary_cross_entropy`, or `SOFTMAX`), `SOFTMAX` and "
    "`hinge`. Losses of classes take the output of `FC` or `CONV`, followed by `SOFTMAX`, "
    "`LOGSOFTMAX` or `SIGMOID` where the message says so.",
    "E133": "The targets have a different number of axes, or a different type, than the loss "
    "takes. Class indices are integers, one for each sample or position; other targets have "
    "the output's shape.",
    "E134": "An input, weight or output of the network is called `loss` or `target`, or like the "
    "next value of a weight, such as `fc1.weight.next`. A training step uses these names for its "
    "own inputs and outputs. Give it another label.",
    "E206": "An array fed to the network has another number of axes, other extents or another "
    "type than the input. Images are (N, C, H, W), sequences (N, L, C), tokens (N, L). An "
    "extent that the program leaves open, such as `H`, may also be too small for a layer, or "
    "not fit a merge or a slice; this is checked before either engine runs.",
    "E403": "A file has more than 10 MiB, 500,000 lines or 200,000 tokens (20 per layer where "
    "`--max-layers` allows more than 10,000), a string more than "
    "10,000 characters, or a label with its scopes more than 1,000. Write repeated parts with "
    "`[...]*n`, `for` or a block.",
    "E501": "Weights are missing, unexpected, or of the wrong shape or type. Names follow "
    "PyTorch's `state_dict`: a label in the program is the first part of a weight's name.",
    "E502": "The engine is not installed, or the device is not available. netc never falls "
    "back on another one, because a run on the CPU that was meant for a GPU would go "
    "unnoticed.",
    "E503": "matplotlib, from the extra `train` or `render`, draws curves, and PNG and PDF files "
    "of diagrams. SVG, TikZ, Mermaid and Graphviz text need no other package.",
    "E504": "NumPy and onnxruntime computed different results from the same model. The message "
    "names the first value that differs; please report it.",
    "E505": "netc does not read or write this format here, judging by the file's suffix or "
    "content.",
    "E506": "onnx or onnxruntime refuses the model. The notes quote its message. Or a layer has no "
    "counterpart in PyTorch: `netc export --to torch` and `netc bench` name it.",
    "E507": "The arrays of a run, or of a data set, do not fit in memory. Use smaller batches "
    "or smaller inputs, or fewer or smaller samples.",
    "E508": "A model in half precision cannot hold the weight: float16 ends at 65,504. bfloat16 "
    "has the range of float32, with fewer digits.",
    "E509": "netc writes ONNX models with opset 13 or later, up to what the installed onnx "
    "supports. It builds operators that an older opset lacks from others; the message names "
    "those for which that is impossible.",
    "E510": "Two different names in the program would be the same in the file. Rename one.",
    "E511": "The style, theme, direction or depth of a diagram is unknown, or the style does not "
    "draw such a network or take such an option.",
    "E512": "The file is not TOML, or has a table, a name, a setting or a value that netc does not "
    "know. Tables are `[family.NAME]`, `[kind.NAME]` and `[layer.NAME]`; settings are `fill`, "
    "`stroke` and `label`.",
    "E521": "The file is truncated, or has another format than its name says. Download or "
    "write it again.",
    "E522": "Each sample has an input and a target, so there must be as many inputs as "
    "targets. The message gives both numbers.",
    "E523": "Classes count from 0: the labels of K classes are 0 to K - 1. The message names "
    "the first sample with a label outside this range.",
    "E524": "An input is NaN, infinite, empty or a word. In targets that are numbers, NaN or "
    "an empty cell means unknown, and the losses ignore it; labels must always be known.",
    "E525": "The file, folder or array holds no samples. `images` expects a sub-folder for "
    "each class.",
    "E526": "The message lists the columns of the csv file, or the arrays of the npz file.",
    "E527": "A batch is one array, so all its images must have the same size. "
    "`images(folder, size=64x64)` resizes all of them.",
    "E528": "Some things need a package that an extra of netc installs: `images` reads images "
    "with Pillow, which the extra `train` installs.",
    "E529": "An input or target has another shape, element type or name than the network "
    "expects. Images are (N, C, H, W), sequences (N, L, C); class indices are whole numbers.",
    "E530": "Flips, rotations, shifts, crops and colours need images, (N, C, H, W). A crop "
    "must not be larger than the image, and pairs must name existing points.",
    "E531": "Up to three fractions divide the data, and sum to at most 1. Some samples must "
    "be left for training and, with `last = drop`, enough for a full batch.",
    "E532": "The number of samples, the noise, the size or the channels is out of range.",
    "E541": "`--resume` found a checkpoint of another network or another recipe, other data, "
    "or a file that is not a checkpoint. The notes list the differences. Only `epochs` may "
    "change between two parts of a run.",
    "E542": "A training step made the loss infinite or NaN. The message names the step, and "
    "the layer in which the first such number appeared; the last checkpoint holds good "
    "weights.",
    "E543": "The data set has no array for an input, or for an output with a loss. Several "
    "are matched by name: give inputs and outputs the names in the data.",
    "E544": "Neither the program nor the command line names the data. Add `data = ...` to "
    "the `train` block, or use `--set data=digits`.",
    "E545": "The folder for a new run already holds another run. Continue that run "
    "(`--resume`), overwrite it (`--force`), or choose another folder (`--output`). Without "
    "`--output`, a finished run is left alone, and the new one goes to `run2`, `run3`, ... "
    "Two processes never train in one folder.",
    "E546": "`netc evaluate`, `predict` and `features` need the weights of a finished run, "
    "from the folder that `netc train -o FOLDER` wrote, or a file of weights. Likewise, "
    "`net.run(x)` needs a state. A program that gives the values of all weights needs none of "
    "these.",
    "E547": "`netc predict` takes arrays and images with `--input`, or a data set with "
    "`--data`. Neither was given, or a file is neither an array nor an image.",
    "E548": "`mpiexec` or `srun` started several processes, and mpi4py is missing, cannot be "
    "loaded, or belongs to another MPI, so that each would train alone. `pip install "
    "'netc[mpi]'` brings mpi4py and an `mpiexec` that fits; on a cluster, build mpi4py for the "
    "MPI that is loaded.",
    "E551": "A metric, threshold or column of the history is unknown, or does not fit the "
    "output and its targets: their shapes differ, a class is out of range, scores are NaN, or "
    "a threshold is given for more than two classes.",
    "E561": "A monitor writes `monitor.csv` and `monitor.json`. The file is damaged or is "
    "something else, or no epoch has been recorded yet.",
    "E562": "Weights for transfer learning must match by name, shape and type, except those "
    "that you allow to differ, such as a head with another number of classes. The notes name "
    "the mismatches.",
    "E563": "A pattern matches no layer or weight, or renaming gives two weights the same "
    "name. Patterns are shell patterns: `*` stands for any text.",
    "E564": "A feature is one array per sample: the first axis of its value counts the "
    "samples, and the other extents are the same for all of them.",
    "E565": "An input has no fixed shape, so no random input can be drawn. Name data in a "
    "`train` block, or give the input a size.",
    "E566": "`netc show` draws what is an image, a curve or a plane: kernels of convolutions and "
    "templates of dense layers, feature maps, regions of two inputs, answers for pictures. The "
    "network, the layer or the data have nothing of the kind; the help names what they have.",
    "E570": "In training BN subtracts the mean of a channel over the batch. If a channel has "
    "only one value in the batch, the mean equals that value, and the result does not depend "
    "on the input. Use larger batches; if only the last batch of an epoch is too small, write "
    "`last = drop` in the `train` block.",
    "E575": "An input or output of an ONNX model is an optional value, text, or of a type that "
    "NumPy lacks, such as bfloat16. Run the model on the engine `numpy`, or convert it in the "
    "model with `Cast` or `OptionalGetElement`.",
    "E576": "Two nodes make the same value, a node reads one that nothing makes, nodes wait for "
    "each other, a tensor holds fewer numbers than its shape says, an attribute is of another "
    "type than it says. The message names the place; export or download the model again.",
    "E577": "Weights may lie in files beside the model, and one of these is missing, too short or "
    "outside the model's folder. netc follows no link that leaves the folder.",
    "E578": "The model is of a version of ONNX that is older or newer than what netc reads, or an "
    "operator has a setting that newer versions dropped. Export the model again, best with "
    "opset 13 to 22.",
    "E579": "An ONNX model can have what programs do not: a batch that only one size fits, inputs "
    "of float16, operators that run subgraphs, constants of more than 1,000 numbers. "
    "The message names it. The model can still be counted, drawn, run "
    "and trained as it is: `netc.load` reads it.",
    "W110": "A loss of differences, such as `mse`, on probabilities, such as `SOFTMAX`: its "
    "gradient vanishes where the network is most wrong. `cross_entropy` has no such plateau.",
    "W502": "The run began with another engine, other versions, or another number of threads. "
    "It continues, but its last bits may differ from those of an uninterrupted run.",
    "W503": "A schedule with `warmup=w` raises the learning rate over the first w steps, or epochs "
    "with `per=epoch`, and only then begins. This run has no more than these.",
    "W520": "`netc predict` resizes images to what the network takes, makes them gray for a "
    "network with one channel, and lays transparent ones on white. The notes say what was "
    "done.",
    "W525": "`weights.safetensors` of a run holds only the network's weights. The network was "
    "trained on preprocessed samples, for example after `standardize`; without preprocessing, "
    "its outputs are wrong. `netc export --run FOLDER` and `netc predict --run FOLDER` "
    "include preprocessing, and so do `run.export` and `run.predict`.",
    "W576": "The model says that it is of a newer version of the format than the installed onnx "
    "knows. netc reads it nonetheless; what is new in it may be missed.",
    "W577": "Models of scikit-learn end in `ZipMap`, which makes a map from label to score of each "
    "sample. A network yields arrays: the scores, one column for each label.",
    "W578": "Exporters fix the batch to that of the sample that they are given. It becomes one of "
    "any size unless an operator depends on this number of samples: a tensor with other numbers "
    "for each, a shape, a sum over all of them. The note names the first one. The model runs as it "
    "is, with this number of samples; a program cannot say that.",
}

HEAD = "==== "
DIVIDER = "----\n"


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
    """Examples by code, as the tests wrote them."""
    found: dict[str, tuple[Example, ...]] = {}
    for part in f"\n{text}".split(f"\n{HEAD}")[1:]:
        code, _, rest = part.partition("\n")
        program, _, answer = rest.partition(DIVIDER)
        found[code] = (*found.get(code, ()), Example(program, answer.rstrip("\n") + "\n"))
    return found
