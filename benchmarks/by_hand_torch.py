"""The cases by hand in PyTorch: eager modules and Adam(fused=True)."""

import torch
from cases import BATCH, CASES, STEPS, data
from torch import nn
from torch.nn import functional as F


def mlp():
    return nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def dense30():
    return nn.Sequential(*[m for _ in range(30) for m in (nn.Linear(32, 32), nn.ReLU())], nn.Linear(32, 1))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 10)
    )


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(16, 64, batch_first=True), nn.Linear(64, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


class Block(nn.Module):
    def __init__(self, width=64, heads=4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, c))
        return x + self.down(F.relu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks, self.out = nn.Sequential(Block(), Block()), nn.Linear(64, 1)

    def forward(self, x):
        return self.out(self.blocks(x).mean(1))


MODELS = {"mlp": mlp, "dense30": dense30, "cnn": cnn, "lstm": Lstm, "transformer": Transformer}


def contender(name):
    """A function that trains for STEPS steps."""
    _, shape, classes = CASES[name]
    x, y = data(shape, classes)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    y = y.long() if classes else y
    if name == "cnn":
        x = x.permute(0, 3, 1, 2).contiguous()
    model = MODELS[name]()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = F.cross_entropy if classes else F.mse_loss

    def run():
        for i in range(STEPS):
            a, b = x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH]
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model(a), b)
            loss.backward()
            optimizer.step()
        return float(loss)

    return run
