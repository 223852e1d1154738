"""Operators in the forms that exporters write, and the layers that they are."""

# A name, the weights' shapes, the graph, and the layers that it is.
ROWS: dict[str, tuple[dict[str, tuple[int, ...]], str, list[str]]] = {
    "a convolution by a dense layer's matrix": (
        {"w": (4, 3)},
        """g (float[N,3,5,5] x) => (float[N,4,5,5] y) {
            axes = Constant<value_ints = [2, 3]>()
            taps = Unsqueeze(w, axes)
            y = Conv<kernel_shape = [1, 1]>(x, taps)
        }""",
        ["LINEAR"],
    ),
    "a matrix that is stored the other way": (
        {"w": (4, 3), "b": (4,)},
        """g (float[N,5,3] x) => (float[N,5,4] y) {
            t = Transpose<perm = [1, 0]>(w)
            p = MatMul(x, t)
            y = Add(p, b)
        }""",
        ["LINEAR"],
    ),
    "a factor per channel, shaped": (
        {"w": (3,)},
        """g (float[N,3,5,5] x) => (float[N,3,5,5] y) {
            shape = Constant<value_ints = [3, 1, 1]>()
            f = Reshape(w, shape)
            y = Mul(x, f)
        }""",
        ["SCALE"],
    ),
    "a learned tensor with a batch of one": (
        {"w": (1, 3)},
        "g (float[N,3] x) => (float[N,3] y) { y = Mul(x, w) }",
        ["PARAM", "MUL"],
    ),
    "a centred layer normalization": (
        {"s": (4,), "b": (4,)},
        """g (float[N,5,4] x) => (float[N,5,4] y) {
            axes = Constant<value_ints = [-1]>()
            m = ReduceMean(x, axes)
            c = Sub(x, m)
            y = LayerNormalization(c, s, b)
        }""",
        ["LN"],
    ),
    "constants that are not those of the paper": (
        {},
        "g (float[N,4] x) => (float[N,4] y) { y = Selu<alpha = 2.0, gamma = 3.0>(x) }",
        ["Selu"],
    ),
    "a threshold": (
        {},
        """g (float[N,4] x) => (float[N,4] y) {
            zero = Constant<value_float = 0.0>()
            r = GreaterOrEqual(x, zero)
            y = Cast<to = 1>(r)
        }""",
        ["STEP"],
    ),
    "a dot product": (
        {},
        """g (float[N,4] a, float[N,4] b) => (float[N,1] y) {
            axes = Constant<value_ints = [1]>()
            p = Mul(a, b)
            y = ReduceSum(p, axes)
        }""",
        ["DOT"],
    ),
    "a reduction that keeps an axis": (
        {},
        """g (float[N,5,4] x) => (float[N,1,4] y) {
            axes = Constant<value_ints = [1]>()
            y = ReduceMax(x, axes)
        }""",
        ["REDUCE"],
    ),
    "a reduction that drops an image's rows": (
        {},
        """g (float[N,4,5,6] x) => (float[N,4,6] y) {
            axes = Constant<value_ints = [2]>()
            y = ReduceMean<keepdims = 0>(x, axes)
        }""",
        ["REDUCE", "PERMUTE"],
    ),
    "a dense layer at every position, by rows": (
        {"w": (3, 4), "b": (4,)},
        """g (float[N,5,3] x) => (float[N,5,4] y) {
            rows = Constant<value_ints = [-1, 3]>()
            r = Reshape(x, rows)
            p = MatMul(r, w)
            back = Constant<value_ints = [-1, 5, 4]>()
            q = Reshape(p, back)
            y = Add(q, b)
        }""",
        ["LINEAR"],
    ),
    "a transposed convolution whose bias is added": (
        {"w": (3, 4, 2, 2), "b": (4, 1, 1)},
        """g (float[N,3,5,5] x) => (float[N,4,10,10] y) {
            c = ConvTranspose<strides = [2, 2]>(x, w)
            y = Add(b, c)
        }""",
        ["UPCONV"],
    ),
    "a layer normalization in two terms": (
        {"s": (1, 1, 4), "b": (1, 1, 4)},
        """g (float[N,5,4] x) => (float[N,5,4] y) {
            axes = Constant<value_ints = [-1]>()
            eps = Constant<value_float = 0.001>()
            m = ReduceMean(x, axes)
            c = Sub(x, m)
            q = Mul(c, c)
            v = ReduceMean(q, axes)
            e = Add(v, eps)
            r = Sqrt(e)
            i = Reciprocal(r)
            f = Mul(i, s)
            n = Neg(m)
            g1 = Mul(x, f)
            g2 = Mul(n, f)
            h = Add(g2, b)
            y = Add(g1, h)
        }""",
        ["LN"],
    ),
    "a layer normalization of an image in pieces": (
        {"s": (3, 1, 1), "b": (3, 1, 1)},
        """g (float[N,3,5,5] x) => (float[N,3,5,5] y) {
            axes = Constant<value_ints = [1]>()
            eps = Constant<value_float = 0.000001>()
            m = ReduceMean(x, axes)
            c = Sub(x, m)
            q = Mul(c, c)
            v = ReduceMean(q, axes)
            e = Add(v, eps)
            r = Sqrt(e)
            d = Div(c, r)
            z = Mul(s, d)
            y = Add(z, b)
        }""",
        ["LN"],
    ),
    "a root mean square whose weight comes first": (
        {"s": (4,)},
        """g (float[N,5,4] x) => (float[N,5,4] y) {
            axes = Constant<value_ints = [-1]>()
            eps = Constant<value_float = 0.001>()
            q = Mul(x, x)
            v = ReduceMean(q, axes)
            e = Add(v, eps)
            r = Sqrt(e)
            i = Reciprocal(r)
            f = Mul(i, s)
            y = Mul(x, f)
        }""",
        ["RMSNORM"],
    ),
    "a layer normalization without a bias": (
        {"s": (4,)},
        "g (float[N,5,4] x) => (float[N,5,4] y) { y = LayerNormalization(x, s) }",
        ["LN"],
    ),
    "groups without weights": (
        {},
        """g (float[N,4,5,5] x) => (float[N,4,5,5] y) {
            groups = Constant<value_ints = [0, 2, -1]>()
            r = Reshape(x, groups)
            ones = Constant<value_floats = [1.0, 1.0]>()
            zeros = Constant<value_floats = [0.0, 0.0]>()
            n = InstanceNormalization(r, ones, zeros)
            all = Shape(x)
            y = Reshape(n, all)
        }""",
        ["GN"],
    ),
    "channels that are normalized by their neighbours": (
        {},
        """g (float[N,4,5,5] x) => (float[N,4,5,5] y) {
            q = Mul(x, x)
            depth = Constant<value_ints = [0, 1, 4, 5, 5]>()
            r = Reshape(q, depth)
            pads = Constant<value_ints = [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]>()
            p = Pad(r, pads)
            m = AveragePool<kernel_shape = [3, 1, 1], strides = [1, 1, 1]>(p)
            flat = Constant<value_ints = [0, 4, 5, 5]>()
            s = Reshape(m, flat)
            alpha = Constant<value_float = 0.5>()
            a = Mul(s, alpha)
            k = Constant<value_float = 2.0>()
            b = Add(a, k)
            beta = Constant<value_float = 0.75>()
            d = Pow(b, beta)
            y = Div(x, d)
        }""",
        ["LRN"],
    ),
    "ONNX's own normalization by neighbours": (
        {},
        "g (float[N,6,5,5] x) => (float[N,6,5,5] y) { y = LRN<size = 3, alpha = 0.5>(x) }",
        ["LRN"],
    ),
    "data that are standardized": (
        {},
        """g (float[N,3,5,5] x) => (float[N,3,5,5] y)
        <float[3,1,1] mean = {0.5, 0.25, 0.125}, float[1,3,1,1] std = {2.0, 4.0, 0.5}> {
            c = Sub(x, mean)
            y = Div(c, std)
        }""",
        ["NORMALIZE"],
    ),
    "pixels as fractions": (
        {},
        """g (float[N,3,5,5] x) => (float[N,3,5,5] y) {
            f = Constant<value_float = 0.00392156886>()
            zero = Constant<value_float = 0.0>()
            m = Mul(x, f)
            y = Add(m, zero)
        }""",
        ["NORMALIZE"],
    ),
    "a size that is computed": (
        {},
        """g (float[N,3,4,4] x) => (float[N,3,8,8] y) {
            all = Shape(x)
            zero = Constant<value_ints = [0]>()
            two = Constant<value_ints = [2]>()
            first = Slice(all, zero, two)
            size = Constant<value_ints = [8, 8]>()
            whole = Concat<axis = 0>(first, size)
            y = Resize<mode = "nearest", coordinate_transformation_mode = "asymmetric",
                       nearest_mode = "floor">(x, , , whole)
        }""",
        ["UPSAMPLE"],
    ),
    "an image that is stretched by factors between its corners": (
        {},
        """g (float[N,3,4,4] x) => (float[N,3,6,8] y) {
            factors = Constant<value_floats = [1.0, 1.0, 1.5, 2.0]>()
            y = Resize<mode = "linear", coordinate_transformation_mode = "align_corners">
                (x, , factors)
        }""",
        ["RESIZE"],
    ),
    "an image whose last two axes grow by a half": (
        {},
        """g (float[N,3,4,4] x) => (float[N,3,6,6] y) {
            factors = Constant<value_floats = [1.5, 1.5]>()
            y = Resize<mode = "nearest", coordinate_transformation_mode = "asymmetric",
                       nearest_mode = "floor", axes = [2, 3]>(x, , factors)
        }""",
        ["RESIZE"],
    ),
    "an image whose pixels are rounded as no layer rounds them": (
        {},
        """g (float[N,3,4,4] x) => (float[N,3,6,6] y) {
            factors = Constant<value_floats = [1.0, 1.0, 1.5, 1.5]>()
            y = Resize<mode = "nearest", coordinate_transformation_mode = "half_pixel",
                       nearest_mode = "ceil">(x, , factors)
        }""",
        ["Resize"],
    ),
    "the middle of an image": (
        {},
        """g (float[N,3,9,9] x) => (float[N,3,7,6] y) {
            starts = Constant<value_ints = [1, 1]>()
            ends = Constant<value_ints = [8, -2]>()
            axes = Constant<value_ints = [2, 3]>()
            y = Slice(x, starts, ends, axes)
        }""",
        ["CROP"],
    ),
    "a mean over windows": (
        {},
        """g (float[N,3,9,9] x) => (float[N,3,9,9] y) {
            y = AveragePool<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(x)
        }""",
        ["POOL"],
    ),
    "a hard swish in pieces": (
        {},
        """g (float[N,4] x) => (float[N,4] y) {
            three = Constant<value_float = 3.0>()
            least = Constant<value_float = 0.0>()
            most = Constant<value_float = 6.0>()
            s = Add(x, three)
            c = Clip(s, least, most)
            p = Mul(x, c)
            y = Div(p, most)
        }""",
        ["HARDSWISH"],
    ),
    "a soft sign in pieces": (
        {},
        """g (float[N,4] x) => (float[N,4] y) {
            one = Constant<value_float = 1.0>()
            a = Abs(x)
            d = Add(a, one)
            y = Div(x, d)
        }""",
        ["SOFTSIGN"],
    ),
    "the first rows of a table of positions": (
        {"table": (7, 4)},
        """g (float[N,5,4] x) => (float[N,5,4] y) {
            rows = Constant<value_ints = [0, 1, 2, 3, 4]>()
            p = Gather(table, rows)
            y = Add(x, p)
        }""",
        ["POSEMBED"],
    ),
    "rows before a sequence": (
        {},
        """g (float[N,5,4] x) => (float[N,7,4] y) {
            pads = Constant<value_ints = [0, 2, 0, 0, 0, 0]>()
            y = Pad(x, pads)
        }""",
        ["PAD"],
    ),
    "a border around an image": (
        {},
        """g (float[N,3,4,4] x) => (float[N,3,6,7] y) {
            pads = Constant<value_ints = [0, 0, 1, 1, 0, 0, 1, 2]>()
            y = Pad<mode = "reflect">(x, pads)
        }""",
        ["PAD"],
    ),
    "factors with a name that says nothing": (
        {"val_3": (1, 3, 1, 1)},
        "g (float[N,3,9,9] x) => (float[N,3,9,9] y) { y = Mul(x, val_3) }",
        ["PARAM", "MUL"],
    ),
    "a pool that is undone": (
        {},
        """g (float[N,3,8,8] x) => (float[N,3,8,8] y) {
            p, i = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x)
            y = MaxUnpool<kernel_shape = [2, 2], strides = [2, 2]>(p, i)
        }""",
        ["POOL", "UNPOOL"],
    ),
}
