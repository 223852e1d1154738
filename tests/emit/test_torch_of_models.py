"""Models with operators that are no layers, written for PyTorch: ONNX's own cases of them."""

import numpy as np
import pytest
from support.onnx_cases import all_cases
from support.torch_files import module_of, outputs_of

import netc

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch")

CASES = """
argmax_default_axis_example_select_last_index argmin_negative_axis_keepdims_random
bitwise_and_i32_2d bitwise_not_2d bitwise_or_i32_2d bitwise_xor_i32_2d dequantizelinear
dequantizelinear_axis det_nd elu_default_expanded_ver18 eyelike_with_dtype
gathernd_example_float32 gridsample_bicubic_align_corners_1_additional_1 gridsample_border_padding
hardmax_axis_1 isinf matmulinteger mod_mixed_sign_float32 mod_mixed_sign_int64 nllloss_NC
nllloss_NCd1_weight_ii nonzero_example pow_types_int64_float32 quantizelinear quantizelinear_axis
rms_normalization_3d_axis2_epsilon scatter_elements_with_axis
scatter_elements_with_duplicate_indices scatter_elements_with_reduction_max scatternd
scatternd_add sce_NCd1d2d3d4d5_mean_weight sce_mean_weight_ii shape_start_greater_than_end
shrink_hard shrink_soft swish thresholdedrelu xor3d
""".split()


@pytest.mark.parametrize("name", CASES)
def test_cases_are_computed(name: str) -> None:
    """Values, shapes and types are those that ONNX records."""
    case = all_cases()[name]
    network = netc.load_onnx(case.model.SerializeToString())
    given, expected = case.sets[0]
    names = [info.name for info in case.model.graph.input]
    feeds = {n: np.asarray(x) for n, x in zip(names, given, strict=False) if x is not None}
    feeds = {name: feeds[name] for name in network.graph.inputs}
    module = module_of(network, network.initialize()).eval()
    with torch.no_grad():
        found = outputs_of(network, module, feeds)
    for array, wanted in zip(found, expected, strict=True):
        assert array.numpy().dtype == np.asarray(wanted).dtype
        np.testing.assert_allclose(array.numpy(), wanted, rtol=1e-3, atol=1e-5, strict=True)
