"""Networks as other tools draw them, a row each: a picture, its tool, and what it shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A picture by another tool.

    Attributes:
        file: The picture.
        tool: The tool and its version.
        says: What it shows, and what it lacks.
    """

    file: str
    tool: str
    says: str


@dataclass(frozen=True)
class Comparison:
    """A network by several tools.

    Attributes:
        title: The network.
        ours: The picture of the gallery.
        says: What ours shows, and what it lacks.
        peers: Those of other tools.
    """

    title: str
    ours: str
    says: str
    peers: tuple[Peer, ...]


TV = "torchview 0.2.7"
VT = "visualtorch 1.4.1"
DR = "draughtsman-nn 0.1.3"
KERAS = "Keras 3.15.1, `plot_model`"

COMPARISONS = (
    Comparison(
        "LeNet-5",
        "lenet5_volumes.svg",
        "Kernels, maps and dense layers by size, with the operation between them; parameters by "
        "layer are in the other style.",
        (
            Peer(
                "lenet5_torchview.png",
                TV,
                "Every module with its shapes; no kernel sizes, no parameters.",
            ),
            Peer(
                "lenet5_keras.png",
                KERAS,
                "Legible, with activations; no kernel sizes and no parameters.",
            ),
            Peer(
                "lenet5_visualtorch_lenet.png",
                VT,
                "Planes as in the paper, but a dense layer is as long as it has units, "
                "which leaves the labels too small to read.",
            ),
            Peer(
                "lenet5_nnsvg.png",
                "NeuroSchemaX 0.1.6, in NN-SVG's style",
                "Clean planes and circles; no input, no sizes, no kernels.",
            ),
            Peer(
                "lenet5_draughtsman.png",
                DR,
                "Shapes and parameters in a row; modules by number rather than by kind, "
                "until a person or an agent names them.",
            ),
        ),
    ),
    Comparison(
        "U-Net",
        "unet_volumes.svg",
        "A U of maps that shrink and thicken from level to level, each with its size and its "
        "layer at 8 points; it takes a page upright.",
        (
            Peer(
                "unet_plotneuralnet.png",
                "PlotNeuralNet, commit 079aadd, TeX Live 2022",
                "Large, plastic, the look of papers. Each box, size and gap is written by hand, "
                "here by us, and nothing is checked: boxes overlap where gaps are too small.",
            ),
            Peer(
                "unet_visualtorch_flow.png",
                VT,
                "Maps by size, with skips, from the model itself; no labels at all.",
            ),
            Peer(
                "unet_torchview.png",
                TV,
                "Complete, with shapes; 881 x 4032 pixels, and no U.",
            ),
            Peer(
                "unet_draughtsman.png",
                DR,
                "Skips as curves beneath a row of modules; no U, and a width of 4100 pixels.",
            ),
        ),
    ),
    Comparison(
        "ResNet-18",
        "resnet18.svg",
        "Fits a page: three stages are one frame with their numbers, skips are blue; the funnel "
        "of sizes is the picture in volumes above.",
        (
            Peer(
                "resnet18_torchview.png",
                TV,
                "Complete, block by block; 729 x 5155 pixels.",
            ),
            Peer(
                "resnet18_visualtorch_flow.png",
                VT,
                "The funnel of sizes at one glance; no labels, and skips that cover single "
                "layers look alike.",
            ),
            Peer(
                "resnet18_draughtsman.png",
                DR,
                "One row that anyone reads; the residual connections are inside the boxes.",
            ),
            Peer(
                "resnet18_torchviz.png",
                "torchviz 0.0.3",
                "The graph of gradients with every weight; 2619 x 5347 pixels, for debugging.",
            ),
        ),
    ),
    Comparison(
        "An inception block",
        "inception.svg",
        "Kernels, filters, sizes and parameters of four branches in the order of the program.",
        (
            Peer(
                "inception_torchview.png",
                TV,
                "Four frames side by side, with shapes; no kernels, no parameters.",
            ),
            Peer(
                "inception_keras.png",
                KERAS,
                "Four branches with activations and shapes; no kernels, and the branches "
                "change their order.",
            ),
            Peer(
                "inception_draughtsman.png",
                DR,
                "Well laid out, with shapes and parameters; no kinds of layers, and the "
                "concatenation bears the name of the last branch.",
            ),
        ),
    ),
    Comparison(
        "XNOR",
        "xnor.svg",
        "Neurons, biases, steps, and each weight with its number, sign and size.",
        (
            Peer(
                "xnor_visualtorch_graph.png",
                VT,
                "Neurons and connections; no biases, numbers or names, and the activation "
                "is a column of its own.",
            ),
            Peer(
                "xnor_torchview.png",
                TV,
                "Layers with shapes; no neurons. (A sigmoid stands for the step.)",
            ),
            Peer(
                "xnor_torchviz.png",
                "torchviz 0.0.3",
                "The graph of gradients with both weights and biases; no neurons, no numbers.",
            ),
        ),
    ),
)
