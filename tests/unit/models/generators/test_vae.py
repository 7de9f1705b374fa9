import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch.optim import Adam

from models.errors import InputError
from models.exported.generator import ExportedGenerator, export_generator
from models.exported.noise import latents
from models.families.family import ImageShape, Parts
from models.generators.vae import VAE, VAEConfig
from models.pixels import to_planes, to_signed
from tests.trainings import CATEGORIES, build_family, build_trainer, draw_images


def build(channels=1, size=32, **changes):
    torch.manual_seed(0)
    return VAE(VAEConfig(**{"width": 8, "latent": 8, "conditional": True, **changes}), ImageShape(channels, size, 2))


def overfit(family, images, labels, updates):
    """Train on one batch; returns the losses."""
    optimiser = Adam(family.generator.parameters(), 5e-3)

    def update(_, loss):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return [family.step(Parts(family.networks, update), images, labels) for _ in range(updates)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64])
def test_shapes_and_range(channels, size):
    family = build(channels, size)
    images, labels = torch.randint(0, 256, (5, channels, size, size), dtype=torch.uint8), torch.arange(5) % 2
    decoded = family.generator.eval()(torch.randn(5, 8), labels)
    assert decoded.shape == images.shape
    assert decoded.abs().max() <= 1
    assert family.bits_per_dimension(images, labels).shape == (5,)


@pytest.mark.parametrize("size", [16, 48, 128])
def test_other_sizes_are_refused(size):
    with pytest.raises(InputError, match=rf"^prepare\.size: got {size}, allowed: one of 32, 64$"):
        build(size=size)


@pytest.mark.parametrize(
    ("field", "value"), [("latent", 0), ("latent", 1025), ("width", 3), ("width", 513), ("beta", -0.1), ("beta", 101)]
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        VAEConfig(**{field: value})


def test_an_untrained_posterior_that_is_the_prior_costs_no_bits():
    family = build()
    with torch.no_grad():
        family.generator.posterior.weight.zero_()
        family.generator.posterior.bias.zero_()
    bound = family.generator.bound(torch.zeros(3, 1, 32, 32), torch.tensor([0, 1, 0]), torch.randn(3, 8))
    assert torch.equal(bound.kl, torch.zeros(3))


def test_the_kl_is_that_of_two_gaussians():
    family, (mean, log_variance) = build(), (0.7, -0.4)
    with torch.no_grad():
        family.generator.posterior.weight.zero_()
        family.generator.posterior.bias.copy_(torch.tensor([mean] * 8 + [log_variance] * 8))
    bound = family.generator.bound(torch.zeros(1, 1, 32, 32), torch.tensor([0]), torch.randn(1, 8))
    posterior = torch.distributions.Normal(torch.tensor(mean), torch.tensor(log_variance / 2).exp())
    nats = 8 * torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(bound.kl[0], nats / torch.tensor(2.0).log() / 1024)


def test_beta_weighs_the_kl_in_the_loss_and_not_in_the_figure():
    images, labels = draw_images(8)
    planes, labels = to_planes(images), torch.from_numpy(labels)
    found = {}
    for beta in (1.0, 4.0):
        family = build(beta=beta)
        torch.manual_seed(1)
        losses = family.step(Parts(family.networks, lambda *_: None), to_signed(planes), labels)
        torch.testing.assert_close(losses["loss_generator"], losses["reconstruction"] + beta * losses["kl"])
        found[beta] = losses, family.bits_per_dimension(planes, labels)
    assert torch.equal(found[1.0][0]["reconstruction"], found[4.0][0]["reconstruction"])
    assert found[4.0][0]["loss_generator"] > found[1.0][0]["loss_generator"]


def test_one_batch_is_overfitted_and_the_figure_follows():
    images, labels = draw_images(16)
    planes, labels = to_planes(images), torch.from_numpy(labels)
    family = build()
    losses = overfit(family, to_signed(planes), labels, 150)
    first, last = (float(step["loss_generator"]) for step in (losses[0], losses[-1]))
    assert first > 7.5
    assert last < 6.3  # the noise of the drawn images alone is log2(60) = 5.91 bits
    figure = family.bits_per_dimension(planes, labels)
    assert figure.mean().item() == pytest.approx(last, abs=0.3)


def test_the_images_depend_on_the_category_after_training():
    images, labels = draw_images(16)
    planes, labels = to_planes(images), torch.from_numpy(labels)
    family = build()
    overfit(family, to_signed(planes), labels, 150)
    generator = family.generator.eval()
    with torch.inference_mode():
        for category in (0, 1):
            made = generator(torch.randn(16, 8), torch.full((16,), category)).mean(0)
            real = [to_signed(planes[labels == of]).mean(0) for of in (0, 1)]
            near, far = ((made - real[of]).abs().mean() for of in (category, 1 - category))
            assert near < 0.7 * far


def test_an_unconditional_one_knows_no_category():
    family = build(conditional=False)
    family.generator.eval()
    planes = to_planes(draw_images(2)[0])
    noise, labels, others = torch.randn(2, 8), torch.tensor([0, 1]), torch.tensor([1, 0])
    assert torch.equal(family.generator(noise, labels), family.generator(noise, others))
    assert torch.equal(family.bits_per_dimension(planes, labels), family.bits_per_dimension(planes, others))


def test_the_figure_is_the_same_at_every_call_and_leaves_the_random_numbers_alone():
    family = build()
    family.generator.eval()
    images, labels = draw_images(6)
    planes, labels = to_planes(images), torch.from_numpy(labels)
    before = torch.get_rng_state()
    assert torch.equal(family.bits_per_dimension(planes, labels), family.bits_per_dimension(planes, labels))
    assert torch.equal(torch.get_rng_state(), before)


def test_resume_equals_uninterrupted(tmp_path):
    whole = build_trainer(tmp_path / "whole", family=build_family("vae", conditional=True)).run()
    stopped = build_trainer(tmp_path / "parts", family=build_family("vae", conditional=True))
    stopped.total = 5
    stopped.run()
    resumed = build_trainer(tmp_path / "parts", family=build_family("vae", conditional=True, seed=0)).run()
    assert resumed.criterion == "validation_bits_per_dimension"
    assert whole.best_value == resumed.best_value
    kept = [load_file(trained.generator) for trained in (whole, resumed)]
    assert all(torch.equal(value, kept[1][name]) for name, value in kept[0].items())


def test_the_file_has_the_decoder_alone_and_gives_the_same_images(tmp_path):
    trained = build_trainer(tmp_path, family=build_family("vae", conditional=True)).run()
    family = build_family("vae", conditional=True)
    path = tmp_path / "generator.onnx"
    assert export_generator(family, trained.generator, CATEGORIES, path) < 1e-4
    weights = sum(value.numel() for name, value in load_file(trained.generator).items() if "encoder" not in name)
    assert path.stat().st_size < 4 * weights + 30_000
    noise = latents(5, family.latent, seed=1)
    categories = torch.tensor([0, 1, 0, 1, 1])
    with torch.inference_mode():
        expected = family.generator(torch.from_numpy(noise), categories)
    torch.testing.assert_close(
        torch.from_numpy(ExportedGenerator(path).run(noise, categories.numpy())), expected, atol=1e-4, rtol=0
    )
