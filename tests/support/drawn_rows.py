"""Networks whose pictures are kept, beside those of the gallery: each with what draws it."""

# What each is to catch, where its command does not say it.
DRAWN = {
    # chains: short, with defaults, with a title of its own
    "cnn_1": "zoo:cnn_1",
    "keras_mnist_cnn": "zoo:keras_mnist_cnn --direction LR",
    "zfnet_folded": "zoo:zfnet --compact --page a5",
    "tiny_vgg_slide": "zoo:tiny_vgg --page slide",
    # skips of every kind
    "residual_upwards": "zoo:residual --direction BT",
    "resnet20_cifar": "zoo:resnet20_cifar --depth 2",
    "resnext50": "zoo:resnext50_32x4d",
    "shufflenet": "zoo:shufflenet_v2_x1_0",
    "efficientnet": "zoo:efficientnet_b0",
    "convnext": "zoo:convnext_tiny",
    "swin": "zoo:swin_t",
    # branches, and several outputs
    "squeezenet": "zoo:squeezenet1_0",
    "inception_aux": "zoo:inception_v3_aux",
    "box_regression": "zoo:box_regression",
    "single_stage": "zoo:single_stage",
    # encoders and decoders
    "unet_small": "zoo:unet_small",
    "unet_small_layered": "zoo:unet_small --layout layered",
    "deconvnet": "zoo:deconvnet",
    # volumes
    "autoencoder_volumes": "zoo:autoencoder --style volumes",
    "generator_volumes": "zoo:dcgan_generator --style volumes --scale linear",
    "siamese_volumes": "zoo:siamese --style volumes",
    "alexnet_planes": "zoo:alexnet --style volumes --maps planes --theme dark",
    # neurons
    "regression_neurons": "zoo:linear_regression --style neurons",
    "xor_neurons": "zoo:xor_mlp --style neurons --theme dark",
    # operators
    "decay_backward": "zoo:weight_decay --style backward",
    "vit_ops": "zoo:vit_b_16 --style ops",
}
