"""Operators around axes that exporters move, and the layers that they are."""

# A name, the weights' shapes, the graph, and the layers that it is.
ROWS: dict[str, tuple[dict[str, tuple[int, ...]], str, list[str]]] = {
    "one row of an image as square as it is deep": (
        {},
        """g (float[N,4,5,4] x) => (float[N,4,4] y) {
            row = Constant<value_int = 2>()
            y = Gather<axis = 2>(x, row)
        }""",
        ["SLICE", "PERMUTE"],
    ),
    "a convolution of a sequence, as an image of one row": (
        {"w": (4, 3, 1, 3), "b": (1, 4, 1)},
        """g (float[N,9,3] x) => (float[N,4,4] y) {
            one = Constant<value_ints = [1]>()
            two = Constant<value_ints = [2]>()
            u = Unsqueeze(x, one)
            t = Transpose<perm = [0, 3, 1, 2]>(u)
            c = Conv<kernel_shape = [1, 3], pads = [0, 1, 0, 1]>(t, w)
            s = Squeeze(c, two)
            z = Add(s, b)
            r = Relu(z)
            v = Unsqueeze(r, two)
            m = MaxPool<kernel_shape = [1, 2], strides = [1, 2]>(v)
            y = Squeeze(m, two)
        }""",
        ["CONV", "RELU", "POOL", "PERMUTE"],
    ),
    "a mean over channels that come last": (
        {},
        """g (float[N,5,5,4] x) => (float[N,4] y) {
            axes = Constant<value_ints = [1, 2]>()
            y = ReduceMean<keepdims = 0>(x, axes)
        }""",
        ["PERMUTE", "GAP"],
    ),
    "numbers between layers with channels that come last": (
        {"w": (4, 3, 1, 1)},
        """g (float[N,5,5,3] x) => (float[N,4,5,5] y) {
            f = Constant<value_float = 0.5>()
            t = Transpose<perm = [0, 3, 1, 2]>(x)
            a = Conv(t, w)
            b = Transpose<perm = [0, 2, 3, 1]>(a)
            c = Mul(b, f)
            d = Transpose<perm = [0, 3, 1, 2]>(c)
            y = Relu(d)
        }""",
        ["PERMUTE", "CONV", "Mul", "RELU"],
    ),
    "a vector of channels that multiplies an image": (
        {},
        """g (float[N,3,4,4] x, float[N,3] z) => (float[N,3,4,4] y) {
            axes = Constant<value_ints = [2, 3]>()
            u = Unsqueeze(z, axes)
            y = Mul(x, u)
        }""",
        ["MUL"],
    ),
    "a dense layer after channels that come last": (
        {"w": (2, 3, 1, 1), "m": (32, 5), "b": (5,)},
        """g (float[N,3,4,4] x) => (float[N,5] y) {
            c = Conv(x, w)
            t = Transpose<perm = [0, 2, 3, 1]>(c)
            rows = Constant<value_ints = [-1, 32]>()
            r = Reshape(t, rows)
            p = MatMul(r, m)
            y = Add(p, b)
        }""",
        ["CONV", "FC"],
    ),
    "a matrix by rows after channels that come last": (
        {"w": (2, 3, 1, 1), "m": (5, 32)},
        """g (float[N,3,4,4] x) => (float[N,5] y) {
            c = Conv(x, w)
            t = Transpose<perm = [0, 2, 3, 1]>(c)
            r = Flatten(t)
            y = Gemm<transB = 1>(r, m)
        }""",
        ["CONV", "FC"],
    ),
    "the middle of an image whose channels come last": (
        {},
        """g (float[N,9,9,3] x) => (float[N,7,6,3] y) {
            starts = Constant<value_ints = [0, 1, 1, 0]>()
            ends = Constant<value_ints = [2147483647, 8, -2, 2147483647]>()
            axes = Constant<value_ints = [0, 1, 2, 3]>()
            y = Slice(x, starts, ends, axes)
        }""",
        ["PERMUTE", "CROP", "PERMUTE"],
    ),
    "rows and columns that are repeated": (
        {},
        """g (float[N,3,4,5] x) => (float[N,8,10,3] y) {
            rows = Constant<value_ints = [3]>()
            u = Unsqueeze(x, rows)
            twice = Constant<value_ints = [1, 1, 1, 2, 1]>()
            v = Tile(u, twice)
            t = Transpose<perm = [0, 2, 3, 4, 1]>(v)
            one = Constant<value_ints = [-1, 8, 5, 1, 3]>()
            c = Reshape(t, one)
            d = Tile(c, twice)
            all = Constant<value_ints = [-1, 8, 10, 3]>()
            y = Reshape(d, all)
        }""",
        ["UPSAMPLE", "PERMUTE"],
    ),
    "a batch normalization that is put into two weights": (
        {"s": (3,), "b": (3,)},
        """g (float[N,5,5,3] x) => (float[N,3,5,5] y) {
            ["batch_normalization/batchnorm/mul"] m = Mul(x, s)
            ["batch_normalization/batchnorm/add"] a = Add(m, b)
            y = Transpose<perm = [0, 3, 1, 2]>(a)
        }""",
        ["PERMUTE", "BN"],
    ),
    "a mean over positions whose axes come back": (
        {"w": (2, 3, 1, 1)},
        """g (float[N,5,5,3] x) => (float[N,2,1,1] y) {
            axes = Constant<value_ints = [1, 2]>()
            m = ReduceMean<keepdims = 0>(x, axes)
            shape = Constant<value_ints = [-1, 3, 1, 1]>()
            p = Reshape(m, shape)
            y = Conv(p, w)
        }""",
        ["PERMUTE", "ADAPTIVEPOOL", "CONV"],
    ),
    "an image as a sequence of its positions": (
        {},
        """g (float[N,3,4,4] x) => (float[N,16,3] y) {
            shape = Constant<value_ints = [0, 3, 16]>()
            r = Reshape(x, shape)
            y = Transpose<perm = [0, 2, 1]>(r)
        }""",
        ["RESHAPE"],
    ),
    "a sequence as an image with channels last": (
        {"w": (2, 3, 1, 1)},
        """g (float[N,16,3] x) => (float[N,2,4,4] y) {
            shape = Constant<value_ints = [0, 4, 4, 3]>()
            r = Reshape(x, shape)
            t = Transpose<perm = [0, 3, 1, 2]>(r)
            y = Conv(t, w)
        }""",
        ["RESHAPE", "CONV"],
    ),
    "rows of an image with channels last as a sequence": (
        {},
        """g (float[N,4,5,6] x) => (float[N,5,24] y) {
            t = Transpose<perm = [0, 2, 3, 1]>(x)
            shape = Constant<value_ints = [0, 5, 24]>()
            y = Reshape(t, shape)
        }""",
        ["RESHAPE"],
    ),
    "channels of an image as a sequence": (
        {},
        """g (float[N,4,5,6] x) => (float[N,4,30] y) {
            shape = Constant<value_ints = [0, 4, 30]>()
            y = Reshape(x, shape)
        }""",
        ["RESHAPE", "PERMUTE"],
    ),
    "another order of an image's elements as a sequence": (
        {},
        """g (float[N,4,5,6] x) => (float[N,8,15] y) {
            shape = Constant<value_ints = [0, 8, 15]>()
            y = Reshape(x, shape)
        }""",
        ["PERMUTE", "RESHAPE"],
    ),
    "a sequence as an image in memory's order": (
        {},
        """g (float[N,8,15] x) => (float[N,4,5,6] y) {
            shape = Constant<value_ints = [0, 4, 5, 6]>()
            y = Reshape(x, shape)
        }""",
        ["RESHAPE", "PERMUTE"],
    ),
    "a vector as a pixel with channels last": (
        {},
        """g (float[N,3,4,4] x, float[N,3] z) => (float[N,3,4,4] y) {
            t = Transpose<perm = [0, 2, 3, 1]>(x)
            axes = Constant<value_ints = [1, 2]>()
            u = Unsqueeze(z, axes)
            m = Mul(t, u)
            y = Transpose<perm = [0, 3, 1, 2]>(m)
        }""",
        ["MUL"],
    ),
}
