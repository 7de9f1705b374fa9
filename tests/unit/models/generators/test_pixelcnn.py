import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch.optim import Adam

from models.distributions.likelihoods import Mixture, nearest_level
from models.exported.generator import TOLERANCE, ExportedGenerator, export_generator
from models.exported.noise import latents
from models.families.family import ImageShape, Parts
from models.generators.pixelcnn import PixelCNNConfig, PixelCNNFamily
from models.pixels import to_planes, to_signed
from tests.trainings import CATEGORIES, build_family, build_trainer, draw_images


def build(channels=1, size=8, seed=0, **changes):
    torch.manual_seed(seed)
    config = PixelCNNConfig(**{"width": 8, "layers": 2, "components": 3, "conditional": True, **changes})
    return PixelCNNFamily(config, ImageShape(channels, size, 2))


def draw_levels(*shape):
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(7), dtype=torch.uint8)


def overfit(family, planes, labels, updates):
    """Train on one batch; returns the first and the last loss."""
    optimiser = Adam(family.generator.parameters(), 5e-3)

    def update(_, loss):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    parts, images = Parts(family.networks, update), to_signed(planes)
    losses = [float(family.step(parts, images, labels)["loss_generator"]) for _ in range(updates)]
    return losses[0], losses[-1]


@pytest.mark.parametrize(
    ("field", "value"), [("width", 3), ("width", 513), ("layers", 0), ("layers", 41), ("components", 0)]
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        PixelCNNConfig(**{field: value})


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_levels(channels):
    family = build(channels)
    assert family.latent == 64 * (1 + channels)
    made = family.generator(torch.randn(3, family.latent), torch.tensor([0, 1, 1]))
    assert made.shape == (3, channels, 8, 8)
    torch.testing.assert_close(nearest_level(made), made)
    assert family.bits_per_dimension(draw_levels(3, channels, 8, 8), torch.tensor([0, 1, 0])).shape == (3,)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_pixel_depends_on_all_pixels_before_it_and_on_no_other(channels):
    family = build(channels, layers=6)
    images = to_signed(draw_levels(1, channels, 8, 8)).requires_grad_()
    numbers = family.generator.describe(images, torch.tensor([1]))
    assert numbers.shape == (1, Mixture.numbers(channels, 3), 8, 8)
    for place in range(64):
        (gradient,) = torch.autograd.grad(
            numbers[0, :, place // 8, place % 8].square().sum(), images, retain_graph=True
        )
        seen = gradient[0].abs().sum(0).flatten()
        assert not seen[place:].any(), place
        # Rows above are seen in full, without the blind spot of a single masked stack.
        assert (seen[:place] > 0).all(), place


def test_the_chances_of_a_pixel_sum_to_1_over_its_levels():
    family = build()
    images = to_signed(draw_levels(1, 1, 8, 8)).repeat(256, 1, 1, 1)
    for row, column in ((0, 0), (3, 5), (7, 7)):
        changed = images.clone()
        changed[:, 0, row, column] = torch.arange(256) / 127.5 - 1
        with torch.inference_mode():
            found = family.generator.log_probability(changed, torch.zeros(256, dtype=torch.int64))
        assert found[:, row, column].exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_the_figure_is_the_sum_over_the_pixels():
    family, planes, labels = build(3), draw_levels(4, 3, 8, 8), torch.tensor([0, 1, 0, 1])
    nats = family.generator.log_probability(to_signed(planes), labels).sum((1, 2))
    torch.testing.assert_close(family.bits_per_dimension(planes, labels), -nats / torch.tensor(2.0).log() / (64 * 3))


def draw_naively(network, latent, category):
    """Each pixel from a full pass over all that was drawn before it."""
    channels, size, _ = network.shape
    noise = latent.view(-1, size, size, 1 + channels)
    images = torch.zeros(len(latent), channels, size, size)
    for row in range(size):
        for column in range(size):
            numbers = network.describe(images, category)[:, :, row, column]
            images[:, :, row, column] = Mixture.read(numbers, channels).draw(noise[:, row, column])
    return images


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("conditional", [True, False])
def test_the_incremental_sampler_equals_the_naive_one(channels, conditional):
    family = build(channels, conditional=conditional)
    for weight in family.generator.parameters():
        torch.nn.init.normal_(weight, 0, 0.15)  # so that each pixel leans on those before
    latent, category = torch.from_numpy(latents(4, family.latent, 1)), torch.tensor([0, 1, 0, 1])
    with torch.inference_mode():
        quick, slow = family.generator(latent, category), draw_naively(family.generator, latent, category)
    assert quick.std() > 0.1
    same = (quick - slow).abs().amax((1, 2, 3)) < 1e-5
    assert same.sum() >= 3  # a rounding error may flip a level of one image


def test_one_batch_is_overfitted_and_its_categories_come_back():
    images, labels = draw_images(8)
    # Without their noise, bars and discs; every second pixel, to be quick.
    planes = (to_planes(images)[:, :, ::2, ::2] > 90).to(torch.uint8) * 180
    labels = torch.from_numpy(labels)
    family = build(size=16)
    first, last = overfit(family, planes, labels, 200)
    assert first > 3
    assert last < 0.2 * first
    assert family.bits_per_dimension(planes, labels).mean().item() == pytest.approx(last, rel=0.5)
    with torch.inference_mode():
        made = family.generator(torch.from_numpy(latents(8, family.latent, 2)), labels)
    real = torch.stack([to_signed(planes[labels == category])[0] for category in (0, 1)])
    near, far = ((made - real[of]).abs().mean() for of in (labels, 1 - labels))
    assert near < 0.7 * far


def test_an_unconditional_one_knows_no_category():
    family = build(conditional=False)
    planes = draw_levels(2, 1, 8, 8)
    found = [family.bits_per_dimension(planes, torch.tensor(labels)) for labels in ([0, 1], [1, 0])]
    assert torch.equal(*found)


def test_resume_equals_uninterrupted(tmp_path):
    def trainer(folder):
        made = build_trainer(tmp_path / folder, family=build_family("pixelcnn", conditional=True, epochs=1))
        made.validation = made.validation._replace(held_out=draw_images(8))
        return made

    whole = trainer("whole").run()
    stopped = trainer("parts")
    stopped.total = 2
    stopped.run()
    resumed = trainer("parts").run()
    assert resumed.criterion == "validation_bits_per_dimension"
    assert whole.best_value == resumed.best_value
    kept = [load_file(trained.generator) for trained in (whole, resumed)]
    assert all(torch.equal(value, kept[1][name]) for name, value in kept[0].items())


def test_the_file_draws_the_same_images_for_any_batch(tmp_path):
    family = build(3)
    save_file(family.generator.state_dict(), tmp_path / "generator.safetensors")
    other = build(3, seed=9)
    path = tmp_path / "generator.onnx"
    assert export_generator(other, tmp_path / "generator.safetensors", CATEGORIES, path) <= TOLERANCE
    assert b".py" not in path.read_bytes()
    exported = ExportedGenerator(path)
    assert (exported.latent, exported.size, exported.categories) == (256, 8, CATEGORIES)
    for count in (1, 9):
        noise, categories = latents(count, family.latent, 5), torch.arange(count) % 2
        with torch.inference_mode():
            expected = family.generator(torch.from_numpy(noise), categories)
        made = torch.from_numpy(exported.run(noise, categories.numpy()))
        assert made.shape == (count, 3, 8, 8)
        assert (made - expected).abs().amax((1, 2, 3)).median() < 1e-5
