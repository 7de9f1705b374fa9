import csv
import gc
import itertools

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.errors import TrainingError
from models.training.initial import NETWORKS_FILE, name_tensors, start_from
from models.training.speed import SpeedPlan
from models.training.trainer import LOG_EVERY, Trainer, epoch_order
from tests.trainings import Recorder, brightness, build_family, build_trainer, draw_images

PLANS = [("32-true", "contiguous"), ("32-true", "channels_last"), ("bf16-mixed", "channels_last")]
STEPS = 12


class Stopped(Exception):
    """Someone pressed Ctrl-C."""


def stop_at(evaluation):
    """A score that ends the training at its n-th call."""
    calls = itertools.count(1)

    def score(images, categories):
        if next(calls) == evaluation:
            raise Stopped
        return brightness(images, categories)

    return score


def scores(*values):
    """A score that returns these, one after the other, and the last for ever."""
    given = itertools.chain(values, itertools.repeat(values[-1]))
    return lambda images, categories: next(given)


def spoil(family, at, how):
    """Let the family's step number `at` (from 1) return or do something bad."""
    step, calls = family.step, itertools.count(1)

    def spoilt(parts, images, labels):
        losses = step(parts, images, labels)
        return how(losses) if next(calls) == at else losses

    family.step = spoilt
    return family


@pytest.mark.parametrize(("precision", "memory_format"), PLANS)
def test_a_stopped_training_resumes_to_the_same_bytes(tmp_path, precision, memory_format):
    plan = {"precision": precision, "memory_format": memory_format, "augment": {"flip": 0.5, "rotate": 10}}
    whole = build_trainer(tmp_path / "whole", **plan).run()
    with pytest.raises(Stopped):
        build_trainer(tmp_path / "parts", score=stop_at(3), **plan).run()
    resumed = build_trainer(tmp_path / "parts", **plan)
    resumed._resume()
    assert resumed.step == 5  # in the middle of the second epoch of four updates
    parts = build_trainer(tmp_path / "parts", **plan).run()
    assert parts.generator.read_bytes() == whole.generator.read_bytes()
    finals = [torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts")]
    for key, value in finals[0]["networks"]["discriminator"].items():
        assert torch.equal(value, finals[1]["networks"]["discriminator"][key])


def test_a_finished_training_run_again_changes_nothing(tmp_path):
    first = build_trainer(tmp_path).run()
    before = first.generator.read_bytes()
    again = build_trainer(tmp_path, log=(log := Recorder())).run()
    assert (again.steps, again.best_step, again.best_value) == (first.steps, first.best_step, first.best_value)
    assert first.generator.read_bytes() == before
    assert log.figures == []


def test_the_seed_alone_decides_the_weights(tmp_path):
    weights = [build_trainer(tmp_path / str(n), seed=seed).run().generator for n, seed in enumerate((0, 0, 1))]
    first, same, other = (path.read_bytes() for path in weights)
    assert first == same
    assert first != other


def test_every_epoch_sees_every_image_in_an_order_of_its_own():
    orders = [epoch_order(seed, epoch, 64).tolist() for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert all(sorted(order) == list(range(64)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert epoch_order(0, 0, 64).tolist() == orders[0]


def test_random_numbers_drawn_before_do_not_matter(tmp_path):
    first = build_trainer(tmp_path / "first").run()
    trainer = build_trainer(tmp_path / "second")
    torch.randn(100)
    np.random.default_rng().random(100)
    assert trainer.run().generator.read_bytes() == first.generator.read_bytes()


def test_what_is_kept_is_the_best_not_the_last(tmp_path):
    averages = []
    values = scores(3.0, 1.0, 2.0, 5.0, 9.0)

    def score(images, categories):
        averages.append({name: value.clone() for name, value in trainer.average.weights.items()})
        return values(images, categories)

    trainer = build_trainer(tmp_path, score=score)
    trained = trainer.run()
    kept = load_file(trained.generator)
    assert (trained.best_step, trained.best_value, trained.steps) == (4, 1.0, STEPS)
    assert all(torch.equal(kept[name], value) for name, value in averages[1].items())
    assert not torch.equal(kept["body.0.weight"], averages[-1]["body.0.weight"])


def test_the_best_so_far_survives_a_stop(tmp_path):
    values = scores(1.0, 2.0)
    stop = stop_at(4)
    with pytest.raises(Stopped):
        build_trainer(tmp_path, score=lambda *given: stop(*given) and values(*given)).run()
    trained = build_trainer(tmp_path, score=scores(7.0)).run()
    assert (trained.best_step, trained.best_value) == (2, 1.0)


def test_the_average_follows_and_can_be_switched_off(tmp_path):
    generators = {}
    for ema in (0.0, 0.999):
        trainer = build_trainer(tmp_path / str(ema), ema=ema)
        trainer.run()
        generators[ema] = (trainer.family.networks["generator"].state_dict(), trainer.average.weights)
    live, average = generators[0.0]
    assert all(torch.equal(live[name], value) for name, value in average.items())
    live, average = generators[0.999]
    assert not torch.equal(live["body.0.weight"], average["body.0.weight"])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_at_its_update_and_keeps_the_checkpoint(tmp_path, bad):
    family = spoil(build_family(), 7, lambda losses: losses | {"loss_generator": torch.tensor(bad)})
    with pytest.raises(TrainingError, match=r"loss_generator is not finite at update 7; the last good checkpoint"):
        build_trainer(tmp_path, family=family).run()
    again = build_trainer(tmp_path)
    again._resume()
    assert again.step == 6
    assert again.run().steps == STEPS


def test_weights_spoilt_by_the_last_update_are_never_saved(tmp_path):
    family = build_family()

    def poison(losses):
        with torch.no_grad():
            family.networks["discriminator"].body[0].weight[0, 0, 0, 0] = float("nan")
        return losses

    with pytest.raises(TrainingError, match=r"discriminator\.body\.0\.weight is not finite at update 5"):
        build_trainer(tmp_path, family=spoil(family, 5, poison)).run()
    assert build_trainer(tmp_path).run().steps == STEPS


def test_a_distance_that_is_not_finite_stops(tmp_path):
    with pytest.raises(TrainingError, match="validation_distance is not finite at update 4"):
        build_trainer(tmp_path, score=scores(1.0, float("nan"))).run()


def test_a_score_in_numpys_numbers_can_be_resumed(tmp_path):
    stop = stop_at(3)
    with pytest.raises(Stopped):
        build_trainer(tmp_path, score=lambda *given: np.float32(stop(*given))).run()
    assert build_trainer(tmp_path).run().steps == STEPS


def test_the_history_has_a_column_for_each_figure(tmp_path):
    trained = build_trainer(tmp_path, epochs=13).run()  # 52 updates, 50 of them to the first log
    with trained.history.open() as stream:
        rows = list(csv.DictReader(stream))
    losses = ["loss_discriminator", "loss_generator", "gradient_norm_discriminator", "gradient_norm_generator"]
    assert set(rows[0]) == {"step", "images", "validation_distance", "images_per_second", *losses}
    logged = {int(row["step"]): row for row in rows if row["loss_generator"]}
    assert list(logged) == [LOG_EVERY, 52]
    assert all(float(logged[LOG_EVERY][name]) > 0 for name in losses)
    assert int(rows[0]["images"]) == int(rows[0]["step"]) * 16


def test_the_log_hears_of_the_end_and_sees_the_same_noise_every_time(tmp_path):
    log = Recorder()
    build_trainer(tmp_path, log=log).run()
    done, total, note = log.notes[-1]
    assert (done, total) == (STEPS, STEPS)
    assert note.startswith("discriminator ")
    assert [step for step, _ in log.grids] == [2, 4, 6, 8, 10, 12]
    assert log.grids[0][1].shape == (16, 32, 32, 1)


@pytest.mark.parametrize(("evaluations", "steps"), [(1, [4, 8, 12]), (3, [2, 3, 4, 6, 7, 8, 10, 11, 12])])
def test_evaluations_are_spread_over_the_epoch_and_end_it(tmp_path, evaluations, steps):
    log = Recorder()
    build_trainer(tmp_path, log=log, evaluations_per_epoch=evaluations).run()
    assert [step for step, figures in log.figures if "validation_distance" in figures] == steps


class Clock:
    """Stands where the trainer looks for the time."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


def test_speed_is_that_of_the_updates_not_of_the_evaluations(tmp_path, monkeypatch):
    clock, family = Clock(), build_family()
    monkeypatch.setattr("models.training.trainer.time", clock)
    step = family.step

    def one_second(parts, images, labels):
        clock.now += 1
        return step(parts, images, labels)

    def a_minute(images, categories):
        clock.now += 60
        return 1.0

    family.step = one_second
    log = Recorder()
    trained = build_trainer(tmp_path, score=a_minute, family=family, log=log).run()
    assert [figures["images_per_second"] for _, figures in log.figures if "images_per_second" in figures] == [16.0]
    assert trained.seconds == STEPS + 6 * 60


def test_sampling_leaves_no_trace(tmp_path):
    trainer = build_trainer(tmp_path)
    for _ in range(3):
        trainer.advance()
    generator = trainer.family.networks["generator"]
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    random = torch.get_rng_state()
    first, categories = trainer.sample(300, seed=1)
    assert first.shape == (300, 32, 32, 1)
    assert first.dtype == np.uint8
    assert categories[:4].tolist() == [0, 1, 0, 1]
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())
    assert generator.training
    assert torch.equal(random, torch.get_rng_state())
    assert np.array_equal(trainer.sample(300, seed=1)[0], first)
    assert not np.array_equal(trainer.sample(300, seed=2)[0], first)


def test_updates_do_not_pile_up_tensors(tmp_path):
    def tensors():
        gc.collect()
        return sum(type(found) is torch.Tensor for found in gc.get_objects())

    trainer = build_trainer(tmp_path, epochs=20)
    counts = []
    for _ in range(3):
        for _ in range(4):
            trainer.advance()
        counts.append(tensors())
    assert counts[1] == counts[2]


def test_read_only_images_are_trained_on_and_left_alone(tmp_path):
    images, _ = draw_images()
    np.save(tmp_path / "images.npy", images)
    trainer = build_trainer(tmp_path)
    trainer.images = np.load(tmp_path / "images.npy", mmap_mode="r")
    trainer.run()
    assert np.array_equal(np.load(tmp_path / "images.npy"), images)


def test_fewer_images_than_a_batch_are_refused(tmp_path):
    with pytest.raises(TrainingError, match="batch_size: got 65, allowed: at most 64"):
        build_trainer(tmp_path, batch_size=65)


def test_regularisation_shrinks_the_weights(tmp_path):
    def size(**changes):
        trainer = build_trainer(tmp_path / str(changes), optimiser="sgd", learning_rate=0.01, ema=0, **changes)
        trainer.run()
        kernels = [weight for weight in trainer.average.weights.values() if weight.ndim > 1]
        return sum(weight.abs().sum().item() for weight in kernels)

    plain = size()
    assert size(l1=0.05) < 0.9 * plain
    assert size(l2=0.9) < 0.9 * plain


def start_trainer(learned, folder, score=brightness, **changes):
    """A trainer of another seed that starts from the networks in `learned`, some of them frozen."""
    layers = {"freeze": ("generator.body.*", "discriminator.from_image.*"), "fresh": "discriminator.head.*"}
    family = build_family(**{"init_from": "learned", "seed": 5, **layers, **changes})
    begun = start_from(family, learned / NETWORKS_FILE)
    trainer = build_trainer(folder, score=score, family=family)
    return rebuild(trainer, begun.frozen), begun


def rebuild(trainer, frozen):
    """The same trainer with frozen layers."""
    plan = SpeedPlan.model_validate({"precision": "32-true", "memory_format": "contiguous"})
    given = (trainer.family, trainer.images, trainer.labels, trainer.folder, plan, trainer.validation, trainer.log)
    return Trainer(*given, checkpoint_seconds=0.0, frozen=frozen)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    build_trainer(folder, seed=3, optimiser="sgd").run()
    return folder


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "soap"])
def test_frozen_bytes_stay_and_the_others_move(learned, tmp_path, optimiser):
    changes = {"optimiser": optimiser, "learning_rate": 0.01, "l1": 0.01, "l2": 0.01, "weight_clip": 0.01}
    trainer, begun = start_trainer(learned, tmp_path, **changes)
    trainer.run()
    before, after = load_file(learned / NETWORKS_FILE), load_file(tmp_path / NETWORKS_FILE)
    assert {name.split(".")[1] for name in begun.frozen} == {"body", "from_image"}
    assert any(name.endswith("running_mean") for name in begun.frozen)
    same = {name for name, value in before.items() if after[name].equal(value)}
    assert same == begun.frozen
    live = name_tensors(trainer.family.networks)
    assert all(live[name].equal(before[name]) for name in begun.frozen)


def test_frozen_weights_have_no_state_in_the_optimiser(learned, tmp_path):
    trainer, begun = start_trainer(learned, tmp_path)
    trainer.advance()
    for name, network in trainer.family.networks.items():
        with_state = {id(weight) for weight in trainer.optimisers[name].state}
        for key, weight in network.named_parameters():
            assert (id(weight) in with_state) == (f"{name}.{key}" not in begun.frozen)


def test_a_whole_network_can_be_frozen(learned, tmp_path):
    trainer, begun = start_trainer(learned, tmp_path, freeze="discriminator.*", fresh=())
    trainer.run()
    before, after = load_file(learned / NETWORKS_FILE), load_file(tmp_path / NETWORKS_FILE)
    assert {name for name, value in before.items() if after[name].equal(value)} == begun.frozen


def test_a_stopped_training_that_started_from_others_weights_resumes_to_the_same_bytes(learned, tmp_path):
    whole = start_trainer(learned, tmp_path / "whole")[0].run()
    with pytest.raises(Stopped):
        start_trainer(learned, tmp_path / "parts", score=stop_at(3))[0].run()
    parts = start_trainer(learned, tmp_path / "parts")[0].run()
    assert parts.generator.read_bytes() == whole.generator.read_bytes()
    networks = [(tmp_path / name / NETWORKS_FILE).read_bytes() for name in ("whole", "parts")]
    assert networks[0] == networks[1]
    assert networks[0] != start_trainer(learned, tmp_path / "thawed", freeze=())[0].run().generator.read_bytes()


def test_the_start_is_where_the_others_ended(learned, tmp_path):
    trainer, begun = start_trainer(learned, tmp_path, fresh=())
    weights, average = load_file(learned / NETWORKS_FILE), trainer.average.weights
    assert all(
        torch.equal(average[name.removeprefix("generator.")], weights[name])
        for name in begun.taken
        if name.startswith("generator.")
    )


def test_networks_in_evaluation_mode_are_trained_all_the_same(tmp_path):
    family = build_family()
    family.generator.eval()  # as after samples were drawn from it
    evaluated = build_trainer(tmp_path / "evaluated", family=family).run()
    fresh = build_trainer(tmp_path / "fresh").run()
    assert evaluated.generator.read_bytes() == fresh.generator.read_bytes()


def test_evaluations_and_checkpoints_do_not_pile_up_tensors_from_the_second_epoch_on(tmp_path):
    counts = []

    def score(images, categories):
        gc.collect()
        counts.append(sum(type(found) is torch.Tensor for found in gc.get_objects()))
        return float(len(counts))

    build_trainer(tmp_path, score=score, epochs=7, evaluations_per_epoch=1).run()
    assert len(counts) == 7
    assert len(set(counts[1:-1])) == 1  # the last update also leaves the norms of its gradients
