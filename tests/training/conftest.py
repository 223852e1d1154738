"""What holds for the tests of training: PyTorch computes small tensors fastest on one thread."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def on_one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """PyTorch's threads wait for each other longer than they compute."""
    if request.node.get_closest_marker("oracle") is None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
