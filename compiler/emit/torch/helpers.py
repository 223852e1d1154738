"""Functions and classes that files define themselves where they are used: PyTorch has none."""

from collections.abc import Mapping

DROP_PATH = '''\
class DropPath(nn.Module):
    """Drops whole samples in training: stochastic depth (Huang et al. 2016)."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        ones = x.new_ones(x.shape[:1] + (1,) * (x.dim() - 1))
        return x * F.dropout(ones, self.rate, self.training)
'''

STOCHASTIC_POOL = '''\
class StochasticPool(nn.Module):
    """An element of each window, drawn by magnitude (Zeiler and Fergus 2013).

    In `eval` mode it is the mean weighted by these probabilities.
    """

    def __init__(self, kernel_size, stride, padding):
        super().__init__()
        self.windows = list(enumerate(zip(kernel_size, stride), 2))
        self.padding = padding

    def forward(self, x):
        x = F.pad(x, self.padding)
        for axis, (size, step) in self.windows:
            x = x.unfold(axis, size, step)
        x = x.flatten(-len(self.windows))
        if not self.training:
            total = x.sum(-1)
            return x.square().sum(-1) / torch.where(total == 0, 1.0, total)
        shares = x.detach().abs().flatten(0, -2)
        shares = torch.where(shares.sum(-1, keepdim=True) == 0, 1.0, shares)
        drawn = torch.multinomial(shares, 1).reshape(*x.shape[:-1], 1)
        return x.gather(-1, drawn).squeeze(-1)
'''

ADD_NOISE = '''\
def add_noise(x, deviation, training, uniform=False):
    """Normal noise on x in training, or uniform noise from -deviation to deviation."""
    if not training:
        return x
    drawn = 2 * torch.rand_like(x) - 1 if uniform else torch.randn_like(x)
    return x + deviation * drawn
'''

REVERSED = '''\
class Reversed(nn.Module):
    """A recurrent layer whose weights are those of the direction from the end alone."""

    def __init__(self, layer):
        super().__init__()
        self.layers = [layer]  # a list, so that its weights have the names below
        self.hidden_size = layer.hidden_size
        for name, weight in layer.named_parameters():
            self.register_parameter(f"{name}_reverse", weight)

    def forward(self, x, states=None):
        layer = self.layers[0].train(self.training)
        layer.flatten_parameters()
        return layer(x, states)
'''

RECUR = '''\
def recur(layer, x, states=(), mask=None, backward=False):
    """The sequence of a recurrent layer, and its last states (N, layers H).

    A mask (N, L) is 0 behind a sample's end. `backward` runs from the end of each sample.
    """
    ones = torch.ones(x.shape[:2], device=x.device)
    lengths = (ones if mask is None else mask != 0).sum(1).long()
    places = torch.arange(x.shape[1], device=x.device)
    turned = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
    if backward:
        x = x.gather(1, turned[..., None].expand_as(x))
    states = [s.unflatten(1, (-1, layer.hidden_size)).transpose(0, 1).contiguous() for s in states]
    first = None if not states else tuple(states) if len(states) > 1 else states[0]
    if mask is None:
        y, last = layer(x, first)
    else:
        held = lengths.clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(x, held, True, enforce_sorted=False)
        y, last = layer(packed, first)
        y = nn.utils.rnn.pad_packed_sequence(y, True, total_length=x.shape[1])[0]
    last = last if isinstance(last, tuple) else (last,)
    if mask is not None:
        some = lengths > 0
        y = y * some[:, None, None]
        before = states or [torch.zeros_like(s) for s in last]
        last = [torch.where(some[:, None], s, f) for s, f in zip(last, before)]
    if backward:
        y = y.gather(1, turned[..., None].expand_as(y))
    return y, *(s.transpose(0, 1).flatten(1) for s in last)
'''

RECURRENT = '''\
def recurrent(kind, x, w, r, b=None, h=None, c=None, direction="forward", layout=0):
    """ONNX's LSTM, GRU or RNN: y (L, directions, N, H) and the last states (directions, N, H)."""
    order, run = {
        "LSTM": ((0, 2, 3, 1), torch.lstm),
        "GRU": ((1, 0, 2), torch.gru),
        "RNN": ((0,), torch.rnn_tanh),
    }[kind]
    parts = [w, r, *([] if b is None else b.chunk(2, 1))]
    parts = [torch.cat([p.chunk(len(order), 1)[gate] for gate in order], 1) for p in parts]
    weights = [part[place] for place in range(len(w)) for part in parts]
    states = [h, c][: 1 + (kind == "LSTM")]
    if layout:
        x, *states = (t if t is None else t.transpose(0, 1) for t in (x, *states))
    zeros = x.new_zeros(len(w), x.shape[1], r.shape[2])
    states = [zeros if s is None else s for s in states]
    x = x.flip(0) if direction == "reverse" else x
    first = tuple(states) if kind == "LSTM" else states[0]
    y, *last = run(x, first, weights, b is not None, 1, 0.0, False, len(w) == 2, False)
    y = y.flip(0) if direction == "reverse" else y
    y = y.unflatten(2, (len(w), -1))
    if layout:
        return y.transpose(0, 1), *(s.transpose(0, 1) for s in last)
    return y.transpose(1, 2), *last
'''

ONE_HOT = '''\
def one_hot(x, depth, values, axis=-1):
    """values[1] at the places x of an axis that is inserted, and values[0] elsewhere."""
    x = x.unsqueeze(-1)
    places = torch.arange(depth, device=x.device)
    hot = (x == places) | (x + depth == places)
    return torch.where(hot, values[1], values[0]).movedim(-1, axis)
'''

TO_WINDOWS = '''\
def to_windows(x, size, shift):
    """(N, C, H, W) as windows (N windows, positions, C), padded and rolled by `shift`."""
    axes = range(2, x.dim())
    x = F.pad(x, [n for i in reversed(axes) for n in (0, -x.shape[i] % size[i - 2])])
    x = torch.roll(x, [-step for step in shift], tuple(axes))
    for axis in axes:
        x = x.unfold(axis, size[axis - 2], size[axis - 2])
    x = x.movedim(1, -1)
    return x.reshape(-1, math.prod(size), x.shape[-1])
'''

FROM_WINDOWS = '''\
def from_windows(x, extents, size, shift):
    """What `to_windows` makes of an image of `extents` (H, W), as the image."""
    counts = [-(-extent // window) for extent, window in zip(extents, size)]
    x = x.reshape(-1, *counts, *size, x.shape[-1]).movedim(-1, 1)
    rank = len(size)
    x = x.permute(0, 1, *(i + j for i in range(2, 2 + rank) for j in (0, rank)))
    x = x.reshape(*x.shape[:2], *(n * m for n, m in zip(counts, size)))
    x = torch.roll(x, tuple(shift), tuple(range(2, 2 + rank)))
    return x[(..., *(slice(extent) for extent in extents))]
'''

RELATIVE_ATTENTION = '''\
class RelativeAttention(nn.Module):
    """Attention with a learned bias per relative position (Liu et al. 2021).

    The positions are those of windows of `size`. Within the windows of an image of `extents`
    that is rolled by `shift`, only positions that were neighbours before attend to each other.
    """

    def __init__(self, features, heads, size, extents, shift, dropout=0.0, bias=True):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        count = math.prod(2 * extent - 1 for extent in size)
        self.in_proj_weight = nn.Parameter(torch.empty(3 * features, features))
        nn.init.xavier_uniform_(self.in_proj_weight)
        zeros = nn.Parameter(torch.zeros(3 * features)) if bias else None
        self.register_parameter("in_proj_bias", zeros)
        self.out_proj = nn.Linear(features, features, bias=bias)
        table = nn.Parameter(torch.randn(count, heads) * 0.02)
        self.relative_position_bias_table = table
        places = torch.zeros(1, 1, dtype=torch.int64)
        for extent in size:
            place = torch.arange(extent)
            steps = place[:, None] - place + extent - 1
            places = (2 * extent - 1) * places[:, None, :, None] + steps[:, None]
            places = places.flatten(2).flatten(0, 1)
        self.register_buffer("places", places, persistent=False)
        regions = torch.zeros(())
        for extent, window, step in zip(extents, size, shift):
            place = torch.arange(-(-extent // window) * window)
            end = len(place) if step else 2 * len(place)
            region = (place >= end - window).int() + (place >= end - step)
            regions = 3 * regions[..., None] + region
        for axis, window in enumerate(size):
            regions = regions.unfold(axis, window, window)
        regions = regions.reshape(-1, 1, len(places))
        apart = (regions != regions.transpose(1, 2)) * -100.0
        self.register_buffer("apart", apart, persistent=False)

    def forward(self, x):
        x = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = x.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        bias = self.relative_position_bias_table[self.places].permute(2, 0, 1)
        bias = (bias + self.apart[:, None]).repeat(len(x) // len(self.apart), 1, 1, 1)
        dropout = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(q, k, v, bias, dropout)
        return self.out_proj(x.transpose(1, 2).flatten(2))
'''

# By what calls them.
FOCAL_LOSS = '''\
def focal_loss(y, t, gamma, alpha):
    """Binary cross-entropy of logits where they miss (Lin et al. 2017)."""
    p = y.sigmoid()
    loss = F.binary_cross_entropy_with_logits(y, t, reduction="none")
    loss = loss * (p + t - 2 * p * t) ** gamma
    if alpha is not None:
        loss = loss * (alpha * t + (1 - alpha) * (1 - t))
    return loss.mean()
'''

DICE_LOSS = '''\
def dice_loss(y, t, axis, smooth):
    """1 - the Dice coefficient of probabilities and masks, or indices of classes."""
    if not t.is_floating_point():
        t = F.one_hot(t, y.shape[axis]).movedim(-1, axis).to(y.dtype)
    axes = [i for i in range(1, y.dim()) if i != axis]
    shared, sizes = y * t, y + t
    if axes:
        shared, sizes = shared.sum(axes), sizes.sum(axes)
    return 1 - ((2 * shared + smooth) / (sizes + smooth)).mean()
'''

BALANCED_WEIGHTS = '''\
def balanced_weights(targets, classes, ignored):
    """n / (k c) for a class with c of n positions, k classes having some (scikit-learn)."""
    t = torch.cat([t.flatten() for t in targets])
    counts = torch.bincount(t[t != ignored], minlength=classes)
    weights = counts.sum() / ((counts > 0).sum() * counts.clamp(min=1))
    return weights.where(counts > 0, torch.ones(()))
'''

BALANCED_POS_WEIGHT = '''\
def balanced_pos_weight(targets, channels, axis):
    """How many noes there are for each yes, for each channel; 1 where there are not both."""
    t = torch.cat(list(targets)).float()
    t = t.movedim(axis, -1).reshape(-1, channels) if channels > 1 else t.reshape(-1, 1)
    yes, no = t.nansum(0), (1 - t).nansum(0)
    return (no / yes).where((yes > 0) & (no > 0), torch.ones(()))
'''

HELPERS: Mapping[str, str] = {
    "recurrent": RECURRENT,
    "one_hot": ONE_HOT,
    "to_windows": TO_WINDOWS,
    "from_windows": FROM_WINDOWS,
    "add_noise": ADD_NOISE,
    "Reversed": REVERSED,
    "recur": RECUR,
    "DropPath": DROP_PATH,
    "StochasticPool": STOCHASTIC_POOL,
    "RelativeAttention": RELATIVE_ATTENTION,
    "focal_loss": FOCAL_LOSS,
    "dice_loss": DICE_LOSS,
    "balanced_weights": BALANCED_WEIGHTS,
    "balanced_pos_weight": BALANCED_POS_WEIGHT,
}
