"""The gallery of the documentation, a row for each picture: what draws it, and what to see."""

from dataclasses import dataclass

RNN = """\
net UnrolledRnn

block Cell(; h, x) {
  ( h -> FC(16, bias=no) as W | x -> FC(16) as U ) -> ADD -> TANH
}

INPUT(16) as h0
INPUT(8) as x1
INPUT(8) as x2
INPUT(8) as x3

h1 = ( h0 | x1 ) -> Cell as t1
h2 = ( h1 | x2 ) -> Cell(share=t1) as t2
h3 = ( h2 | x3 ) -> Cell(share=t1) as t3

output y = h3 -> FC(4) -> SOFTMAX
"""
INCEPTION = """\
net Inception3a

INPUT(28x28x192)
  -> ( CONV(1x1, 64) as b1 -> RELU
     | CONV(1x1, 96) as b2_reduce -> RELU -> CONV(3x3, 128) as b2 -> RELU
     | CONV(1x1, 16) as b3_reduce -> RELU -> CONV(5x5, 32) as b3 -> RELU
     | POOL(3x3, stride=1, pad=same) as b4_pool -> CONV(1x1, 32) as b4 -> RELU
     ) -> CONCAT
"""
ECG = """\
net Ecg

INPUT(1000x12, sequence)
  -> [CONV(kernel=7, 32, stride=2) -> BN -> RELU -> POOL]*2
  -> CONV(kernel=5, 64) -> BN -> RELU -> GAP -> FC(5)
"""
MLP = '"INPUT(784) -> FC(512) -> RELU -> FC(512) -> RELU -> FC(10) -> SOFTMAX"'
CURVES = '"INPUT(8) -> FC(4) -> TANH -> FC(4) -> LRELU(0.2) -> FC(1) -> SIGMOID"'
DIGITS = ("train zoo:digits_cnn --epochs 6 -o run",)
TEMPLATES = ("train zoo:digits_softmax --epochs 20 -o softmax",)
SPIRALS = ("train zoo:spirals --epochs 300 -o spirals",)


@dataclass(frozen=True)
class Picture:
    """A picture of the gallery.

    Attributes:
        name: Its file, whose suffix chooses the format.
        title: The network, or what is shown.
        says: What to see in it.
        command: What draws it, without `netc` and without `-o`.
        program: The text of the file that the command names, where it is none that ships.
        before: Commands that come first.
    """

    name: str
    title: str
    says: str
    command: str
    program: str = ""
    before: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[str, ...]:
        """All that a reader types, without `netc`."""
        file = self.name.replace(".png", ".html") if self.is_page else self.name
        return (*self.before, f"{self.command} -o {file}")

    @property
    def is_page(self) -> bool:
        """Whether the command writes a page, and the picture shows it in a browser."""
        return self.command.startswith("report ")

    @property
    def is_lasting(self) -> bool:
        """Whether every machine draws it the same to the byte."""
        return self.name.endswith(".svg")


@dataclass(frozen=True)
class Section:
    """Pictures of one kind."""

    title: str
    says: str
    pictures: tuple[Picture, ...]


SECTIONS = (
    Section(
        "Layers",
        "The default style is a diagram of layers that fits an A4 page. What repeats is drawn "
        "once, what is too much is folded, and a tensor that skips layers is blue.",
        (
            Picture(
                "lenet5.svg",
                "LeNet-5",
                "Every layer, with its arguments, size and parameters.",
                "draw zoo:lenet5",
            ),
            Picture(
                "alexnet.svg",
                "AlexNet",
                "A long chain goes on in the next column.",
                "draw zoo:alexnet",
            ),
            Picture(
                "vgg16.svg",
                "VGG-16",
                "Of more than 30 layers, activations are stripes of the layer before them.",
                "draw zoo:vgg16",
            ),
            Picture(
                "resnet18.svg",
                "ResNet-18",
                "Stages that differ by numbers only are one frame: `128 | 256 | 512 filters`.",
                "draw zoo:resnet18",
            ),
            Picture(
                "resnet50.svg",
                "ResNet-50",
                "Bottlenecks, and how often each stage repeats them: `3 | 5 | 2` times.",
                "draw zoo:resnet50",
            ),
            Picture(
                "googlenet.svg",
                "GoogLeNet",
                "Of nine inception blocks two are an open frame, and seven are folded.",
                "draw zoo:googlenet",
            ),
            Picture(
                "inception.svg",
                "An inception block",
                "Four branches side by side.",
                "draw inception.net --compact",
                INCEPTION,
            ),
            Picture(
                "densenet121.svg",
                "DenseNet-121",
                "Four dense blocks: the first is open, the others say how many layers they hold.",
                "draw zoo:densenet121",
            ),
            Picture(
                "mobilenet_v2.svg",
                "MobileNet v2",
                "Inverted residuals: where a block is skipped, and where it is not.",
                "draw zoo:mobilenet_v2",
            ),
            Picture(
                "bert.svg",
                "BERT",
                "Three inputs, the mask that goes into all twelve layers, and two outputs.",
                "draw zoo:bert_base_uncased",
            ),
            Picture(
                "gpt2.svg",
                "GPT-2",
                "The output layer has the weights of the token embedding, and says so.",
                "draw zoo:gpt2_small",
            ),
            Picture(
                "vit.svg",
                "Vision transformer",
                "Patches, a class token, and twelve layers as one frame.",
                "draw zoo:vit_b_16",
            ),
            Picture(
                "siamese.svg",
                "A siamese network",
                "The second tower names the layers whose weights it shares.",
                "draw zoo:siamese",
            ),
            Picture(
                "rnn.svg",
                "A recurrent network, unrolled",
                "Three steps of one cell, from left to right.",
                "draw rnn.net --direction LR",
                RNN,
            ),
            Picture(
                "ecg.svg",
                "A network on sequences",
                "Twelve leads of an electrocardiogram: convolutions along one axis.",
                "draw ecg.net",
                ECG,
            ),
        ),
    ),
    Section(
        "U-shapes, pages and themes",
        "Encoders with decoders are drawn as a U. A page, a direction, and what boxes say can be "
        "chosen.",
        (
            Picture(
                "unet.svg",
                "U-Net",
                "A row for each resolution, and the skips across.",
                "draw zoo:unet",
            ),
            Picture(
                "lenet5_strip.svg",
                "A strip for a paper",
                "From left to right, with names and sizes only.",
                "draw zoo:lenet5 --direction LR --page 180x80 --show names,shapes --no-title",
            ),
            Picture(
                "residual_dark.svg",
                "In the dark",
                "A small residual network with its MACs, for a dark page.",
                "draw zoo:residual --compact --theme dark --show names,shapes,macs --page slide",
            ),
        ),
    ),
    Section(
        "Volumes",
        "Feature maps as boxes, with the kernels between them.",
        (
            Picture(
                "lenet5_volumes.svg",
                "LeNet-5",
                "Sides follow height, width and channels: each halving takes as much.",
                "draw zoo:lenet5 --style volumes",
            ),
            Picture(
                "lenet5_planes.svg",
                "LeNet-5 in planes",
                "Maps as stacked planes, as the paper drew them.",
                "draw zoo:lenet5 --style volumes --maps planes",
            ),
            Picture(
                "vgg16_volumes.svg",
                "VGG-16",
                "Convolutions of one size stand together.",
                "draw zoo:vgg16 --style volumes",
            ),
            Picture(
                "resnet18_volumes.svg",
                "ResNet-18",
                "A funnel. Dashed skips have a convolution, in the first block of a stage.",
                "draw zoo:resnet18 --style volumes",
            ),
            Picture(
                "googlenet_volumes.svg",
                "GoogLeNet",
                "The branches of inception blocks, and how often they repeat.",
                "draw zoo:googlenet --style volumes",
            ),
            Picture(
                "mobilenet_v2_volumes.svg",
                "MobileNet v2",
                "A long chain goes on in the next row.",
                "draw zoo:mobilenet_v2 --style volumes",
            ),
            Picture(
                "unet_volumes.svg",
                "U-Net",
                "The figure of the paper: a level for each resolution, copies across.",
                "draw zoo:unet --style volumes",
            ),
            Picture(
                "cnn_3d_volumes.svg",
                "A network on volumes",
                "Maps with three extents are cubes, one for each channel that fits.",
                "draw zoo:cnn_3d --style volumes",
            ),
        ),
    ),
    Section(
        "Neurons",
        "Dense layers as columns of circles, with their activations and weights.",
        (
            Picture(
                "xnor.svg",
                "XNOR",
                "Weights that the program states, by sign and size.",
                "draw zoo:xnor --style neurons",
            ),
            Picture(
                "mlp.svg",
                "784-512-512-10",
                "Long layers are elided; each neuron shows its activation.",
                f"draw {MLP} --style neurons",
            ),
        ),
    ),
    Section(
        "Operators and the chain rule",
        "The graph that runs, by ONNX's names, and the gradients beneath it.",
        (
            Picture(
                "logistic.svg",
                "A logistic neuron",
                "Operators, parameters, and extents on the arrows.",
                "draw zoo:logistic_neuron --style ops",
            ),
            Picture(
                "inception_ops.svg",
                "An inception block",
                "All operators with all parameters.",
                "draw inception.net --style ops",
                INCEPTION,
            ),
            Picture(
                "chain_rule.svg",
                "Two layers, forward and backward",
                "With an input, the numbers stand on the arrows.",
                "draw zoo:two_sigmoid_layers --style backward --input '[[1, -2]]'",
            ),
            Picture(
                "lenet5_backward.svg",
                "LeNet-5, forward and backward",
                "Where operators are too many, layers are one box each.",
                "draw zoo:lenet5 --style backward --loss cross_entropy",
            ),
        ),
    ),
    Section(
        "Inside",
        "What networks have learned, and what they make of data. "
        "[Looking inside](looking-inside.md) explains the pictures.",
        (
            Picture(
                "filters.png",
                "Filters",
                "The first convolution after six epochs.",
                "show filters zoo:digits_cnn --run run",
                before=DIGITS,
            ),
            Picture(
                "templates.png",
                "Templates",
                "A dense layer on images: what each class looks for.",
                "show filters zoo:digits_softmax --run softmax",
                before=TEMPLATES,
            ),
            Picture(
                "maps.png",
                "Feature maps",
                "A digit on its way through the levels.",
                "show maps zoo:digits_cnn --run run --sample 3",
                before=DIGITS,
            ),
            Picture(
                "boundary.png",
                "Regions",
                "Three arms of a spiral, and the regions of their classes.",
                "show boundary zoo:spirals --run spirals",
                before=SPIRALS,
            ),
            Picture(
                "activations.png",
                "Activations",
                "Those that a network uses, with their derivatives.",
                f"show activations {CURVES}",
            ),
            Picture(
                "receptive.png",
                "A receptive field",
                "What one element of a layer sees of the input.",
                "show receptive zoo:resnet18 layer2.0.conv1",
            ),
            Picture(
                "saliency.png",
                "Saliency",
                "Which pixels move the score of the class.",
                "show saliency zoo:digits_cnn --run run --sample 0",
                before=DIGITS,
            ),
        ),
    ),
    Section(
        "The report",
        "One HTML page with the diagram to explore. [Report](report.md) says what is on it.",
        (
            Picture(
                "report.png",
                "ResNet-18 in the browser",
                "Search, zoom, fold; a layer's panel opens at a click.",
                "report zoo:resnet18",
            ),
        ),
    ),
)

PICTURES = tuple(picture for section in SECTIONS for picture in section.pictures)
