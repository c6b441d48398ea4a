#!/usr/bin/env python3
"""Prints the Swift that holds names, numbers and types of all fields of the messages kept here, for reading them as text.

A field that the public API has and our .proto files leave out is listed too, so that whoever writes it can be told that
it is not supported, and not that it does not exist. Needs protoc and xds-protos.
"""

import subprocess
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

import descriptors

HERE = Path(__file__).resolve().parent
# Nothing of these is ever written by hand.
LEFT_OUT = ("envoy.admin.", "envoy.service.status.", "grpc.", "istio.")

FIELD = descriptor_pb2.FieldDescriptorProto
KINDS = {
    FIELD.TYPE_STRING: "s", FIELD.TYPE_BYTES: "y", FIELD.TYPE_BOOL: "b", FIELD.TYPE_INT32: "i", FIELD.TYPE_INT64: "l",
    FIELD.TYPE_UINT32: "u", FIELD.TYPE_UINT64: "v", FIELD.TYPE_DOUBLE: "d", FIELD.TYPE_FLOAT: "f",
    FIELD.TYPE_ENUM: "e", FIELD.TYPE_MESSAGE: "m",
}


def ours():
    """Our .proto files, and those of protobuf that they import."""
    paths = sorted(str(path.relative_to(HERE)) for path in HERE.rglob("*.proto"))
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", "-I", ".", f"--descriptor_set_out={out.name}", *paths], cwd=HERE, check=True)
        files = descriptor_pb2.FileDescriptorSet()
        files.ParseFromString(Path(out.name).read_bytes())
    return descriptors.Index(files.file)


def kind(field):
    text = KINDS[field.type]
    if text in "em":
        text += ":" + field.type_name[1:]
    return text


def field_line(index, message, field):
    entry = index.map_entry(field)
    if entry is not None:
        key, value = entry.field
        text = f"%{kind(key)}{kind(value)}"
    else:
        text = ("*" if field.label == FIELD.LABEL_REPEATED else "") + kind(field)
    oneof = ""
    if field.HasField("oneof_index") and not field.proto3_optional:
        oneof = " " + message.oneof_decl[field.oneof_index].name
    return f"{field.name} {field.number} {text}{oneof}"


def lines():
    index = ours()
    public = descriptors.upstream()
    for name, message in sorted(index.messages.items()):
        if name.startswith(LEFT_OUT) or message.options.map_entry:
            continue
        yield f"={name}"
        known = {field.name for field in message.field}
        for field in message.field:
            yield field_line(index, message, field)
        theirs = public.messages.get(name)
        for field in theirs.field if theirs else ():
            if field.name not in known:
                yield f"{field.name} {field.number} {'~' if field.options.deprecated else '-'}"
    for name, enum in sorted(index.enums.items()):
        if name.startswith(LEFT_OUT):
            continue
        yield f"#{name}"
        for value in enum.value:
            yield f"{value.name} {value.number}"


def swift():
    """The text of MessageSchema.swift."""
    body = "\n".join(f"        {line}" for line in lines())
    return f'''// Made by Protos/generate.sh: change the .proto files, not this one.

/// Names, numbers and types of the fields of every message that may stand in a configuration, for reading text.
///
/// `=message`, then its fields as `name number type [oneof]`; `#enum`, then its values as `name number`. Types: `s`
/// string, `y` bytes, `b` bool, `i` 32 and `l` 64 bits signed, `u` 32 and `v` 64 bits unsigned, `d` double, `f` float,
/// `e:enum`, `m:message`; before it `*` for a list, `%` and the key's type for a map. `-`: the public API has the field
/// and this proxy has not; `~`: it is deprecated besides.
package enum MessageSchema {{
    package static let text: StaticString = """
{body}
        """
}}
'''


if __name__ == "__main__":
    print(swift(), end="")
