import numpy as np
import pytest

from keras_prune.runtime import native, packers, vector_packers

pytestmark = pytest.mark.skipif(
    not native.library_path().exists(), reason="The compiled library has not been built."
)


def test_version():
    assert native.library().spk_version() == b"0.1.0"


def test_stream_is_written_out():
    dense = np.array([[0, 0, 5, -1], [0, 0, 0, 0]], np.int8)
    assert packers.pack_stream_s8(dense) == bytes([2, 0, 2, 5, 1, 255, 0, 0])


def test_odd_rows_are_whole_words():
    dense = np.array([[0, 0, 5, -1], [0, 0, 0, 0]], np.int8)
    expected = bytes([3, 0, 0, 0, 2, 5, 1, 255, 1, 0, 0, 0])
    assert packers.pack_stream_s8(dense, odd=True) == expected
    with pytest.raises(ValueError, match=r"cannot hold this matrix. Received: rows=1, cols=2"):
        packers.pack_stream_s8(np.ones((1, 2), np.int8), odd=True)


@pytest.mark.parametrize("density", [0, 0.1, 0.9])
def test_round_trip(density):
    random = np.random.default_rng(0)
    dense = random.integers(-128, 128, (7, 600)).astype(np.int8)
    dense[random.random(dense.shape) >= density] = 0
    for odd in (False, True):
        blob = packers.pack_stream_s8(dense, odd=odd)
        np.testing.assert_array_equal(packers.unpack_stream_s8(blob, 7, 600), dense)
    blob = packers.pack_blocks_s8(dense)
    assert len(blob) % 4 == 0
    np.testing.assert_array_equal(packers.unpack_blocks_s8(blob, 7, 600), dense)
    blob = packers.pack_twins_s8(dense)
    assert len(blob) % 4 == 0
    np.testing.assert_array_equal(packers.unpack_twins_s8(blob, 7, 600), dense)


def test_groups_are_written_out():
    dense = np.array([[0, 5, 0, 0, 0, 0, 0, -1, 3]], np.int8)
    blob = packers.pack_groups_s8(dense, 4)
    assert blob == bytes([1, 3, 0, 0, 5, 255, 3, 0])
    np.testing.assert_array_equal(packers.unpack_groups_s8(blob, 1, 9, 4), dense)
    with pytest.raises(ValueError, match=r"cannot hold this matrix. Received: rows=1, cols=9"):
        packers.pack_groups_s8(dense, 8)


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("density", [0, 0.1, 1])
def test_round_trip_of_fours(density, spread):
    random = np.random.default_rng(0)
    dense = random.integers(-128, 128, (7, 600)).astype(np.int8)
    dense[random.random(dense.shape) >= density] = 0
    blob = vector_packers.pack_fours_s8(dense, spread)
    np.testing.assert_array_equal(vector_packers.unpack_fours_s8(blob, 7, 600, spread), dense)
    with pytest.raises(ValueError, match=r"`spk_fours_s8_unpack` failed: the blob"):
        vector_packers.unpack_fours_s8(blob[:-4], 7, 600, spread)


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("density", [0, 0.1, 1])
def test_round_trip_of_lanes(density, block):
    random = np.random.default_rng(0)
    dense = random.integers(-128, 128, (7, 600)).astype(np.int8)
    dense[random.random(dense.shape) >= density] = 0
    blob = vector_packers.pack_lanes_s8(dense, block)
    np.testing.assert_array_equal(vector_packers.unpack_lanes_s8(blob, 7, 600, block), dense)
    with pytest.raises(ValueError, match=r"`spk_lanes_s8_unpack` failed: the blob"):
        vector_packers.unpack_lanes_s8(blob[:-2], 7, 600, block)


def test_eights_take_the_longest_rows_first():
    dense = np.zeros((9, 64), np.int8)
    dense[5] = 1  # four groups; the others have one
    lanes = vector_packers.pack_lanes_s8(dense, 4)
    eights = np.frombuffer(vector_packers.order_lanes_s8(lanes, 9, 4), np.uint16)
    assert eights[:9].tolist() == [4, 5, 0, 1, 2, 3, 4, 6, 7]
    assert eights[9 + 4 * 8 * 12 :][:9].tolist() == [1, *[8] * 8]
    with pytest.raises(ValueError, match="an argument is invalid"):
        vector_packers.order_lanes_s8(lanes, 9, 2)


def test_half_a_block_is_refused():
    with pytest.raises(ValueError, match=r"cannot hold this matrix. Received: rows=2, cols=6"):
        vector_packers.pack_fours_s8(np.ones((2, 6), np.int8), spread=False)


def test_views_are_packed_in_their_own_order():
    dense = np.arange(12, dtype=np.int8).reshape(3, 4)
    blob = packers.pack_stream_s8(dense.T)
    np.testing.assert_array_equal(packers.unpack_stream_s8(blob, 4, 3), dense.T)


def test_every_truncation_and_every_changed_byte_is_safe():
    blob = packers.pack_stream_s8(np.array([[0, 3, 0, 4], [1, 0, 0, 2]], np.int8))
    for length in range(len(blob)):
        with pytest.raises(ValueError, match="does not describe such a matrix"):
            packers.unpack_stream_s8(blob[:length], 2, 4)
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 0xFF
        try:
            assert packers.unpack_stream_s8(changed, 2, 4).shape == (2, 4)
        except ValueError as error:
            assert str(error).endswith("Received: rows=2, cols=4")


@pytest.mark.parametrize(
    "dense", [np.zeros((2, 2)), np.zeros(4, np.int8), np.zeros((0, 3), np.int8), [[1, 2]]]
)
def test_bad_matrices_are_refused(dense):
    with pytest.raises(ValueError, match="must be a non-empty int8 array"):
        packers.pack_stream_s8(dense)


@pytest.mark.parametrize("rows, cols", [(0, 4), (4, -1), (2**20, 2**20)])
def test_bad_shapes_are_refused(rows, cols):
    with pytest.raises(ValueError, match="must be positive"):
        packers.unpack_stream_s8(b"", rows, cols)
