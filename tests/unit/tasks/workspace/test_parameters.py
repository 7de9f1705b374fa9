import pytest
import yaml

from models.errors import InputError
from models.generators.dcgan import DCGANConfig
from tasks.dataset.prepare import PrepareConfig
from tasks.workspace.parameters import (
    build_recipe,
    find_source,
    load_recipe,
    parse,
    parse_changes,
    read_params,
    read_prepare,
    read_section,
)

PARAMS = """
prepare:
  default: {size: 32, background: 255}
  fashion-mnist: {size: 32, background: 0}
evaluate:
gate: {}
families:
  dcgan: {family: dcgan, epochs: 3, augment: {flip: 0.5, crop: 2}}
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def refusal(call, *given):
    with pytest.raises(InputError) as raised:
        call(*given)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_the_block_of_the_family_is_read(root):
    config = load_recipe(root, "dcgan", {})
    assert isinstance(config, DCGANConfig)
    assert (config.epochs, config.augment.flip, config.learning_rate) == (3, 0.5, 2e-4)


def test_changes_go_on_top_and_inside(root):
    changes = parse_changes(["epochs=7", "augment.flip=0", "learning_rate=1e-3", "conditional=true", "optimiser=sgd"])
    config = load_recipe(root, "dcgan", changes)
    assert (config.epochs, config.learning_rate, config.conditional, config.optimiser) == (7, 1e-3, True, "sgd")
    assert (config.augment.flip, config.augment.crop) == (0, 2)


def test_the_values_given_are_not_changed():
    block = {"family": "dcgan", "augment": {"flip": 0.5}}
    build_recipe(block, {"augment.flip": 0.1, "epochs": 2})
    assert block == {"family": "dcgan", "augment": {"flip": 0.5}}


def test_a_family_without_a_block_has_its_defaults(root):
    (root / "params.yaml").write_text("families:\n")
    assert load_recipe(root, "dcgan", {}) == DCGANConfig()


def test_an_unknown_family_is_answered_with_those_there_are(root):
    assert refusal(load_recipe, root, "dcgna", {}).startswith("family: got 'dcgna', allowed: one of dcgan, ")
    assert refusal(load_recipe, root, "dcgan", {"family": "gan"}).startswith("family: got 'gan', allowed: one of")


def test_an_unknown_parameter_is_answered_with_those_there_are(root):
    message = refusal(load_recipe, root, "dcgan", {"epoch": 3})
    assert message.startswith("parameter: got 'epoch', allowed: one of augment, auxiliary, batch_size")
    assert message.endswith("width")
    message = refusal(load_recipe, root, "dcgan", {"augment.fip": 3})
    assert message.startswith("parameter: got 'augment.fip', allowed: one of brightness, contrast, crop")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("epochs", 0, "greater than or equal to 1"),
        ("learning_rate", 2, "less than or equal to 1"),
        ("batch_size", "many", "a valid integer"),
        ("epochs", None, "a valid integer"),
        ("optimiser", "rmsprop", "'adam', 'sgd' or 'soap'"),
        ("augment.flip", 1.5, "less than or equal to 1"),
        ("augment", 3, "a valid dictionary or instance of AugmentConfig"),
    ],
)
def test_a_value_out_of_bounds_names_the_field_and_what_is_allowed(root, name, value, allowed):
    message = refusal(load_recipe, root, "dcgan", {name: value})
    assert message.startswith(f"{name}: got {value!r}, allowed: ")
    assert allowed in message


def test_a_dotted_name_into_a_number_is_refused(root):
    assert refusal(load_recipe, root, "dcgan", {"epochs.many": 3}) == "epochs: got 3, allowed: parameters by name"


def test_a_missing_file_is_named(tmp_path):
    message = refusal(read_params, tmp_path)
    assert str(tmp_path / "params.yaml") in message
    assert message.endswith("a file that can be read")


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        (b"families: [1", "valid YAML"),
        (b"a: 1\n b: 2\n\t", "valid YAML"),
        (b"- a\n- b", "sections by name"),
        (b"", "sections by name"),
        (b"\xff\xfe\x00", "a file that can be read"),
        (b"a: \x00", "valid YAML"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused(tmp_path, content, allowed):
    (tmp_path / "params.yaml").write_bytes(content)
    message = refusal(read_params, tmp_path)
    assert message.startswith("params.yaml: got ")
    assert message.endswith(allowed)


def test_where_the_yaml_breaks_is_said(tmp_path):
    (tmp_path / "params.yaml").write_text("a: 1\nb: [2\n")
    assert "line 3, column 1" in refusal(read_params, tmp_path)


@pytest.mark.parametrize("line", ["epochs", "=3", "", "epochs 3"])
def test_a_change_that_is_no_pair_is_refused(line):
    assert refusal(parse_changes, [line]) == f"--set: got {line!r}, allowed: name=value, such as batch_size=128"


def test_a_change_whose_value_is_no_yaml_is_refused():
    assert refusal(parse_changes, ["epochs=[1"]) == "--set epochs: got '[1', allowed: a value that is valid YAML"


def test_values_of_changes_are_what_they_seem():
    found = parse_changes(["a=3", "b=0.5", "c=true", "d=word", "e=x=y", "f={flip: 1}", "g="])
    assert found == {"a": 3, "b": 0.5, "c": True, "d": "word", "e": "x=y", "f": {"flip": 1}, "g": None}


@pytest.mark.parametrize(
    ("section", "catalogue", "found"),
    [
        ("prepare", "fashion-mnist", {"size": 32, "background": 0}),
        ("prepare", "shoes", {"size": 32, "background": 255}),
        ("evaluate", "shoes", {}),
        ("gate", "shoes", {}),
        ("nothing", "shoes", {}),
    ],
)
def test_a_section_is_the_catalogues_own_or_the_default(root, section, catalogue, found):
    assert read_section(root, section, catalogue) == found


def test_a_view_has_its_catalogues_parameters_with_its_own_on_top(root):
    view = {"of": "fashion-mnist", "categories": ["Bag", "Shirt"], "size": 64}
    (root / "params.yaml").write_text(
        yaml.safe_dump({"prepare": {"fashion-mnist": {"size": 32, "background": 0}, "bags": view}})
    )
    assert read_prepare(root, "bags") == view | {"background": 0, "name": "bags"}
    assert read_prepare(root, "fashion-mnist") == {"size": 32, "background": 0}
    assert [find_source(root, name) for name in ("bags", "fashion-mnist", "shoes")] == [
        "fashion-mnist",
        "fashion-mnist",
        "shoes",
    ]


def test_a_section_that_is_no_mapping_is_named(root):
    (root / "params.yaml").write_text("prepare: 3\nfamilies: {dcgan: [1]}")
    assert refusal(read_section, root, "prepare", "shoes") == "prepare: got 3, allowed: parameters by name"
    message = refusal(load_recipe, root, "dcgan", {})
    assert message == "families.dcgan: got [1], allowed: parameters by name"


def test_the_shipped_file_holds_a_valid_recipe_for_each_block(request):
    root = request.config.rootpath
    params = yaml.safe_load((root / "params.yaml").read_text())
    for family in params["families"]:
        load_recipe(root, family, {})
    for section in ("demo", "reproduce"):
        build_recipe(params[section]["train"], {})
    for name in params["prepare"]:
        parse(PrepareConfig, read_prepare(root, name))
