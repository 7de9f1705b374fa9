"""Operations read from the command line's text and from files."""

import json

import pytest
from pydantic import TypeAdapter

from models.errors import InputError
from tasks.editing import parsing
from tasks.editing.parsing import describe_parameters, parse_operation, read_operations
from tasks.operations.contract.discovery import list_operations, load_operation
from tasks.operations.contract.region import Region


def test_name_value_and_parameters():
    degrade = parse_operation("degrade:blur,amount=2.5,seed=3")
    assert (degrade.op, degrade.kind, degrade.amount, degrade.seed) == ("degrade", "blur", 2.5, 3)
    assert parse_operation(" degrade,kind=blur , amount=2.5,seed=3".replace(" , ", ",")) == degrade
    assert parse_operation("frame:0.85,square=true,background=#ffffff").background == "#ffffff"


def test_values_may_hold_commas_colons_and_spaces():
    region = parse_operation("degrade:blur,mask=my photos/a,b: c=d é.png,scale_mask=true,amount=2").region
    assert region == Region(mask="my photos/a,b: c=d é.png", scale_mask=True)


def test_a_name_of_digits_stays_a_name():
    assert parse_operation("degrade:blur,mask=2024").region.mask == "2024"


def test_regions_are_written_beside_the_other_parameters():
    degrade = parse_operation("degrade:blur,boxes=10 20 110 90;200 20 300 80,polygons=0 0 50 0 50 50")
    assert degrade.region == Region(boxes="10 20 110 90;200 20 300 80", polygons="0 0 50 0 50 50")
    assert parse_operation("degrade:blur,region.boxes=0 0 1 1") == parse_operation("degrade:blur,boxes=0 0 1 1")


def test_the_commands_mask_goes_where_a_region_has_none():
    assert parse_operation("degrade:blur", mask="m.png").region == Region(mask="m.png")
    assert parse_operation("degrade:blur,scale_mask=true", mask="m.png").region == Region(mask="m.png", scale_mask=True)
    assert parse_operation("degrade:blur,mask=own.png", mask="m.png").region == Region(mask="own.png")
    assert parse_operation("degrade:blur,boxes=0 0 1 1", mask="m.png").region == Region(boxes="0 0 1 1")
    assert parse_operation("frame:0.8", mask="m.png") == parse_operation("frame:0.8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sharpen", r"^op: got 'sharpen', allowed: one of .*degrade.*frame"),
        ("", r"^op: got ''"),
        ("degrade:blur,ammount=2", r"^parameter: got 'ammount', allowed: one of kind, amount"),
        ("degrade:smear", r"^kind: got 'smear', allowed: 'blur'"),
        ("degrade:blur,amount=lots", r"^amount: got 'lots'"),
        ("degrade:blur,amount=-1", r"^amount: got .*-1.*greater than or equal to 0"),
        ("degrade:compress,amount=500", r"^degrade: got .*amount of compress: 1 to 100"),
        ("degrade:blur,boxes=1 2 3", r"^region.boxes.0: got '1 2 3', allowed: four numbers a box"),
        ("frame:0.8,mask=m.png", r"^parameter: got 'mask', allowed: one of .*share"),
        ("degrade", r"^kind: got 'nothing', allowed: blur, compress, .* \(what to do\)$"),
        ("stylize", r"^style: got 'nothing', allowed: text \("),
        ("enhance,contrast=0.2,contrast=0.3", r"^contrast: got .*, allowed: one value"),
        ("frame:0.8,share=0.9", r"^share: got .*, allowed: one value"),
        ("inpaint,hole=m.png", r"^parameter: got 'hole', allowed: one of family, mask, scale_mask, boxes, polygons$"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, said):
    with pytest.raises(InputError, match=said) as caught:
        parse_operation(text)
    assert "\n" not in str(caught.value)


def test_a_list_in_a_file_is_the_same_as_the_commands(tmp_path):
    path = tmp_path / "edits é.json"
    listed = [{"op": "degrade", "kind": "blur", "region": {"boxes": [[0, 0, 9, 9]]}}, {"op": "frame", "share": 0.9}]
    path.write_text(json.dumps(listed))
    assert read_operations(path) == (parse_operation("degrade:blur,boxes=0 0 9 9"), parse_operation("frame:0.9"))
    listed[0] = {"op": "degrade", "kind": "blur", "boxes": [[0, 0, 9, 9]]}
    path.write_text(json.dumps(listed))
    assert read_operations(path)[0] == parse_operation("degrade:blur,boxes=0 0 9 9")
    path.write_text(json.dumps([{"op": "degrade", "kind": "blur"}]))
    assert read_operations(path, mask="m.png") == (parse_operation("degrade:blur,mask=m.png"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{]", r"^ops: .*valid JSON"),
        ("[]", r"^ops: .*a list of operations"),
        ('{"op": "frame"}', r"^ops: .*a list of operations"),
        ('[{"op": "frame"}, "frame"]', r"^operation 2: got 'frame'"),
        ('[{"kind": "blur"}]', r"^operation 1: "),
        ('[{"op": "magic"}]', r"^op: got 'magic', allowed: one of "),
        ('[{"op": "frame", "shape": 1}]', r"^parameter: got 'shape'"),
        ('[{"op": "degrade", "kind": "blur", "region": {"boxes": [{"left": 1, "x": 2}]}}]', r"^region.boxes.0: "),
        ('[{"op": "degrade", "kind": "blur", "region": {"circles": []}}]', r"^parameter: got 'region.circles'.*boxes"),
    ],
)
def test_a_wrong_file_is_said_in_one_line(tmp_path, content, said):
    path = tmp_path / "edits.json"
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        read_operations(path)
    with pytest.raises(InputError, match=r"^ops: .*No such file"):
        read_operations(tmp_path / "none.json")


def test_the_form_tells_operations_apart_and_offers_them_as_a_plain_choice():
    adapter = TypeAdapter(parsing.Operations)
    edit = adapter.validate_python([{"op": "degrade", "kind": "blur"}, {"op": "frame", "share": 0.9}])
    assert edit == (parse_operation("degrade:blur"), parse_operation("frame:0.9"))
    assert adapter.validate_json(adapter.dump_json(edit)) == edit
    items = adapter.json_schema()["items"]
    assert len(items["anyOf"]) == len(list_operations())
    assert "oneOf" not in items
    with pytest.raises(AttributeError, match="Edits"):
        _ = parsing.Edits


@pytest.mark.parametrize("name", list_operations())
def test_what_there_is_to_set_can_be_read(name):
    rows = {key: rest for key, *rest in describe_parameters(name)}
    assert "op" not in rows
    assert all(allowed and text for allowed, _, text in rows.values())
    fields = load_operation(name).model_fields
    assert ("boxes" in rows) == ("region" in fields)
    assert {key for key, (_, default, _) in rows.items() if not default} == {
        key for key, field in fields.items() if field.is_required()
    }


def test_bounds_and_choices_are_told():
    rows = {key: rest for key, *rest in describe_parameters("stylize")}
    assert rows["strength"][:2] == ["number, 0 to 1", "1.0"]
    assert rows["where"][:2] == ["everywhere, product, background", "everywhere"]
    assert rows["keep_colours"][:2] == ["true, false", "false"]
    assert rows["style"][:2] == ["text", ""]
