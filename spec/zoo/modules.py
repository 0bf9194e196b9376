"""Hand-written modules, one a family of ATen ops, for `export.py FOLDER modules`."""
import torch
import torch.nn.functional as F
from torch import nn

N, R = torch.randn, torch.rand
I = lambda high, *shape: torch.randint(0, high, shape)
MODELS = {}


def module(**inputs):
    """Makes a model of a function; `inputs` are made anew after each seed."""
    def register(function):
        class Model(nn.Module):
            def forward(self, *args, **kwargs):
                return function(*args, **kwargs)

        MODELS[function.__name__] = lambda: (Model(), {key: make() for key, make in inputs.items()})
        return function

    return register


@module(x=lambda: N(3, 4, 5), y=lambda: N(3, 5, 6), z=lambda: N(3, 4))
def einsum(x, y, z):
    return (
        torch.einsum("bij,bjk->bik", x, y), torch.einsum("bij->bji", x), torch.einsum("bij,bi->bj", x, z),
        torch.einsum("bij,bij->", x, x), torch.einsum("...ij,...jk", x, y), torch.einsum("bii->bi", x[:, :, :4]),
        torch.einsum("bi,ci->bc", z, z), torch.einsum("bi,bj,bk->bijk", z, z, z), torch.einsum("b...->...", x),
        torch.tensordot(x, y, dims=([0, 2], [0, 1])), torch.outer(z[0], z[1]), torch.kron(z, z[:2]),
    )


@module(x=lambda: N(2, 16), y=lambda: N(2, 8, 8))
def fft(x, y):
    f = torch.fft.rfft(x)
    g = torch.fft.fft2(y)
    return (
        f.abs(), f.angle(), torch.fft.irfft(f, n=16), torch.fft.ifft2(g).real, torch.fft.fftshift(x, dim=1),
        torch.fft.ifftshift(x, dim=-1), torch.view_as_real(torch.fft.rfft2(y, norm="ortho")),
        torch.fft.fftfreq(8), torch.fft.rfftfreq(9, d=0.5), torch.fft.irfft2(torch.fft.rfft2(y)),
        torch.fft.fft(x, n=20).real, torch.fft.hfft(f[:, :5]), (f * torch.conj(f)).real, torch.fft.fftn(y).imag,
    )


@module(x=lambda: N(2, 64))
def stft(x):
    window = torch.hann_window(16)
    s = torch.stft(x, 16, 4, window=window, return_complex=True)
    t = torch.stft(x, 16, hop_length=8, win_length=12, window=torch.hamming_window(12), center=False, normalized=True,
                   onesided=False, return_complex=True)
    return s.abs(), torch.view_as_real(t), torch.istft(s, 16, 4, window=window, length=64), s.abs().pow(2).log1p()


@module(x=lambda: N(4, 5), i=lambda: I(5, 4, 3), v=lambda: N(4, 3))
def scatters(x, i, v):
    y = x.clone()
    y.scatter_(1, i, 2.0)
    z = x.clone()
    z[torch.tensor([0, 2]), torch.tensor([1, 3])] = torch.tensor([7.0, 8.0])
    w = x.clone()
    w[w > 0.5] = 0
    u = x.clone()
    u[[0, 0, 1], :2] += 1
    return (
        y, z, w, u, x.scatter_add(1, i, v), x.scatter_reduce(1, i, v, "amax"), x.scatter_reduce(1, i, v, "mean"),
        x.scatter_reduce(1, i, v, "prod", include_self=False), x.scatter_reduce(1, i, v, "sum", include_self=False),
        x.scatter_reduce(1, i, v, "amin", include_self=False),
        x.index_add(1, i[0], v), x.index_copy(1, torch.tensor([0, 2, 4]), v), x.index_fill(1, torch.tensor([1, 3]), -1.0),
        x.index_put((torch.tensor([0, 0, 3]),), torch.tensor(1.5), accumulate=True),
        x.masked_scatter(x > 0, torch.arange(20.0)), x.gather(1, i), x.take(i), torch.take_along_dim(x, i, 1),
        x.put(torch.tensor([0, 7]), torch.tensor([1.0, 2.0])), x.index_reduce(0, torch.tensor([0, 0, 2]), x[:3], "amax"),
    )


@module(x=lambda: N(2, 3, 8, 9), y=lambda: N(2, 10))
def windows(x, y):
    u = F.unfold(x, (3, 2), padding=1, stride=2, dilation=(1, 2))
    return (
        u, F.fold(F.unfold(x, 2), (8, 9), 2), x.unfold(2, 3, 2), y.unfold(-1, 4, 3).sum(-1), F.pixel_shuffle(x.reshape(2, 12, 6, 3), 2),
        F.pixel_unshuffle(x[..., :8], 2), F.channel_shuffle(x.reshape(2, 6, 4, 9), 3), F.pad(x, (1, 2, 0, 1), mode="reflect"),
        F.pad(x, (1, 2, 3, 0), mode="circular"), F.pad(y[None], (1, 1), mode="replicate"), F.pad(y, (-2, 3), value=4.0),
        F.max_pool2d(x, 3, 2, 1, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
        F.max_pool2d(x, (2, 3), dilation=(2, 1), return_indices=True), F.lp_pool2d(x, 2, 3), F.adaptive_max_pool2d(x, (3, 4)),
        F.adaptive_avg_pool2d(x, (5, None)), F.max_pool1d(y, 3), F.adaptive_avg_pool1d(y, 3), F.local_response_norm(x, 2),
        F.max_unpool2d(*F.max_pool2d(x[..., :8], 2, return_indices=True), 2), F.fractional_max_pool2d(x, 2, output_size=(3, 3), _random_samples=R(2, 3, 2) * 0 + 0.5),
    )


@module(x=lambda: N(3, 6))
def cumulative(x):
    return (
        x.cumsum(1), x.cumprod(0), x.cummax(1), x.cummin(-1), x.logcumsumexp(1), x.diff(), x.diff(n=2, dim=0), x.flip(1).cumsum(1),
        torch.trapezoid(x, dim=1), torch.cumulative_trapezoid(x), x.round().long().cumsum(0), (x > 0).cumsum(1), x.cumsum(1, dtype=torch.float64),
        x.round().int().cumprod(1), x.double().cumsum(0), torch.vander(x[0]),
    )


@module(x=lambda: R(4, 5) * 4, e=lambda: torch.arange(0.0, 5))
def searching(x, e):
    return (
        torch.searchsorted(e[:5], x), torch.searchsorted(e[:5], x, right=True), torch.bucketize(x, e[:5]), torch.bucketize(x, e[:5], right=True),
        torch.searchsorted(x.sort(1).values, x, side="right", out_int32=True), x.sort(0, descending=True), x.argsort(dim=1), x.topk(3, dim=1),
        x.topk(2, dim=0, largest=False), x.kthvalue(2, dim=1), x.median(), x.median(dim=1), x.quantile(0.3, dim=1), x.quantile(torch.tensor([0.1, 0.9])),
        x.nanquantile(0.5), x.mode(dim=1).values, x.msort(), torch.isin(x.round(), torch.tensor([1.0, 2.0])), x.argmax(), x.argmin(1, keepdim=True),
        torch.histc(x, 5, 0, 4), torch.bincount(x.flatten().long(), minlength=6), x.aminmax(dim=1), x.max(1),
    )


@module(a=lambda: N(2, 4, 4), b=lambda: N(2, 4, 3))
def linalg(a, b):
    s = a @ a.mT + 4 * torch.eye(4)
    l = torch.linalg.cholesky(s)
    return (
        torch.linalg.inv(s), torch.linalg.det(a), torch.linalg.slogdet(s), torch.linalg.solve(s, b), l, torch.linalg.solve_triangular(l, b, upper=False),
        torch.linalg.norm(a), torch.linalg.norm(a, dim=(1, 2)), torch.linalg.norm(a, ord=float("inf"), dim=(1, 2)), torch.linalg.vector_norm(b, ord=1, dim=1),
        torch.linalg.matrix_norm(a, ord="fro"), torch.linalg.cross(b[:, :, :3], b[:, :, :3].flip(1)), torch.linalg.matrix_power(a, 3), torch.linalg.matrix_power(s, -2),
        torch.trace(a[0]), torch.diagonal(a, 1, 1, 2), torch.diag_embed(b), torch.tril(a, -1), torch.triu(a, 1), torch.cdist(b, b.flip(0)), torch.cdist(b, b.flip(0), p=1.0),
        torch.linalg.multi_dot([b[0].mT, a[0], b[0]]), torch.baddbmm(b, a, b, beta=0.5, alpha=2), torch.addmm(b[0], a[0], b[0]), torch.chain_matmul(a[0], a[1]),
        torch.cholesky_inverse(l), torch.cholesky_solve(b, l), torch.linalg.vecdot(b, b), F.cosine_similarity(b, b.flip(0), dim=1), F.pdist(b[0]),
        torch.tril_indices(3, 4), torch.block_diag(a[0], b[0]), torch.cov(b[0]), torch.corrcoef(b[0]), torch.renorm(b, 2, 0, 1.0), torch.addr(b[0], a[0, 0], b[0, 0]),
    )


@module(a=lambda: N(3, 4))
def decompositions(a):
    q, r = torch.linalg.qr(a)
    u, s, v = torch.linalg.svd(a, full_matrices=False)
    e, w = torch.linalg.eigh(a @ a.T)
    return q @ r, (u * s) @ v, s, e, (w * e) @ w.T, torch.linalg.pinv(a), torch.linalg.svdvals(a), torch.linalg.eigvalsh(a @ a.T), torch.linalg.matrix_rank(a)


@module(i=lambda: I(20, 3, 4) - 10, j=lambda: I(5, 3, 4) + 1, x=lambda: N(3, 4), m=lambda: N(3, 4) > 0)
def integers(i, j, x, m):
    small = i.to(torch.int8)
    byte = (i + 10).to(torch.uint8)
    return (
        i // j, i % j, i / j, -i, i.abs(), i * 2.5, i + m, i + 1, i & j, i | j, i ^ j, ~i, i << 1, i >> 1, i ** 2, 2 ** j, i.float() ** 0.5,
        torch.fmod(i, j), torch.div(i, j, rounding_mode="trunc"), torch.div(i, j, rounding_mode="floor"), torch.remainder(i, -j), i.sum(), i.prod(1),
        i.float().mean(), i.max(), i.clamp(-3, 4), i.clamp(min=0), torch.maximum(i, j), torch.minimum(i, x), i == j, i != 3, m & (i > 0), m ^ m, ~m,
        m.sum(), m.any(1), m.all(0), m.float(), m.long() * i, small + small, small * 30, byte - 5, byte * 20, small / 2, byte // 3, small + 1.5,
        torch.where(m, i, x), torch.where(m, i, 0), torch.where(m, 1.5, i), i.sign(), torch.gcd(i, j), torch.lcm(i, j), i.bool(), x.long(), x.int() % 3,
        torch.bitwise_left_shift(j, 2), i.sqrt(), i.sigmoid(), i.exp(), torch.atan2(i, j), i.sum(0, dtype=torch.float32), torch.logical_not(i), i.cumsum(0),
        torch.add(i, j, alpha=3), torch.sub(x, i, alpha=2), torch.rsub(i, 3), i.neg().relu(), torch.true_divide(i, 2), torch.floor_divide(x, 0.3), x % 0.7,
        torch.full((2,), 3), torch.full((2,), True), torch.ones_like(m), torch.zeros_like(i, dtype=torch.float32), torch.eye(3, dtype=torch.int64), torch.arange(3, 9, 2), torch.arange(0, 1, 0.3),
        torch.linspace(0, 1, 5), torch.logspace(0, 1, 4), i.float().std(), i.any(), i.count_nonzero(), i.count_nonzero(dim=1), i[m], x[m].sum(), i.amin(1), i.argmax(1),
    )


@module(x=lambda: N(3, 4) * 3)
def pointwise(x):
    p = x.abs() + 0.1
    return (
        x.erf(), x.erfc(), (x / 10).erfinv(), p.lgamma(), p.digamma(), x.sinc(), x.frac(), x.trunc(), x.fix(), x.sgn(), p.log2(), p.log10(), x.log1p(), x.expm1(), x.exp2(), p.rsqrt(), x.square(),
        x.sinh(), x.cosh(), x.asinh(), (p + 1).acosh(), (x / 12).atanh(), (x / 12).asin(), (x / 12).acos(), x.atan(), x.tan(), x.logit(eps=0.1), torch.special.i0(x), torch.special.i1(x), torch.special.i0e(x), torch.special.i1e(x), torch.special.ndtr(x), torch.special.ndtri(x.sigmoid()),
        torch.special.entr(p), torch.special.xlog1py(x, p), torch.special.zeta(p + 1, p), torch.polygamma(1, p), torch.mvlgamma(p + 2, 2), x.heaviside(torch.tensor(0.5)), x.hypot(p), x.copysign(-p), x.nextafter(p), x.ldexp(torch.tensor(2)), x.lerp(p, 0.3), x.lerp(p, x.sigmoid()),
        torch.logaddexp(x, p), torch.logaddexp2(x, p), x.xlogy(p), x.float_power(2), x.pow(3), p.pow(x), 2 ** x, x.nan_to_num(), x.clip(-1, 1), x.rad2deg(), x.deg2rad(), x.round(decimals=1), x.addcmul(x, p, value=0.5), x.addcdiv(x, p, value=-1),
        F.elu(x, 0.5), F.selu(x), F.celu(x, 2.0), F.gelu(x), F.gelu(x, approximate="tanh"), F.silu(x), F.mish(x), F.softplus(x, 2, 3), F.softsign(x), F.hardtanh(x), F.hardswish(x), F.hardsigmoid(x), F.hardshrink(x), F.softshrink(x), F.tanhshrink(x), F.threshold(x, 0.1, 7), F.relu6(x), F.leaky_relu(x), F.logsigmoid(x), F.glu(x), F.prelu(x, torch.tensor([0.3])), F.rrelu(x), F.softmin(x, 1), F.normalize(x),
        x.frexp(), torch.isclose(x, x + 1e-9), x.isfinite(), torch.signbit(x), torch.special.erfcx(x), torch.special.log_ndtr(x), torch.special.bessel_j0(x), torch.special.spherical_bessel_j0(p), torch.special.gammainc(p, p) , torch.special.gammaincc(p, p),
    )


@module(x=lambda: N(2, 3, 6, 7), y=lambda: N(2, 3, 8), g=lambda: R(2, 4, 5, 2) * 2.4 - 1.2, v=lambda: N(2, 2, 3, 4, 5))
def resampling(x, y, g, v):
    up = F.interpolate
    theta = torch.tensor([[0.8, 0.1, 0.2], [-0.1, 1.1, 0.0]]).expand(2, 2, 3)
    return (
        up(x, scale_factor=2), up(x, size=(4, 9)), up(x, size=(9, 5), mode="bilinear"), up(x, scale_factor=1.7, mode="bilinear", align_corners=True),
        up(x, size=(3, 3), mode="bilinear", antialias=True), up(x, scale_factor=2, mode="bicubic"), up(x, size=(4, 4), mode="bicubic", antialias=True), up(x, size=(5, 11), mode="area"), up(x, scale_factor=1.5, mode="nearest-exact"), up(y, size=13, mode="linear"), up(y, scale_factor=0.5, mode="nearest"),
        up(v, size=(4, 5, 6), mode="trilinear"), up(v, scale_factor=2), F.grid_sample(x, g), F.grid_sample(x, g, mode="nearest", padding_mode="border"), F.grid_sample(x, g, mode="bicubic", padding_mode="reflection", align_corners=True), F.grid_sample(x, F.affine_grid(theta, (2, 3, 4, 5)), align_corners=True),
        F.upsample(x, scale_factor=3), x.roll((1, -2), (2, 3)), x.rot90(1, (2, 3)), x.flip((0, 3)), x.fliplr(), x.flipud(), F.grid_sample(v, R(2, 2, 2, 2, 3) * 0 + 0.3),
    )


@module(x=lambda: N(4, 6))
def shapes(x):
    return (
        x.view(2, 2, 6), x.reshape(-1), x.unflatten(1, (2, 3)), x.T, x.mT, x.movedim(0, 1), x.swapaxes(0, 1), x.chunk(4, 1), x.tensor_split(3, 1), x.split([1, 3]), x.hsplit(2), x.vsplit(2), x.unbind(0), torch.stack([x, x], 1), torch.cat([x, x[:1]]), torch.hstack([x, x]), torch.vstack([x, x]), torch.dstack([x, x]), torch.column_stack([x, x]), x.repeat(2, 1), x.repeat_interleave(2, 1), x.repeat_interleave(torch.tensor([1, 2, 0, 1]), 0, output_size=4), x.tile(1, 2), x.expand(2, 4, 6), x.broadcast_to(3, 4, 6), x.squeeze(), x.unsqueeze(-1), x[:, None, ::2], x[..., -1], x[1:3, [0, 2]], x[torch.tensor([True, False, True, False])],
        x.as_strided((2, 3), (1, 2), 1), x.diagonal(1), x.diag(), torch.diagflat(x[0, :2]), x.narrow(1, 1, 3), x.select(0, 2), x.index_select(1, torch.tensor([0, 3])), x.masked_select(x > 0), torch.nonzero(x > 10), torch.meshgrid(x[0], x[1], indexing="ij"), torch.cartesian_prod(x[0, :2], x[1, :2]), torch.combinations(x[0, :3]), torch.atleast_3d(x), x.ravel(), torch.broadcast_tensors(x[:1], x), x.view_as(x), x.new_zeros(2), x.new_full((2,), 3), x.new_ones(1), torch.empty_like(x).fill_(2), x.contiguous(memory_format=torch.contiguous_format), x.select_scatter(x[0], 0, 1), x.slice_scatter(x[:, :2], 1, 2, 4), x.diagonal_scatter(x[0, :4]), torch.tril_indices(3, 3), F.one_hot(torch.tensor([1, 0, 2]), 4), torch.slice_copy(x, 0, 1, 3), x.size(0) * 2, x.numel(), x.stride(0), x.dim(), x.view(torch.int32).shape[0], torch.unravel_index(torch.tensor([5, 7]), (4, 6)), x.sum(),
    )


@module(x=lambda: N(2, 5, 8))
def norms(x):
    w, b = torch.linspace(0.5, 1.5, 8), torch.linspace(-1, 1, 8)
    return (
        F.layer_norm(x, (8,), w, b), F.layer_norm(x, (5, 8)), F.rms_norm(x, (8,), w), F.group_norm(x, 5), F.instance_norm(x), F.batch_norm(x, x[0, :, 0] * 0, x[0, :, 0].abs() + 1), F.normalize(x, p=1, dim=1), x.norm(), x.norm(p=1, dim=1), x.norm(p=float("inf"), dim=2), x.norm(0), x.var(1), x.std(2, correction=0), *torch.var_mean(x, dim=(1, 2)), *torch.std_mean(x), x.mean((0, 2), keepdim=True), x.logsumexp(1), x.softmax(1), x.log_softmax(-1), x.nansum(), x.nanmean(1), x.amax((1, 2)), x.sum((0, 1), keepdim=True), x.prod(), x.dist(x.flip(0)), x.all(), x.any(2), F.local_response_norm(x, 3), F.threshold(x, 0, 0), torch.gradient(x, dim=2)[0],
    )


@module(x=lambda: N(2, 4, 6), i=lambda: I(10, 2, 5), o=lambda: torch.tensor([0, 4]))
def embeddings(x, i, o):
    table = torch.linspace(-1, 1, 40).reshape(10, 4)
    return (
        F.embedding(i, table), F.embedding_bag(i, table), F.embedding_bag(i, table, mode="max"), F.embedding_bag(i.flatten()[:8], table, o, mode="sum"), F.bilinear(x[:, 0], x[:, 1], N(3, 6, 6) * 0 + 0.1), F.conv1d(x, x.new_ones(3, 4, 3), padding="same"), F.conv_transpose1d(x, x.new_ones(4, 3, 3), stride=2, output_padding=1), F.conv1d(x, x.new_ones(4, 2, 3), groups=2, dilation=2), F.conv_transpose2d(x[None], x.new_ones(2, 3, 3, 3), stride=2, padding=1, dilation=2), F.conv_transpose3d(x[None, None], x.new_ones(1, 2, 2, 2, 2)), F.conv2d(x, x.new_ones(3, 2, 2, 2)), F.conv_tbc(x, x.new_ones(2, 6, 3), x.new_zeros(3)),
        F.scaled_dot_product_attention(x, x, x, is_causal=True), F.scaled_dot_product_attention(x, x, x, attn_mask=torch.tensor([True, False, True, True])), F.scaled_dot_product_attention(x[:, None].expand(2, 4, 4, 6), x[:, None], x[:, None], enable_gqa=True, scale=0.5), F.multi_head_attention_forward(x, x, x, 6, 2, torch.ones(18, 6) * 0.1, torch.zeros(18), None, None, False, 0.0, torch.eye(6), torch.zeros(6), training=False)[0],
    )


@module(x=lambda: N(3, 5), t=lambda: I(5, 3), y=lambda: R(3, 5))
def losses(x, t, y):
    s = x.sigmoid()
    return (
        F.cross_entropy(x, t), F.cross_entropy(x, t, label_smoothing=0.1, reduction="none"), F.cross_entropy(x, y, weight=y[0]), F.nll_loss(x.log_softmax(1), t, ignore_index=1), F.mse_loss(x, y), F.l1_loss(x, y, reduction="sum"), F.smooth_l1_loss(x, y), F.huber_loss(x, y, delta=0.5), F.binary_cross_entropy(s, y), F.binary_cross_entropy_with_logits(x, y, pos_weight=y[0]), F.kl_div(x.log_softmax(1), y), F.poisson_nll_loss(x, y), F.hinge_embedding_loss(x, y.sign()), F.cosine_embedding_loss(x, y, torch.tensor([1, -1, 1])), F.margin_ranking_loss(x, y, y.sign()), F.triplet_margin_loss(x, y, x + y), F.multi_margin_loss(x, t), F.multilabel_soft_margin_loss(x, (y > 0.5).float()), F.soft_margin_loss(x, y.sign()), F.multilabel_margin_loss(x, torch.tensor([[1, 0, -1, 2, 3]] * 3)),
    )


@module(x=lambda: N(5, 2, 4))
def recurrent(x):
    torch.manual_seed(1)
    return RECURRENT(x)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 3, num_layers=2, bidirectional=True)
        self.proj = nn.LSTM(4, 3, proj_size=2)
        self.gru = nn.GRU(4, 3, bidirectional=True, bias=False)
        self.rnn = nn.RNN(4, 3, nonlinearity="relu")
        self.cell = nn.LSTMCell(4, 3)
        self.gru_cell = nn.GRUCell(4, 3)
        self.rnn_cell = nn.RNNCell(4, 3)

    def forward(self, x):
        return self.lstm(x), self.proj(x), self.gru(x), self.rnn(x), self.cell(x[0]), self.gru_cell(x[0]), self.rnn_cell(x[0])


MODELS["recurrent"] = lambda: (Recurrent(), {"x": N(5, 2, 4)})


@module(x=lambda: N(3, 4), n=lambda: I(3, 2, 2))
def writes(x, n):
    y = torch.zeros(3, 4)
    y[1] = x[0]
    y[:, 2] += 1
    y[-1, ::2] = torch.tensor([5.0, 6.0])
    y.t()[0].mul_(2)
    z = x.clone()
    z.clamp_(min=0).add_(1, alpha=2).masked_fill_(x > 1, -1)
    w = x.clone()
    w.view(-1)[3:7] = 0
    w.index_add_(0, n[0], x[:2])
    w.index_copy_(1, torch.tensor([0]), x[:, :1])
    w.scatter_add_(1, n.repeat(1, 2), x[:2])
    v = x.clone()
    v[v < 0] *= -1
    v[n[0]] = x[n[1]]
    a, b = v.chunk(2, 1)
    a.copy_(b)
    u = torch.empty(2, 3)
    torch.add(u.zero_(), 1, out=u)
    h = x.to(torch.float16)
    h += 0.1
    k = torch.arange(6).view(2, 3)
    k *= 2
    k[:, 0] = k[:, 1] + 1
    return y, z, w, v, a, u, h.float(), k, torch.addmm(y[:, :3], x, x[:3].T).relu_(), y.fill_diagonal_(9), x.clone().tril_().triu_(-1).exp_().sub_(1).pow_(2).sqrt_()
