"""Rules of a marketplace: those that come with Packshot, and one's own."""

import pytest
import yaml

from models.errors import InputError
from tasks.market.measurements import BY_HEADER, BY_PIXELS, DUTIES, require
from tasks.market.rules import Duty, RuleSet, list_markets, load_market


@pytest.fixture
def own(tmp_path):
    """Write a file of rules; returns its path as `--market` takes it."""

    def write(rules, **values):
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump({"market": "own", "source": "our shop, 2026", "rules": rules} | values))
        return str(path)

    return write


def test_the_markets_that_come_with_it_cite_their_page():
    assert list_markets() == ["amazon", "ebay", "google"]
    for name in list_markets():
        market = load_market(name)
        assert market.market == name
        assert "202" in market.source
        assert len(market.rules.named()) >= 7


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


def test_an_unknown_market_lists_those_there_are():
    with pytest.raises(InputError, match="--market: got 'amazn', allowed: one of amazon, ebay, google, a file"):
        load_market("amazn")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="allowed: a file that can be read: No such file"):
        load_market(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (
            {"longest": {"minimum": 1}},
            "own.yaml.rules.longest: got 'longest', allowed: one of format, suffix, megabytes",
        ),
        (
            {"longest_side": {"minium": 1}},
            "longest_side.minium: got 'minium', allowed: one of source, why, minimum, maximum, may_enlarge",
        ),
        ({"longest_side": {"minimum": -1}}, "longest_side.minimum: got -1, allowed: greater than or equal to 0"),
        ({"product_box": {"minimum": 85}}, "product_box.minimum: got 85, allowed: less than or equal to 1"),
        ({"megabytes": {}}, "allowed: a minimum, a maximum or both"),
        ({"sharpness": {"minimum": 9, "maximum": 3}}, "allowed: a minimum of at most the maximum, 3"),
        ({"format": {"allowed": ["JPG"]}}, "own.yaml.rules.format.allowed.0: got 'JPG', allowed: 'JPEG', 'PNG'"),
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
