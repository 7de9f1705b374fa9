"""What every trained editing family must hold, whatever it mends."""

import itertools

import numpy as np
import pytest
import torch
from torch.optim import Adam

from models.errors import TrainingError
from models.exported.editor import ExportedRestoration, export_restoration
from models.families.discovery import load_family
from models.families.family import Parts
from models.families.restoration import psnr, turn
from models.pixels import to_planes, to_signed
from models.training.validation import Validation
from tests.families import EDITING
from tests.trainings import Recorder, build_family, build_trainer, draw_images


class Stopped(Exception):
    """Someone pressed Ctrl-C."""


def stop_at(family, evaluation):
    """Let the training end at its n-th judgement."""
    judge, calls = family.judge, itertools.count(1)

    def judge_or_stop(network, images):
        if next(calls) == evaluation:
            raise Stopped
        return judge(network, images)

    family.judge = judge_or_stop
    return family


def small_trainer(name, folder, family=None, log=None, **changes):
    return build_trainer(folder, family=family or build_family(name, 3, **changes), log=log)


@pytest.mark.parametrize("name", EDITING)
def test_named_inputs_and_one_output_of_the_targets_shape(name):
    family = build_family(name, 3)
    clean = torch.rand(3, 3, 32, 32)
    degraded = family.degrade(clean)
    assert set(degraded.inputs) == set(family.sample_inputs(16, 16))
    assert family.generator(*degraded.inputs.values()).shape == degraded.target.shape
    assert (family.latent, family.conditional) == (0, False)
    assert family.capability != "generate"


@pytest.mark.parametrize("name", EDITING)
def test_one_batch_is_overfitted(name):
    images, labels = draw_images(8, 3)
    batch, family = to_signed(to_planes(images)), build_family(name, 3, ema=0)
    rules = {key: Adam(network.parameters(), 5e-3) for key, network in family.networks.items()}

    def update(network, loss):
        rules[network].zero_grad()
        loss.backward()
        rules[network].step()

    before = family.judge(family.generator, images)[0]
    torch.manual_seed(0)
    for _ in range(60):
        family.step(Parts(family.networks, update), batch, torch.from_numpy(labels))
    after = family.judge(family.generator, images)[0]
    assert after < before - 0.5  # dB


def test_a_stopped_training_by_soap_resumes_to_the_same_bytes(tmp_path):
    rule = {"optimiser": "soap", "epochs": 8}  # past the tenth update, where its bases are turned for the first time
    whole = small_trainer("espcn", tmp_path / "whole", **rule).run()
    with pytest.raises(Stopped):
        small_trainer("espcn", tmp_path / "parts", stop_at(build_family("espcn", 3, **rule), 12), **rule).run()
    parts = small_trainer("espcn", tmp_path / "parts", **rule).run()
    assert parts.generator.read_bytes() == whole.generator.read_bytes()


def test_soap_learns(tmp_path):
    log = Recorder()
    rule = {"optimiser": "soap", "learning_rate": 0.03, "beta1": 0.95, "beta2": 0.95, "epochs": 10}
    trained = small_trainer("espcn", tmp_path, log=log, **rule).run()
    judged = [figures[trained.criterion] for _, figures in log.figures if trained.criterion in figures]
    assert judged[-1] < judged[0] - 3  # dB


@pytest.mark.parametrize("name", EDITING)
def test_the_best_weights_are_those_of_the_best_judgement(name, tmp_path):
    log = Recorder()
    trained = small_trainer(name, tmp_path, log=log).run()
    judged = {step: figures[trained.criterion] for step, figures in log.figures if trained.criterion in figures}
    assert trained.criterion == load_family(name).criterion
    assert len(judged) == 6
    assert judged[trained.best_step] == trained.best_value == min(judged.values())
    assert log.grids[0][1].dtype == np.uint8


def test_a_file_that_differs_from_the_network_is_refused(tmp_path, monkeypatch):
    trained = small_trainer("espcn", tmp_path).run()
    run = ExportedRestoration.run
    monkeypatch.setattr(ExportedRestoration, "run", lambda self, **inputs: run(self, **inputs) * np.float32("nan"))
    with pytest.raises(TrainingError, match="the exported network differs from the trained one by nan"):
        export_restoration(build_family("espcn", 3), trained.generator, tmp_path / "network.onnx")
    assert not (tmp_path / "network.onnx").exists()


@pytest.mark.parametrize("name", EDITING)
def test_judging_is_repeatable_and_leaves_the_random_numbers_alone(name):
    family, (images, _) = build_family(name, 3), draw_images(20, 3)
    random = torch.get_rng_state()
    first, second = (family.judge(family.generator.eval(), images) for _ in range(2))
    assert first[0] == second[0]
    assert np.array_equal(first[1], second[1])
    assert torch.equal(random, torch.get_rng_state())


def test_the_learning_rate_falls_along_a_cosine_or_stays(tmp_path):
    trainer = small_trainer("espcn", tmp_path, learning_rate=0.01)
    rates = []
    for _ in range(trainer.total):
        trainer.advance()
        rates.append(trainer.optimisers["generator"].param_groups[0]["lr"])
    assert rates[0] == 0.01
    assert rates[6] == pytest.approx(0.005)
    assert rates == sorted(rates, reverse=True)
    assert build_family("espcn", decay="constant").pace(0.7) == 1
    assert build_family("dcgan").pace(0.7) == 1


def test_an_editing_family_needs_held_out_images():
    family = build_family("espcn", 3)
    with pytest.raises(TrainingError, match="validation: an editing family is judged on held-out images"):
        Validation(lambda *_: 0.0).measure(family, family.generator, 0)


def test_psnr_is_of_each_image_and_finite_for_equal_ones():
    clean = torch.full((3, 1, 4, 4), 0.5)
    made = clean + torch.tensor([0.0, 0.1, 2.0])[:, None, None, None]
    torch.testing.assert_close(psnr(made, clean), torch.tensor([100.0, 20.0, 6.0206]), atol=1e-3, rtol=0)
    torch.testing.assert_close(psnr(made, clean, peak=2.0)[1], torch.tensor(26.0206), atol=1e-3, rtol=0)


def test_turning_makes_all_eight_positions_and_changes_no_pixel():
    torch.manual_seed(0)
    images = torch.arange(9.0).view(1, 1, 3, 3).repeat(40, 1, 1, 1)
    turned = torch.cat([turn(images) for _ in range(10)]).flatten(1)
    assert torch.equal(turned.sort(1).values, torch.arange(9.0).repeat(400, 1))
    assert len(torch.unique(turned, dim=0)) == 8


def test_long_gradients_are_shortened_to_the_clip(tmp_path):
    trainers = [small_trainer("espcn", tmp_path, optimiser="sgd", beta1=0, clip=clip) for clip in (0.0, 1e-3)]
    norms = []
    for trainer in trainers:
        trainer.advance()
        gradients = [weight.grad for weight in trainer.family.generator.parameters()]
        norms.append(float(torch.nn.utils.get_total_norm(gradients)))
    assert norms[0] > 1e-2
    assert norms[1] == pytest.approx(1e-3, rel=1e-2)
