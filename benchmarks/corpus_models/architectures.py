"""Networks in PyTorch, each with the widths of its ReLUs and with inputs to trace it on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corpus_models import Truth
from corpus_models.network import Lambda, Network, architecture

IMAGE = (2, 3, 12, 12)


def conv(before: int, after: int, size: int = 3, **options: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, size, padding=size // 2, **options)


def head(width: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 5))


@architecture
def mlp() -> Network:
    net = nn.Sequential(
        nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 20), nn.ReLU(), nn.Linear(20, 5)
    )
    return Network(net, Truth((24, 20)), (torch.randn(2, 12),))


@architecture
def cnn() -> Network:
    net = nn.Sequential(
        conv(3, 8), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        conv(8, 14), nn.ReLU(), nn.Flatten(), nn.Linear(14 * 36, 18), nn.ReLU(), nn.Linear(18, 5),
    )  # fmt: skip
    return Network(net, Truth((8, 14, 18)), (torch.randn(IMAGE),))


@architecture
def residual() -> Network:
    def block(width: int) -> nn.Module:
        inner = nn.Sequential(conv(width, width), nn.BatchNorm2d(width), nn.ReLU(),
                              conv(width, width), nn.BatchNorm2d(width))  # fmt: skip
        return Lambda(lambda self, x: F.relu(x + self.inner(x)), inner=inner)

    net = nn.Sequential(conv(3, 8), nn.ReLU(), block(8), block(8), head(8))
    return Network(net, Truth((8,) * 5), (torch.randn(IMAGE),))


@architecture
def dense() -> Network:
    def grow(before: int) -> nn.Module:
        inner = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(), conv(before, 6))
        return Lambda(lambda self, x: torch.cat([x, self.inner(x)], 1), inner=inner)

    net = nn.Sequential(conv(3, 7), grow(7), grow(13), grow(19), head(25))
    return Network(net, Truth((7, 13, 19)), (torch.randn(IMAGE),))


@architecture
def mobile() -> Network:
    """Depthwise blocks with ReLU6, then one with a hand-written HardSwish and nn.Hardswish."""
    swish = Lambda(lambda self, x: x * F.relu6(x + 3) / 6)
    net = nn.Sequential(
        conv(3, 8), nn.ReLU6(), conv(8, 8, groups=8), nn.ReLU6(), conv(8, 14, 1),
        swish, conv(14, 14, groups=14), nn.Hardswish(), conv(14, 10, 1), nn.ReLU6(), head(10),
    )  # fmt: skip
    return Network(net, Truth((8, 8, 10), lookalikes=2), (torch.randn(IMAGE),))


@architecture
def squeeze_excite() -> Network:
    def excite(width: int, gate: nn.Module) -> nn.Module:
        inner = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), conv(width, 4, 1), nn.ReLU(), conv(4, width, 1), gate
        )
        return Lambda(lambda self, x: x * self.inner(x), inner=inner)

    by_hand = Lambda(lambda self, x: F.relu6(x + 3.0) * (1 / 6))
    net = nn.Sequential(
        conv(3, 8), nn.ReLU(), excite(8, nn.Sigmoid()), conv(8, 9), nn.ReLU(),
        excite(9, nn.Hardsigmoid()), excite(9, by_hand), head(9),
    )  # fmt: skip
    return Network(net, Truth((8, 9, 4, 4, 4), lookalikes=1), (torch.randn(IMAGE),))


@architecture
def transformer() -> Network:
    layer = nn.TransformerEncoderLayer(16, 2, 40, batch_first=True, dropout=0.0)
    net = Lambda(
        lambda self, x: self.out(self.body(x).mean(1)),
        body=nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), out=nn.Linear(16, 5),
    )  # fmt: skip
    return Network(net, Truth((40, 40)), (torch.randn(2, 7, 16),))


@architecture
def sequence_first() -> Network:
    """A transformer on (steps, samples, features): axis 0 is no batch."""
    layer = nn.TransformerEncoderLayer(16, 2, 40, batch_first=False, dropout=0.0)
    net = Lambda(
        lambda self, x: self.out(self.body(x).mean(0)),
        body=nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), out=nn.Linear(16, 5),
    )  # fmt: skip
    return Network(net, Truth((40,), samples=False), (torch.randn(7, 2, 16),), batch=1)


@architecture
def lstm() -> Network:
    net = Lambda(
        lambda self, x: self.out(F.relu(self.mid(self.body(x)[0][:, -1]))),
        body=nn.LSTM(6, 10, batch_first=True), mid=nn.Linear(10, 14), out=nn.Linear(14, 5),
    )  # fmt: skip
    return Network(net, Truth((14,)), (torch.randn(2, 7, 6),))


@architecture
def gru() -> Network:
    net = Lambda(
        lambda self, x: self.out(F.relu(self.body(x)[0]).mean(1)),
        body=nn.GRU(6, 10, batch_first=True, bidirectional=True), out=nn.Linear(20, 5),
    )  # fmt: skip
    return Network(net, Truth((20,)), (torch.randn(2, 7, 6),))


@architecture
def recurrent_relu() -> Network:
    """A recurrent network on (steps, samples, features) whose states are ReLUs."""
    net = Lambda(
        lambda self, x: self.out(self.body(x)[0][-1]),
        body=nn.RNN(6, 10, nonlinearity="relu"), out=nn.Linear(10, 5),
    )  # fmt: skip
    return Network(net, Truth((10,), samples=False), (torch.randn(7, 2, 6),), batch=1)


@architecture
def convolution_1d() -> Network:
    net = nn.Sequential(
        nn.Conv1d(2, 8, 5), nn.ReLU(), nn.Conv1d(8, 14, 3, stride=2), nn.BatchNorm1d(14), nn.ReLU(),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(14, 5),
    )  # fmt: skip
    return Network(net, Truth((8, 14)), (torch.randn(2, 2, 40),))


@architecture
def convolution_3d() -> Network:
    net = nn.Sequential(
        nn.Conv3d(2, 6, 3), nn.ReLU(), nn.MaxPool3d(2), nn.Flatten(), nn.Linear(6 * 27, 5)
    )
    return Network(net, Truth((6,)), (torch.randn(2, 2, 8, 8, 8),))


@architecture
def u_net() -> Network:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        wide = F.relu(self.one(x))
        deep = F.relu(self.two(F.max_pool2d(wide, 2)))
        up = F.interpolate(deep, scale_factor=2.0)
        again = F.relu(self.up(deep))
        return self.out(F.relu(self.three(torch.cat([wide, up, again], 1))))

    net = Lambda(forward, one=conv(3, 8), two=conv(8, 14), up=nn.ConvTranspose2d(14, 9, 2, 2),
                 three=conv(31, 10), out=conv(10, 2, 1))  # fmt: skip
    return Network(net, Truth((8, 14, 9, 10)), (torch.randn(IMAGE),))


@architecture
def deep_sets() -> Network:
    net = Lambda(
        lambda self, x: self.out(F.relu(self.two(F.relu(self.one(x)).sum(1)))),
        one=nn.Linear(4, 10), two=nn.Linear(10, 14), out=nn.Linear(14, 5),
    )  # fmt: skip
    return Network(net, Truth((10, 14)), (torch.randn(2, 6, 4),))


@architecture
def set_attention() -> Network:
    """Attention among the rows of the input: every row depends on all others."""

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        h = F.relu(self.one(x))
        weights = torch.softmax(h @ h.transpose(0, 1) / 4, -1)
        return self.out(F.relu(self.two(weights @ h)))

    net = Lambda(forward, one=nn.Linear(6, 10), two=nn.Linear(10, 14), out=nn.Linear(14, 5))
    return Network(net, Truth((10, 14), samples=False), (torch.randn(5, 6),))


@architecture
def two_inputs_two_outputs() -> Network:
    def forward(self: nn.Module, image: Tensor, facts: Tensor) -> tuple[Tensor, Tensor]:
        seen = F.relu(self.conv(image)).mean((2, 3))
        known = F.relu(self.facts(facts))
        both = F.relu(self.both(torch.cat([seen, known], 1)))
        return self.classes(both), self.value(known)

    net = Lambda(forward, conv=conv(3, 8), facts=nn.Linear(6, 10), both=nn.Linear(18, 14),
                 classes=nn.Linear(14, 5), value=nn.Linear(10, 1))  # fmt: skip
    return Network(net, Truth((8, 10, 14)), (torch.randn(IMAGE), torch.randn(2, 6)), outputs=2)


@architecture
def features_as_output() -> Network:
    def forward(self: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.relu(self.one(x))
        return self.out(h), h

    net = Lambda(forward, one=nn.Linear(6, 10), out=nn.Linear(10, 5))
    return Network(net, Truth((10,)), (torch.randn(2, 6),), outputs=2)


@architecture
def shuffle() -> Network:
    """Channel shuffle: the features lie on two axes for a while."""

    def mix(self: nn.Module, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)

    net = nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 10, groups=2), Lambda(mix), nn.ReLU(),
                        conv(10, 10, groups=10), nn.BatchNorm2d(10), nn.ReLU(),
                        head(10))  # fmt: skip
    return Network(net, Truth((8, 10, 10)), (torch.randn(IMAGE),))


@architecture
def branches() -> Network:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        paths = [F.relu(self.a(x)), F.relu(self.c(F.relu(self.b(x)))), F.max_pool2d(x, 3, 1, 1)]
        return self.out(torch.cat(paths, 1))

    net = Lambda(forward, a=conv(3, 8, 1), b=conv(3, 6, 1), c=conv(6, 10), out=head(21))
    return Network(net, Truth((8, 6, 10)), (torch.randn(IMAGE),))


@architecture
def mixer() -> Network:
    """Layers across tokens, with features last, then layers across features."""

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        x = x + self.b(F.relu(self.a(x.transpose(1, 2)))).transpose(1, 2)
        x = x + self.d(F.relu(self.c(self.norm(x))))
        return self.out(x.mean(1))

    net = Lambda(forward, a=nn.Linear(7, 11), b=nn.Linear(11, 7), c=nn.Linear(16, 20),
                 d=nn.Linear(20, 16), norm=nn.LayerNorm(16), out=nn.Linear(16, 5))  # fmt: skip
    return Network(net, Truth((11, 20)), (torch.randn(2, 7, 16),))


@architecture
def graph_convolution() -> Network:
    def forward(self: nn.Module, x: Tensor, edges: Tensor) -> Tensor:
        h = F.relu(edges @ self.one(x))
        return self.out(F.relu(self.two(edges @ h)).mean(1))

    net = Lambda(forward, one=nn.Linear(6, 10), two=nn.Linear(10, 14), out=nn.Linear(14, 5))
    return Network(net, Truth((10, 14)), (torch.randn(2, 7, 6), torch.rand(2, 7, 7)))


@architecture
def siamese() -> Network:
    """One tower used twice, so its ReLU stands in the graph twice."""

    def forward(self: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return self.out(torch.abs(F.relu(self.one(x)) - F.relu(self.one(y))))

    net = Lambda(forward, one=nn.Linear(6, 10), out=nn.Linear(10, 1))
    return Network(net, Truth((10, 10)), (torch.randn(2, 6), torch.randn(2, 6)))


@architecture
def embedding() -> Network:
    net = Lambda(
        lambda self, x: self.out(F.relu(self.one(self.words(x).mean(1)))),
        words=nn.Embedding(30, 8), one=nn.Linear(8, 14), out=nn.Linear(14, 5),
    )  # fmt: skip
    return Network(net, Truth((14,)), (torch.randint(0, 30, (2, 9)),))


@architecture
def highway() -> Network:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(x))
        return self.out(gate * F.relu(self.one(x)) + (1 - gate) * x)

    net = Lambda(forward, one=nn.Linear(8, 8), gate=nn.Linear(8, 8), out=nn.Linear(8, 5))
    return Network(net, Truth((8,)), (torch.randn(2, 8),))


@architecture
def spellings() -> Network:
    """Every way in which PyTorch can write a ReLU."""

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        x = self.a(self.a(x).clamp(min=0))
        x = self.a(torch.where(x > 0, x, torch.zeros_like(x)))
        x = self.a(torch.maximum(x, torch.zeros(())))
        x = self.a(F.threshold(x, 0.0, 0.0))
        x = self.a(F.leaky_relu(x, 0.0))
        x = self.a(F.hardtanh(x, 0.0, 6.0))
        x = self.a(x * (x > 0))
        return self.a(F.relu6(x))

    return Network(Lambda(forward, a=nn.Linear(8, 8)), Truth((8,) * 8), (torch.randn(2, 8),))


@architecture
def flat_prelu() -> Network:
    prelu = nn.PReLU(8, init=0.0)
    net = nn.Sequential(conv(3, 8), prelu, head(8))
    return Network(net, Truth((8,)), (torch.randn(IMAGE),))


@architecture
def guards() -> Network:
    """Clamps that only protect a logarithm, a root, a quotient."""

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        h = F.relu(self.one(x))
        root = torch.sqrt(self.two(h).clamp(min=0.0))
        log = torch.log(self.two(h).clamp(min=0.0) + 1e-3)
        norm = h / (self.one(x).clamp(min=0.0) + 1e-6)
        return self.out(torch.cat([root, log, norm], 1))

    net = Lambda(forward, one=nn.Linear(6, 10), two=nn.Linear(10, 14), out=nn.Linear(38, 5))
    return Network(net, Truth((10,), lookalikes=3), (torch.randn(2, 6),))


@architecture
def smooth() -> Network:
    """No ReLU at all."""
    net = nn.Sequential(conv(3, 8), nn.GELU(), conv(8, 8), nn.SiLU(), conv(8, 8), nn.ELU(),
                        conv(8, 8), nn.Mish(), conv(8, 8), nn.LeakyReLU(0.1), conv(8, 8),
                        nn.Hardswish(), conv(8, 8), nn.PReLU(), head(8))  # fmt: skip
    return Network(net, Truth(()), (torch.randn(IMAGE),))


@architecture
def norms() -> Network:
    net = nn.Sequential(
        conv(3, 8), nn.GroupNorm(2, 8), nn.ReLU(), conv(8, 10),
        nn.InstanceNorm2d(10, affine=True), nn.ReLU(), nn.Flatten(2), nn.LayerNorm(144), nn.ReLU(),
        nn.Flatten(), nn.LazyLinear(5),
    )  # fmt: skip
    net(torch.randn(IMAGE))
    return Network(net, Truth((8, 10, 144)), (torch.randn(IMAGE),))


@architecture
def channels_last() -> Network:
    """Activations on (samples, rows, columns, features)."""

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        h = F.relu(self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return self.out(F.relu(self.mid(h)).mean((1, 2)))

    net = Lambda(forward, conv=conv(3, 8), mid=nn.Linear(8, 14), out=nn.Linear(14, 5))
    return Network(net, Truth((8, 14)), (torch.randn(2, 12, 12, 3),))


@architecture
def experts() -> Network:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        each = F.relu(torch.einsum("nf,efo->neo", x, self.weight))
        return self.out((each * torch.softmax(self.gate(x), -1)[..., None]).sum(1))

    net = Lambda(forward, gate=nn.Linear(6, 3), out=nn.Linear(10, 5))
    net.weight = nn.Parameter(torch.randn(3, 6, 10))
    return Network(net, Truth((10,)), (torch.randn(2, 6),))


@architecture
def auto_encoder() -> Network:
    net = nn.Sequential(
        conv(3, 8, stride=2), nn.ReLU(), conv(8, 4, stride=2), nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 2, 2), nn.ReLU(), nn.ConvTranspose2d(6, 3, 2, 2), nn.Sigmoid(),
    )  # fmt: skip
    return Network(net, Truth((8, 4, 6)), (torch.randn(IMAGE),))


@architecture
def detector() -> Network:
    """Two scales, two outputs, boxes from a grid of constants."""

    def forward(self: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = F.relu(self.one(x))
        coarse = F.relu(self.two(fine))
        boxes = [self.box(level).flatten(2).transpose(1, 2) for level in (fine, self.up(coarse))]
        return torch.cat(boxes, 1) * 0.5 + 1, self.score(coarse).flatten(2).softmax(1)

    net = Lambda(forward, one=conv(3, 8), two=conv(8, 14, stride=2), box=conv(8, 4, 1),
                 up=conv(14, 8, 1), score=conv(14, 5, 1))  # fmt: skip
    return Network(net, Truth((8, 14)), (torch.randn(IMAGE),), outputs=2)
