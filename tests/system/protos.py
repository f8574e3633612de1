"""What the tests of messages share: .proto files read by protoc, as Python classes, and filled at random."""

import pathlib
import struct
import subprocess

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor as F

ROOT = pathlib.Path(__file__).parents[2]
PROTOS = ROOT / "tests/protos"
WELL_KNOWN = ["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"]


def descriptor_set(out, *files):
    """protoc's FileDescriptorSet of files in tests/protos, with all they import."""
    subprocess.run(["protoc", f"-I{PROTOS}", "--include_imports", "-o", out, *files], check=True, timeout=60)
    return out.read_bytes()


class Types:
    """Classes of a FileDescriptorSet."""

    def __init__(self, data):
        self.set = descriptor_pb2.FileDescriptorSet.FromString(data)
        self.pool = descriptor_pool.DescriptorPool()
        for file in self.set.file:
            self.pool.Add(file)
        self.factory = message_factory.MessageFactory(self.pool)

    def message(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def names(self):
        """Full names of messages and of enums, as declared, entries of maps too."""
        messages, enums = [], []

        def inside(scope, declared):
            enums.extend(f"{scope}.{e.name}".strip(".") for e in declared.enum_type)
            for message in getattr(declared, "nested_type", None) or getattr(declared, "message_type", ()):
                messages.append(f"{scope}.{message.name}".strip("."))
                inside(messages[-1], message)

        for file in self.set.file:
            inside(file.package, file)
        return messages, enums


INTEGERS = {F.TYPE_INT32: (-2**31, 2**31 - 1), F.TYPE_SINT32: (-2**31, 2**31 - 1), F.TYPE_SFIXED32: (-2**31, 2**31 - 1),
            F.TYPE_INT64: (-2**63, 2**63 - 1), F.TYPE_SINT64: (-2**63, 2**63 - 1), F.TYPE_SFIXED64: (-2**63, 2**63 - 1),
            F.TYPE_UINT32: (0, 2**32 - 1), F.TYPE_FIXED32: (0, 2**32 - 1), F.TYPE_UINT64: (0, 2**64 - 1),
            F.TYPE_FIXED64: (0, 2**64 - 1)}
LETTERS = "aZ09_ -\"\\/<>'\n\t\x01\x7füß€\U0001f30a\u2028"


def scalar(dice, field):
    kind = field.type
    if kind in INTEGERS:
        low, high = INTEGERS[kind]
        return dice.choice([low, high, 0, 1, dice.randint(low, high), max(low, -1)])
    if kind == F.TYPE_BOOL:
        return dice.random() < 0.5
    if kind == F.TYPE_STRING:
        return "".join(dice.choice(LETTERS) for _ in range(dice.randrange(12)))
    if kind == F.TYPE_BYTES:
        return dice.randbytes(dice.randrange(20))
    if kind == F.TYPE_ENUM:
        return dice.choice(field.enum_type.values).number
    if kind == F.TYPE_FLOAT:
        return struct.unpack("f", struct.pack("f", dice.choice([0.1, -1.5, 3e38, 1e-40, 16777216, dice.uniform(-1e6, 1e6)])))[0]
    return dice.choice([0.1, -1.5, 1e308, 5e-324, 1e15, 123456789012345680.0, dice.uniform(-1e9, 1e9)])


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def unlike_default(dice, field):
    """protobuf-c leaves a key or a value out of an entry when it is 0 or empty; others write it."""
    while True:
        value = scalar(dice, field)
        if value:
            return value


def fill_map(dice, message, field, depth):
    key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
    entries = getattr(message, field.name)
    for _ in range(dice.randrange(4)):
        if value.message_type is not None:
            fill(dice, entries[unlike_default(dice, key)], depth - 1)
        else:
            entries[unlike_default(dice, key)] = unlike_default(dice, value)


def fill_field(dice, message, field, depth):
    if is_map(field):
        fill_map(dice, message, field, depth)
    elif field.label == F.LABEL_REPEATED:
        for _ in range(dice.randrange(4)):
            if field.message_type is not None:
                fill(dice, getattr(message, field.name).add(), depth - 1)
            else:
                getattr(message, field.name).append(scalar(dice, field))
    elif field.message_type is not None:
        getattr(message, field.name).SetInParent()
        fill(dice, getattr(message, field.name), depth - 1)
    else:
        setattr(message, field.name, scalar(dice, field))


# What JSON has a form of its own for, and not every value is one.
OWN = {
    "google.protobuf.Timestamp": lambda dice, m: m.FromNanoseconds(dice.choice([0, 10**9, -1, dice.randrange(-62 * 10**18, 250 * 10**18)])),
    "google.protobuf.Duration": lambda dice, m: m.FromNanoseconds(dice.choice([0, 10**9, -1, -10**9 - 5 * 10**8, dice.randrange(-10**18, 10**18)])),
    "google.protobuf.FieldMask": lambda dice, m: m.paths.extend(dice.sample(["a", "foo_bar", "foo.bar_baz", "x.y.z"], dice.randrange(4))),
    "google.protobuf.Any": lambda dice, m: None,
}


def fill(dice, message, depth=3):
    """Sets some fields, of a oneof at most one (the last)."""
    own = OWN.get(message.DESCRIPTOR.full_name)
    if own:
        own(dice, message)
        return message
    if message.DESCRIPTOR.full_name == "google.protobuf.Value":
        fill_value(dice, message, depth)
        return message
    for field in message.DESCRIPTOR.fields:
        if field.label == F.LABEL_REQUIRED or (dice.random() < 0.4 and (depth > 0 or field.message_type is None)):
            fill_field(dice, message, field, depth)
    return message


def fill_value(dice, value, depth):
    kind = dice.randrange(6 if depth > 0 else 4)
    if kind == 0:
        value.null_value = 0
    elif kind == 1:
        value.number_value = dice.choice([0, -0.5, 1e20, 3, 1e-7])
    elif kind == 2:
        value.string_value = dice.choice(["", "text", "ü\n"])
    elif kind == 3:
        value.bool_value = dice.random() < 0.5
    elif kind == 4:
        value.struct_value.SetInParent()
        for name in dice.sample(["a", "b", "c d"], dice.randrange(3)):
            fill_value(dice, value.struct_value.fields[name], depth - 1)
    else:
        value.list_value.SetInParent()
        for _ in range(dice.randrange(3)):
            fill_value(dice, value.list_value.values.add(), depth - 1)


def framed(messages):
    return b"".join(struct.pack("<I", len(m)) + m for m in messages)


def unframed(data):
    found, at = [], 0
    while at < len(data):
        length, = struct.unpack_from("<I", data, at)
        found.append(data[at + 4:at + 4 + length])
        at += 4 + length
    return found
