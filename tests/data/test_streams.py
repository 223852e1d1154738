"""Random numbers by key."""

import numpy as np

from netc.runtime.data.streams import normals, philox, stream, uniforms


def test_philox_gives_the_published_numbers() -> None:
    """The known answers of Random123 (Salmon et al. 2011), for zeros, ones and digits of pi."""
    counters = np.array(
        [
            [0, 0, 0, 0],
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        ],
        np.uint64,
    )
    zero = philox(counters[:1], (0, 0))[0]
    pi = philox(counters[1:], (0xA4093822, 0x299F31D0))[0]
    assert [
        f"{word:08x}" for word in zero.tolist()
    ] == "6627e8d5 e169c58d bc57ac4c 9b00dbd8".split()
    assert [f"{word:08x}" for word in pi.tolist()] == "d16cfe09 94fdcceb 5001e420 24126ea1".split()


def test_numbers_depend_on_the_sample_alone() -> None:
    """A sample's numbers are the same in any batch and any order, and with more of them."""
    key = (3, "flip", 7)
    together = uniforms(key, np.array([5, 9, 2**40, 0]), 6)
    for place, sample in enumerate([5, 9, 2**40, 0]):
        np.testing.assert_array_equal(uniforms(key, np.array([sample]), 6)[0], together[place])
    np.testing.assert_array_equal(uniforms(key, np.array([9, 5]), 3), together[[1, 0], :3])
    fields = normals(key, np.array([4, 8]), (2, 3))
    np.testing.assert_array_equal(normals(key, np.array([8]), (2, 3))[0], fields[1])


def test_keys_have_numbers_of_their_own() -> None:
    """Other seeds, epochs, names and samples give other numbers."""
    keys = [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1), (0, "a01"), (0, "a0", 1)]
    drawn = {uniforms(key, np.array([0]), 1)[0, 0] for key in keys}
    assert len(drawn) == len(keys)
    assert len({float(stream(key).random()) for key in keys}) == len(keys)


def test_numbers_are_even_and_normal() -> None:
    """Mean and deviation of 100,000 numbers, and of neighbours, are those of the distributions."""
    even = uniforms((1,), np.arange(25_000), 4)
    assert even.min() > 0
    assert even.max() < 1
    np.testing.assert_allclose(even.mean(axis=0), 0.5, atol=0.01)
    np.testing.assert_allclose(even.std(), 12**-0.5, atol=0.002)
    assert np.abs(np.corrcoef(even.T) - np.eye(4)).max() < 0.03
    bell = normals((1,), np.arange(100), (1000,))
    assert abs(float(bell.mean())) < 0.01
    assert abs(float(bell.std()) - 1) < 0.01
