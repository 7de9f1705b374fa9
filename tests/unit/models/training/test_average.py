import pytest
import torch
from torch import nn

from models.training.average import MovingAverage


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_it_follows_at_its_rate_and_faster_at_the_start():
    model = network()
    average = MovingAverage(model, decay=0.5)
    start = model[0].weight.detach().clone()
    with torch.no_grad():
        model[0].weight.add_(1)
    average.follow(0)  # 1/10 is kept
    torch.testing.assert_close(average.weights["0.weight"], start + 0.9)
    average.follow(100)  # the rate: half is kept
    torch.testing.assert_close(average.weights["0.weight"], start + 0.95)


def test_counters_are_copied_not_averaged():
    model = network()
    average = MovingAverage(model, decay=0.99)
    model(torch.randn(4, 3))
    average.follow(10)
    assert average.weights["1.num_batches_tracked"] == 1


def test_the_network_gets_its_own_weights_back_whatever_happens():
    model = network()
    average = MovingAverage(model, decay=0.99)
    with torch.no_grad():
        model[0].weight.add_(1)
    own = model[0].weight.detach().clone()
    with pytest.raises(RuntimeError), average.in_place() as averaged:
        assert not averaged.training
        assert torch.equal(averaged[0].weight, average.weights["0.weight"])
        raise RuntimeError
    assert torch.equal(model[0].weight, own)
    assert model.training
