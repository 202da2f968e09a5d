"""The built-in networks and data in PyTorch, for `benchmarks.cost`; runs in the peers' environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad, relu
from torch.utils.data import DataLoader, TensorDataset
from torch_lr_finder import LRFinder

DIGITS = Path(__file__).parents[1] / 'lrfinder' / 'zoo' / 'digits.npz'
WIDTHS = (16, 16), (16, 32), (32, 64)


def finder(model: str, batch: int) -> tuple[LRFinder, DataLoader]:
    """What torch-lr-finder needs for a range test of a built-in network on the embedded digits."""
    torch.manual_seed(0)
    network = resnet() if model == 'resnet' else nn.Sequential(nn.Flatten(), nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-7, momentum=0.9)
    return LRFinder(network, optimizer, nn.CrossEntropyLoss(), device='cpu'), DataLoader(digits(), batch, shuffle=True)


def digits() -> TensorDataset:
    """Four fifths of the images, as our tests train on."""
    with np.load(DIGITS) as arrays:
        x, y = arrays['x'].astype('f')[:, None] / 16, arrays['y'].astype('l')
    count = len(x) * 4 // 5
    return TensorDataset(torch.from_numpy(x[:count]), torch.from_numpy(y[:count]))


def resnet() -> nn.Module:
    """The ResNet-8 of `lrfinder.zoo.models`."""
    blocks = [Block(*widths) for widths in WIDTHS]
    return nn.Sequential(convolution(1, 16), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Block(nn.Module):
    """Two convolutions beside a shortcut without parameters."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.stride, self.more = after // before, after - before
        self.first, self.second = convolution(before, after, self.stride), convolution(after, after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of both ways."""
        way = self.second(relu(self.first(x)))
        if self.more:
            x = pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return relu(way + x)


def convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """A convolution with batch normalization."""
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after))
