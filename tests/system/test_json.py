"""The JSON mapping of protobuf, both directions, by generated tables and by those made at run time, against Python's."""

import json
import random

import pytest
from google.protobuf import json_format

from protos import fill, framed, unframed
from tool import KNOWN, OURS, Made, generate

ALL = "weir.three.All"
TYPES = [ALL, "weir.Test_two.All", "weir.optional.Maybe", "words", "google.protobuf.Struct", "google.protobuf.Value",
         "google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask", "google.protobuf.StringValue"]


@pytest.fixture(scope="module")
def tool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("json")
    generate(folder, *OURS, *KNOWN)
    return Made(folder, OURS, ".pb-weir", "-DWEIR")


def write(tool, name, messages, options=""):
    sent = framed(m if isinstance(m, bytes) else m.SerializePartialToString() for m in messages)
    return [text.decode() for text in unframed(tool.ask("write", name, tool.folder / "set", options, input=sent))]


def read(tool, name, texts, options=""):
    sent = framed(t if isinstance(t, bytes) else t.encode() for t in texts)
    return unframed(tool.ask("read", name, tool.folder / "set", options, input=sent))


def plain(text):
    """Floats of JSON as numbers that compare: 1e+20 and 100000000000000000000.0 are one."""
    return json.loads(text, parse_int=float)


def printed(tool, message, **options):
    return json_format.MessageToJson(message, descriptor_pool=tool.types.pool, **options)


def samples(tool, name, count=150):
    dice = random.Random(f"json {name}")
    kind = tool.types.message(name)
    for _ in range(count):
        message = fill(dice, kind())
        if name == ALL and dice.random() < 0.5:
            inner = fill(dice, tool.types.message(dice.choice(TYPES[1:]))(), 1)
            message.any.Pack(inner)
        if name == "google.protobuf.Value" or name != ALL or message.IsInitialized():
            yield message


@pytest.mark.parametrize("plus", ["", "+"], ids=["generated", "run-time"])
@pytest.mark.parametrize("name", TYPES)
def test_what_is_written_is_what_python_writes(tool, name, plus):
    messages = list(samples(tool, name))
    texts = write(tool, plus + name, messages)
    assert len(texts) == len(messages) > 100
    for message, text in zip(messages, texts):
        assert plain(text) == plain(printed(tool, message)), text


@pytest.mark.parametrize("plus", ["", "+"], ids=["generated", "run-time"])
@pytest.mark.parametrize("name", TYPES)
def test_what_python_writes_is_read(tool, name, plus):
    messages = list(samples(tool, name))
    kind = tool.types.message(name)
    for options in ({}, {"preserving_proto_field_name": True}, {"indent": 0}):
        found = read(tool, plus + name, [printed(tool, m, **options) for m in messages])
        for message, data in zip(messages, found):
            assert not data.startswith(b"!"), (data, printed(tool, message))
            assert kind.FromString(data) == message


def test_what_was_written_is_read_again_to_the_bit(tool):
    messages = list(samples(tool, ALL))
    for options in ("", "o", "i", "d", "iod"):
        found = read(tool, ALL, write(tool, ALL, messages, options))
        for message, data in zip(messages, found):
            assert tool.types.message(ALL).FromString(data) == message


def test_options_of_writing(tool):
    kind = tool.types.message(ALL)
    message = kind(i32=1, renamed_field="x", double_real=0.5)
    assert write(tool, ALL, [message]) == ['{"i32":1,"doubleReal":0.5,"@odd name":"x"}']
    assert write(tool, ALL, [message], "o") == ['{"i32":1,"double_real":0.5,"renamed_field":"x"}']
    assert write(tool, ALL, [message], "i") == ['{\n  "i32": 1,\n  "doubleReal": 0.5,\n  "@odd name": "x"\n}']
    assert write(tool, ALL, [kind(numbers=[1, 2]), kind()], "i") == ['{\n  "numbers": [\n    1,\n    2\n  ]\n}', "{}"]
    for m in (message, kind()):
        assert plain(write(tool, ALL, [m], "d")[0]) == plain(printed(tool, m, including_default_value_fields=True))


# Text, what it is as a message (arguments of Python), by the mapping's own words.
ACCEPTED = [
    ('{"i32": 5.0, "u32": 1e3, "i64": "-9223372036854775808", "u64": "18446744073709551615"}',
     dict(i32=5, u32=1000, i64=-2**63, u64=2**64 - 1)),
    ('{"i32": "7", "f64": 12, "s64": -3}', dict(i32=7, f64=12, s64=-3)),
    ('{"real": "NaN"}', None), ('{"real": "Infinity", "double_real": "-Infinity"}', dict(real=float("inf"), double_real=float("-inf"))),
    ('{"real": -3.4028235e+38}', dict(real=-3.4028234663852886e38)),
    ('{"real": 1, "doubleReal": "1.5e3"}', dict(real=1.0, double_real=1500.0)),
    ('{"raw": "-_8="}', dict(raw=b"\xfb\xff")), ('{"raw": "+/8"}', dict(raw=b"\xfb\xff")), ('{"raw": "AA=="}', dict(raw=b"\0")),
    ('{"kind": "NEGATIVE", "kinds": [2147483647, "ZERO", 99]}', dict(kind=-1, kinds=[2147483647, 0, 99])),
    ('{"i32": null, "text": null, "child": null, "numbers": null, "words": null, "time": null, "int32Value": null}', {}),
    ('{"oneText": null, "oneBool": false}', dict(one_bool=False)), ('{"oneNull": null}', dict(one_null=0)),
    ('{"text": "\\u00fc\\ud83c\\udf0a"}', dict(text="ü\U0001f30a")),
    ('{"choices": {"true": "NEGATIVE", "false": 0}}', dict(choices={True: -1, False: 0})),
    ('{"tree": {"-5": {"i32": 1}}}', None), ('{"value": null}', None), ('{"values": [null, 1, "x", [], {}]}', None),
    ('{"@odd name": "x"}', dict(renamed_field="x")), ('{"renamed_field": "x"}', dict(renamed_field="x")),
    ('{"time": "2024-02-29T23:59:59.5+01:00"}', None), ('{"time": "0001-01-01T00:00:00Z"}', None),
    ('{"time": "1969-12-31T23:59:59.999999999Z"}', None), ('{"wait": "-1.5s"}', None), ('{"wait": "315576000000s"}', None),
    ('{"mask": "fooBar,a.bC"}', None), ('{"mask": ""}', None), ('{"any": {}}', None),
    ('{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}}', None),
    ('{"any": {"@type": "x/weir.optional.Maybe", "number": 0}}', None), ('{"wrapped": ["5", 6]}', None), ('{"stringValue": ""}', None),
    (' {\n} ', {}),
]


@pytest.mark.parametrize("text, fields", ACCEPTED, ids=[text for text, _ in ACCEPTED])
def test_texts_that_are_read(tool, text, fields):
    kind = tool.types.message(ALL)
    data, = read(tool, ALL, [text])
    assert not data.startswith(b"!"), data
    expected = kind(**fields) if fields is not None else json_format.Parse(text, kind(), descriptor_pool=tool.types.pool)
    assert kind.FromString(data).SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)


REFUSED = [
    ('', "line 1"), ('{', "line 1"), ('[]', "wants an object of weir.three.All"), ('5', "wants an object"),
    ('{"nothing": 1}', "nothing: weir.three.All has no such field"),
    ('{"child": {"children": [{}, {"nothing": 1}]}}', "child.children[1].nothing: weir.three.All has no such field"),
    ('{"i32": 1, "i32": 2}', "duplicate"), ('{"doubleReal": 1, "double_real": 2}', "double_real: given twice"),
    ('{"oneText": "x", "oneBool": true}', "oneBool: another of the same oneof"),
    ('{"i32": 2147483648}', "i32: a number out of the range"), ('{"i32": 1.5}', "i32: wants a whole number"),
    ('{"i32": "1.5"}', "i32: wants a whole number"), ('{"i32": " 1"}', "wants a whole number"), ('{"i32": true}', "wants a whole number"),
    ('{"u32": -1}', "out of the range"), ('{"u64": "18446744073709551616"}', "out of the range"), ('{"u64": 18446744073709551615}', "put it in quotes"),
    ('{"i64": 1e30}', "out of the range"), ('{"real": 1e39}', "real: a number out of the range"), ('{"real": "x"}', "wants a number"),
    ('{"real": 3.40282357e38}', "out of the range"), ('{"real": "1e999"}', "out of the range"), ('{"yes": 1}', "yes: wants true or false"), ('{"yes": "true"}', "wants true or false"),
    ('{"text": 1}', "text: wants a string"), ('{"text": "a\\u0000b"}', "NUL"), ('{"text": "\\ud800"}', "line 1"), (b'{"text": "\xff"}', "line 1"),
    ('{"raw": "A"}', "is no base64"), ('{"raw": "A==="}', "is no base64"), ('{"raw": "AA="}', "is no base64"), ('{"raw": "A A="}', "is no base64"),
    ('{"kind": "NO_SUCH"}', "kind: weir.three.All.Kind has no such value"), ('{"kind": 1.5}', "has no such value"),
    ('{"numbers": 5}', "numbers: wants a list"), ('{"numbers": [1, null]}', "numbers[1]: null cannot be in a list"),
    ('{"numbers": [1, "x"]}', "numbers[1]: wants a whole number"), ('{"words": []}', "words: wants an object"),
    ('{"words": {"a": null}}', "words.a: null"), ('{"choices": {"yes": 0}}', "choices.yes: a key"), ('{"tree": {"x": {}}}', "tree.x: wants a whole"),
    ('{"time": "2023-02-29T00:00:00Z"}', "time: wants a time"), ('{"time": "2024-01-01"}', "wants a time"), ('{"time": 5}', "wants a time"),
    ('{"time": "2024-01-01T24:00:00Z"}', "wants a time"), ('{"time": "0000-01-01T00:00:00Z"}', "wants a time"),
    ('{"time": "0001-01-01T00:00:00+00:01"}', "wants a time"), ('{"time": "2024-01-01T00:00:00"}', "wants a time"),
    ('{"time": "2024-01-01T00:00:00.1234567890Z"}', "wants a time"), ('{"wait": "1"}', "wait: wants a duration"), ('{"wait": "1.s"}', "wants a duration"),
    ('{"wait": "315576000001s"}', "wants a duration"), ('{"mask": "foo_bar"}', "mask[0]: paths are in lowerCamelCase"),
    ('{"any": {"i32": 1}}', "any: an Any wants"), ('{"any": {"@type": "x/no.Such"}}', "any: its type x/no.Such is not known"),
    ('{"any": {"@type": "x/google.protobuf.Duration"}}', 'wants a "value"'), ('{"any": {"@type": "x/words", "nothing": 1}}', "any.nothing: words has no"),
    ('{"any": 5}', "any: an Any wants"), ("[" * 300, "nested too deep"), ('{"child":' * 150 + "{}" + "}" * 150, "nested too deep"),
    ('{"value": ' + "[" * 60 + "]" * 60 + "}", "nested too deep"),
]


@pytest.mark.parametrize("text, words", REFUSED, ids=[str(text)[:60] for text, _ in REFUSED])
def test_texts_that_are_refused_say_where(tool, text, words):
    for plus in ("", "+"):
        data, = read(tool, plus + ALL, [text])
        assert data.startswith(b"!-") and words in data.decode(), data


def test_what_is_required_is_wanted(tool):
    assert b"aField: is required and missing" in read(tool, "weir.Test_two.All", ["{}"])[0]


def test_unknown_names_can_be_left_out(tool):
    kind = tool.types.message(ALL)
    assert kind.FromString(read(tool, ALL, ['{"i32": 1, "nothing": {"x": []}}'], "u")[0]) == kind(i32=1)


def test_memory_is_bounded(tool):
    """A list of empty objects, three bytes each, would be structs of a kilobyte each."""
    text = '{"children": [' + ",".join(["{}"] * 20000) + "]}"
    assert b"too much memory" in read(tool, ALL, [text])[0]


def test_what_has_no_form_in_json_is_said(tool):
    kind = tool.types.message(ALL)
    bad = []
    for change, words in [
        (lambda m: setattr(m.time, "seconds", 253402300800), "time: a time before"), (lambda m: setattr(m.time, "nanos", -1), "time: a time"),
        (lambda m: (setattr(m.wait, "seconds", 1), setattr(m.wait, "nanos", -1)), "wait: a duration"),
        (lambda m: setattr(m.wait, "seconds", 315576000001), "wait: a duration"), (lambda m: m.mask.paths.append("Foo"), "mask[0]: a path"),
        (lambda m: m.mask.paths.append("foo_3"), "mask[0]: a path"), (lambda m: setattr(m.value, "number_value", float("nan")), "value: a Value"),
        (lambda m: setattr(m.any, "type_url", "x/no.Such"), "any: its type x/no.Such is not known"),
        (lambda m: (setattr(m.any, "type_url", "x/words"), setattr(m.any, "value", b"\xff")), "any: words: "),
    ]:
        bad.append((kind(), words))
        change(bad[-1][0])
    for (message, words), text in zip(bad, write(tool, ALL, [m for m, _ in bad])):
        assert text.startswith("!-") and words in text, text


def test_a_key_that_comes_twice_is_written_once(tool):
    data = b"".join(b"\xc2\x01\x06\x0a\x01" + key + b"\x12\x01" + value for key, value in [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
    assert write(tool, ALL, [data]) == ['{"words":{"b":"2","a":"3"}}']
