"""Weights that start a training: what is taken, what is fresh, what is frozen, and refusals that name the layers."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils import parametrizations

from models.errors import InputError
from models.training.initial import (
    GENERATOR_FILE,
    NETWORKS_FILE,
    freeze,
    name_layers,
    name_tensors,
    read_networks,
    start_from,
    write_networks,
)
from tests.trainings import build_family, build_trainer


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The folder of a training on one channel."""
    folder = tmp_path_factory.mktemp("learned")
    build_trainer(folder, seed=3).run()
    return folder


def start(folder, **changes):
    """A family of another seed that starts from what is in `folder`."""
    path = folder / changes.pop("file", NETWORKS_FILE)
    family = build_family(**{"init_from": "elsewhere", "seed": 7, **changes})
    return family, start_from(family, path)


def inner(family):
    """A layer in the middle of the generator, as a pattern."""
    names = [name for name, weight in family.generator.named_parameters() if weight.ndim == 4]
    return f"generator.{names[1].rpartition('.')[0]}.*"


def test_all_networks_are_taken(learned):
    family, begun = start(learned)
    saved = load_file(learned / NETWORKS_FILE)
    here = name_tensors(family.networks)
    assert saved.keys() == here.keys()
    assert all(torch.equal(value, here[name]) for name, value in saved.items())
    assert (set(begun.taken), begun.fresh, begun.frozen) == (set(here), (), frozenset())


def test_the_generator_in_the_file_is_the_one_that_is_exported(learned):
    saved, generator = load_file(learned / NETWORKS_FILE), load_file(learned / GENERATOR_FILE)
    assert {name for name in saved if not name.startswith("generator.")} == {
        name for name in saved if name.startswith("discriminator.")
    }
    assert all(torch.equal(saved[f"generator.{name}"], value) for name, value in generator.items())


def test_fresh_layers_keep_the_seeds_weights(learned):
    untouched = build_family(seed=7)
    layer = inner(untouched)
    family, begun = start(learned, fresh=(layer, "discriminator.*"))
    seeded, here = name_tensors(untouched.networks), name_tensors(family.networks)
    assert set(begun.fresh) == {name for name in here if name.startswith(("discriminator.", layer.removesuffix("*")))}
    assert all(torch.equal(here[name], seeded[name]) for name in begun.fresh)
    assert all(torch.equal(here[name], load_file(learned / NETWORKS_FILE)[name]) for name in begun.taken)


def test_a_generators_file_alone_is_enough_when_the_rest_is_fresh(learned):
    _, begun = start(learned, file=GENERATOR_FILE, fresh="discriminator.*")
    assert all(name.startswith("generator.") for name in begun.taken)
    with pytest.raises(InputError, match=r"discriminator\.\S+ \(none there, \S+ here\).*--set 'fresh=\[.*discrim"):
        start(learned, file=GENERATOR_FILE)


def test_layers_of_another_shape_are_listed_with_both_shapes_and_the_way_out(learned):
    with pytest.raises(InputError) as refused:
        start(learned, channels=3)
    line = str(refused.value)
    assert line.startswith("init_from: got 'elsewhere', allowed: weights of this network's shapes, but these layers")
    assert "16x1x4x4 there, 16x3x4x4 here" in line
    assert "\n" not in line
    suggested = line.partition("fresh=[")[2].partition("]")[0].replace('"', "").split(", ")
    _, begun = start(learned, channels=3, fresh=tuple(suggested))
    assert {name.partition(".")[0] for name in begun.fresh} == {"generator", "discriminator"}


def test_category_layers_start_fresh_by_themselves(learned, monkeypatch):
    family = build_family(init_from="elsewhere", seed=7)
    layer = inner(family)
    weight = next(name for name in name_tensors(family.networks) if name.startswith(layer.removesuffix("*")))
    saved = load_file(learned / NETWORKS_FILE)
    save_file(saved | {weight: torch.zeros(5, 5)}, learned / "others.safetensors")
    with pytest.raises(InputError, match="these layers differ"):
        start_from(family, learned / "others.safetensors")
    monkeypatch.setattr(type(family), "category_layers", (layer,))
    begun = start_from(family, learned / "others.safetensors")
    assert begun.fresh == (weight,)
    assert layer in begun.text
    assert start_from(family, learned / NETWORKS_FILE).fresh == ()  # equal shapes are taken


def test_layers_that_are_not_here_are_said_too(learned):
    saved = load_file(learned / NETWORKS_FILE)
    save_file(saved | {"generator.more.weight": torch.zeros(2)}, learned / "deeper.safetensors")
    with pytest.raises(InputError, match=r"generator\.more\.weight \(2 there, none here\)"):
        start(learned, file="deeper.safetensors")
    assert start(learned, file="deeper.safetensors", fresh="generator.more.*")[1].fresh == ()
    save_file(saved | {"encoder.weight": torch.zeros(2)}, learned / "third.safetensors")
    assert start(learned, file="third.safetensors")[1].taken  # a network that this family has not, is left alone


@pytest.mark.parametrize("field", ["freeze", "fresh"])
def test_a_pattern_that_matches_nothing_lists_the_layers(learned, field):
    with pytest.raises(InputError, match=rf"^{field}: got 'decoder\.\*', allowed: a pattern of .*generator\..*\.\*"):
        start(learned, **{field: "decoder.*"})


def test_a_generator_that_cannot_learn_is_refused(learned):
    with pytest.raises(InputError, match=r"freeze: got \['generator\.\*'\], allowed: .* leave a layer"):
        start(learned, freeze="generator.*")


def test_what_is_fresh_is_never_frozen(learned):
    layer = inner(build_family())
    _, begun = start(learned, fresh=layer, freeze="generator.*")
    assert begun.frozen == {name for name in begun.taken if name.startswith("generator.")}
    assert not begun.frozen & set(begun.fresh)


@pytest.mark.parametrize("content", [b"", b"no weights", b"\x10\x00\x00\x00\x00\x00\x00\x00{"])
def test_a_file_without_weights_is_refused(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"init_from: got 'shoes@1', allowed: weights in a whole"):
        read_networks(tmp_path / "x.safetensors", ("generator",), "shoes@1")


def test_what_is_written_is_read(tmp_path):
    weights = {"generator.a.weight": torch.randn(2, 3).t(), "critic.b": torch.tensor(4)}
    assert write_networks(tmp_path, weights) == tmp_path / GENERATOR_FILE
    found = read_networks(tmp_path / NETWORKS_FILE, ("generator", "critic"), "")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    assert list(read_networks(tmp_path / GENERATOR_FILE, ("generator",), "")) == ["generator.a.weight"]


def test_layers_are_named_once():
    assert name_layers(["generator.a.weight", "generator.a.bias", "critic.b.c.weight"]) == [
        "generator.a.*",
        "critic.b.c.*",
    ]


def test_statistics_of_frozen_layers_are_held_and_those_of_others_are_not():
    bare = nn.BatchNorm1d(4, affine=False)
    network = nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 4)), nn.BatchNorm1d(4), bare, nn.Linear(4, 4))
    names = name_tensors({"generator": network})
    held = freeze({"generator": network}, {name for name in names if name.startswith(("generator.0.", "generator.2."))})
    network.train()
    for module in held:
        module.eval()
    before = {name: value.clone() for name, value in name_tensors({"generator": network}).items()}
    network(torch.randn(8, 4)).sum().backward()
    changed = {name for name, value in name_tensors({"generator": network}).items() if not value.equal(before[name])}
    assert changed == {"generator.1.running_mean", "generator.1.running_var", "generator.1.num_batches_tracked"}
    learning = {name for name, weight in network.named_parameters() if weight.grad is not None}
    assert learning == {"1.weight", "1.bias", "3.weight", "3.bias"}


def test_a_norm_whose_scale_alone_is_frozen_keeps_counting():
    norm = nn.BatchNorm1d(4)
    assert freeze({"generator": norm}, {"generator.weight"}) == []
    assert not norm.weight.requires_grad
    assert norm.bias.requires_grad
