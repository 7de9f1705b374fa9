"""The residual block: the identity plus a little, of the same size at every dilation."""

import pytest
import torch

from models.families.residual import SLOPE, Residual


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_the_size_stays_and_nothing_beyond_its_reach_changes_a_value(dilation):
    torch.manual_seed(0)
    block = Residual(3, dilation)
    features = torch.randn(1, 3, 21, 21, requires_grad=True)
    made = block(features)
    assert made.shape == features.shape
    made[0, :, 10, 10].sum().backward()
    rows = features.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    reach = dilation + 1
    assert (int(rows.min()), int(rows.max())) == (10 - reach, 10 + reach)


def test_what_comes_in_goes_on_with_what_two_convolutions_make_of_it():
    torch.manual_seed(0)
    block, features = Residual(4), torch.randn(2, 4, 8, 8)
    leaky = torch.nn.functional.leaky_relu
    expected = features + block.second(leaky(block.first(leaky(features, SLOPE)), SLOPE))
    torch.testing.assert_close(block(features), expected)
    block.second.weight.data.zero_()
    block.second.bias.data.zero_()
    assert torch.equal(block(features), features)


def test_many_blocks_begin_near_the_identity():
    torch.manual_seed(0)
    features = torch.randn(1, 16, 16, 16)
    with torch.no_grad():
        deep = torch.nn.Sequential(*(Residual(16) for _ in range(10)))(features)
    assert 0 < float((deep - features).std()) < float(features.std())
