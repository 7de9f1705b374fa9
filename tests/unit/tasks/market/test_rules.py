"""Rules of a marketplace: those that come with Packshot, and one's own."""

import pytest
import yaml

from models.errors import InputError
from tasks.market.listing import list_markets
from tasks.market.measurements import BY_HEADER, BY_PIXELS, DUTIES, require
from tasks.market.rules import Duty, RuleSet, load_market


@pytest.fixture
def own(tmp_path):
    """Write a file of rules; returns its path as `--market` takes it."""

    def write(rules, **values):
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump({"market": "own", "source": "our shop, 2026", "rules": rules} | values))
        return str(path)

    return write


def test_the_markets_that_come_with_it_cite_their_page():
    for name in list_markets():
        market = load_market(name)
        assert market.market == name
        assert market.title
        assert "202" in market.source


def test_the_figures_of_the_markets():
    amazon, ebay, google = (load_market(name).rules for name in ("amazon", "ebay", "google"))
    assert (amazon.longest_side.minimum, amazon.longest_side.maximum) == (1000, 10_000)
    assert amazon.product_box.minimum == 0.85
    assert "WEBP" not in amazon.format.allowed
    assert ebay.longest_side.minimum == 500
    assert ebay.borders is not None
    assert ebay.text is not None
    assert google.ai_label is not None
    assert not google.shortest_side.may_enlarge


def test_every_rule_is_measured_and_every_duty_has_words():
    assert {*BY_HEADER, *BY_PIXELS} == set(RuleSet.model_fields)
    for name in DUTIES:
        assert require(name, Duty(required=True)) == DUTIES[name]


def test_a_file_of_ones_own(own):
    rules = load_market(own({"longest_side": {"minimum": 800}, "product_area": {"minimum": 0.1, "maximum": 0.5}})).rules
    assert {name: require(name, rule) for name, rule in rules.named().items()} == {
        "longest_side": "at least 800 px",
        "product_area": "10 to 50%",
    }


def test_one_of_is_said_in_words(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "{market: own, source: 'ours, 2026', rules: {aspect: {one_of: [4:3, square, 1.91, 16:9]}, "
        "longest_side: {one_of: [1000, {minimum: 1500, maximum: 2000}, {minimum: 4000}]}}}"
    )
    rules = load_market(str(path)).rules
    assert require("aspect", rules.aspect) == "4:3 or square or 1.91:1 or 16:9"
    assert require("longest_side", rules.longest_side) == "1000 px or 1500 to 2000 px or at least 4000 px"
    assert [rules.aspect.holds(value) for value in (4 / 3, 1, 1.33, 1.5)] == [True, True, True, False]


def test_an_unknown_market_lists_those_there_are():
    with pytest.raises(InputError, match=f"--market: got 'amazn', allowed: one of {', '.join(list_markets())}, a file"):
        load_market("amazn")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="allowed: a file that can be read: No such file"):
        load_market(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (
            {"longest": {"minimum": 1}},
            "own.yaml.rules.longest: got 'longest', allowed: one of ai_label, animation, aspect",
        ),
        (
            {"longest_side": {"minium": 1}},
            "longest_side.minium: got 'minium', allowed: one of maximum, may_enlarge, minimum, one_of, source, why",
        ),
        ({"longest_side": {"minimum": -1}}, "longest_side.minimum: got -1, allowed: greater than or equal to 0"),
        ({"product_box": {"minimum": 85}}, "product_box.minimum: got 85, allowed: less than or equal to 1"),
        ({"megabytes": {}}, "allowed: a minimum, a maximum or both"),
        ({"megabytes": {"maximum": 2, "one_of": [1]}}, "or else one_of; not one beside the other"),
        ({"aspect": {"one_of": ["4x3"]}}, "aspect.one_of.0: got '4x3', allowed: width to height, such as 4:3"),
        ({"aspect": {"one_of": [{"minimun": 1}]}}, "got 'minimun', allowed: one of maximum, minimum"),
        ({"product_box": {"one_of": [{"minimum": 85}]}}, "one_of.0.minimum: got 85, allowed: less than or equal to 1"),
        ({"sharpness": {"minimum": 9, "maximum": 3}}, "allowed: a minimum of at most the maximum, 3"),
        ({"format": {"allowed": ["JPG"]}}, "own.yaml.rules.format.allowed.0: got 'JPG', allowed: 'PNG', 'JPEG'"),
        ({"borders": {"allowed": True}}, "own.yaml.rules.borders.allowed: got True, allowed: False"),
        ({}, "allowed: at least one of format"),
    ],
)
def test_a_wrong_rule_is_one_line(own, rules, line):
    with pytest.raises(InputError) as caught:
        load_market(own(rules))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_mapping_and_one_without_rules(tmp_path):
    path = tmp_path / "own.yaml"
    for text, line in (
        ("[1, 2]", "own.yaml: got [1, 2]"),
        ("market: x\nsource: y\n", "rules: got 'nothing'"),
        ("a: [", "valid YAML"),
    ):
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            load_market(str(path))
        assert line in str(caught.value)
