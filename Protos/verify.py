#!/usr/bin/env python3
"""Proves that the trimmed protos say what the public API says, and that the Swift was made from them.

    verify.py [PLUGIN]

Names each difference between our .proto files and the descriptors in xds-protos, each .proto that trim.py would write
otherwise, each service method that the public API has otherwise, each generated file changed by hand or left behind,
and each extension that no `Any` could be shown as.
PLUGIN (else protoc-gen-swift of the PATH) allows a fresh generation to be compared too. Needs protoc.
"""

import filecmp
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

import descriptors
import reflection
import schema
import trim

HERE = Path(__file__).resolve().parent
GENERATED = HERE.parent / "Sources" / "ApusAPI"

# Packages that xds-protos does not carry, and why we have them. These files are written by hand.
BY_HAND = {
    "istio.v1.auth": "Istio's certificate service is not part of xDS",
    "grpc.health.v1": "gRPC's own health service is not part of xDS",
    "grpc.reflection.v1": "gRPC's own reflection service is not part of xDS",
    "grpc.reflection.v1alpha": "the same service as older clients call it",
}


def our_files():
    """Descriptors of the .proto files here, as protoc reads them."""
    paths = sorted(str(path.relative_to(HERE)) for path in HERE.rglob("*.proto"))
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", "-I", ".", f"--descriptor_set_out={out.name}", *paths], cwd=HERE, check=True)
        files = descriptor_pb2.FileDescriptorSet()
        files.ParseFromString(Path(out.name).read_bytes())
    return files.file


def facts_of(message, field):
    """What of a field decides its bytes, its JSON and its Swift."""
    oneof = None
    if field.HasField("oneof_index") and not field.proto3_optional:
        oneof = message.oneof_decl[field.oneof_index].name
    return {
        "number": field.number,
        "type": trim.SCALARS[field.type],
        "label": descriptor_pb2.FieldDescriptorProto.Label.Name(field.label),
        "type name": field.type_name,
        "oneof": oneof,
        "proto3 optional": field.proto3_optional,
        "JSON name": trim.json_name(field),
        "packed": field.options.packed if field.options.HasField("packed") else None,
    }


def compare(ours, public, same_release):
    """One line per difference. A later release may add values to an enum."""
    differences = []
    for package in sorted(set(ours.package_of.values()) - set(BY_HAND)):
        if public.syntax_of.get(package) != ours.syntax_of[package]:
            differences.append(f"package {package}: syntax is {public.syntax_of.get(package)} in xds-protos")
    for name, message in ours.messages.items():
        if ours.package_of[name] in BY_HAND:
            if name in public.messages:
                differences.append(f"{name}: is in xds-protos, so it must be made by trim.py")
            continue
        theirs = public.messages.get(name)
        if theirs is None:
            differences.append(f"{name}: no such message in xds-protos")
            continue
        if message.options.map_entry != theirs.options.map_entry:
            differences.append(f"{name}: only one of both is a map entry")
        fields = {field.name: field for field in theirs.field}
        for field in message.field:
            if field.name not in fields:
                differences.append(f"{name}.{field.name}: no such field in xds-protos")
                continue
            expected = facts_of(theirs, fields[field.name])
            for fact, value in facts_of(message, field).items():
                if value != expected[fact]:
                    differences.append(f"{name}.{field.name}: {fact} is {value}, in xds-protos {expected[fact]}")
    for name, enum in ours.enums.items():
        if ours.package_of[name] in BY_HAND:
            continue
        if name not in public.enums:
            differences.append(f"{name}: no such enum in xds-protos")
            continue
        mine = {value.name: value.number for value in enum.value}
        theirs = {value.name: value.number for value in public.enums[name].value}
        for value in sorted(mine.keys() | theirs.keys() if same_release else mine):
            if mine.get(value) != theirs.get(value):
                differences.append(f"{name}.{value}: is {mine.get(value)}, in xds-protos {theirs.get(value)}")
    return differences


def compare_services(ours, public):
    """One line per method that the public service does not have, or has otherwise."""
    differences = []
    for name, service in ours.services.items():
        if name.rpartition(".")[0] in BY_HAND:
            continue
        if name not in public.services:
            differences.append(f"{name}: no such service in xds-protos")
            continue
        methods = {method.name: method for method in public.services[name].method}
        for method in service.method:
            facts = [(each.input_type, each.output_type, each.client_streaming, each.server_streaming)
                     for each in (method, methods.get(method.name)) if each is not None]
            if len(facts) < 2 or facts[0] != facts[1]:
                differences.append(f"{name}.{method.name}: is {facts[0]}, in xds-protos {facts[1:]}")
    return differences


def stale_reflection():
    """The embedded descriptors, if they are not what reflection.py prints."""
    path = HERE.parent / "Sources" / "ApusControlPlane" / "GRPC" / "ReflectionDescriptors.swift"
    same = path.exists() and path.read_text() == reflection.swift()
    return [] if same else [f"{path.name}: is not what reflection.py prints"]


def stale_schema():
    """The fields for reading text, if they are not what schema.py prints."""
    path = GENERATED / "MessageSchema.swift"
    same = path.exists() and path.read_text() == schema.swift()
    return [] if same else [f"{path.name}: is not what schema.py prints"]


def stale_protos():
    """Files of trim.py that are missing, changed by hand, or no longer asked for."""
    expected, _ = trim.render_all()
    by_hand = {trim.path_of(package) for package in BY_HAND} | set(reflection.service_files())
    found = {str(path.relative_to(HERE)) for path in HERE.rglob("*.proto")}
    differences = [f"{path}: not listed in keep.txt" for path in sorted(found - set(expected) - by_hand)]
    for path, text in expected.items():
        if path not in found or (HERE / path).read_text() != text:
            differences.append(f"{path}: is not what trim.py writes")
    return differences


def stale_sums():
    """Protos and Swift files whose bytes are not those of the last generation."""
    recorded = dict(reversed(line.split("  ", 1)) for line in (HERE / "generated.sha256").read_text().splitlines())
    present = {f"./{path.relative_to(HERE)}": path for path in HERE.rglob("*.proto")}
    present |= {f"../Sources/ApusAPI/{path.name}": path for path in GENERATED.glob("*.pb.swift")}
    differences = []
    for name in sorted(recorded.keys() | present.keys()):
        digest = hashlib.sha256(present[name].read_bytes()).hexdigest() if name in present else None
        if digest != recorded.get(name):
            differences.append(f"{name}: changed since generate.sh last ran")
    return differences


def fresh_generation(plugin):
    """Swift files that differ from what the plugin writes now."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([HERE / "generate.sh", plugin, folder], check=True)
        fresh = {path.name for path in Path(folder).glob("*.pb.swift")}
        committed = {path.name for path in GENERATED.glob("*.pb.swift")}
        differences = [f"{name}: in only one of both" for name in sorted(fresh ^ committed)]
        for name in sorted(fresh & committed):
            if not filecmp.cmp(Path(folder) / name, GENERATED / name, shallow=False):
                differences.append(f"{name}: differs from a fresh generation")
    return differences


def unregistered(ours):
    """Extensions that stand in no field, so only ever in an `Any`, and are not known to APIRegistry."""
    referenced = {field.type_name[1:] for name, message in ours.messages.items() for field in message.field
                  if field.type_name[1:] != name}
    registry = (GENERATED / "APIRegistry.swift").read_text()
    differences = []
    for name, package in ours.package_of.items():
        top_level = name in ours.messages and name.removeprefix(package + ".").count(".") == 0
        if not top_level or name in referenced or not package.startswith("envoy.extensions."):
            continue
        if package.startswith("envoy.extensions.common."):
            continue
        swift = "_".join("".join(word[:1].upper() + word[1:] for word in part.split("_")) for part in name.split("."))
        if f"{swift}.self" not in registry:
            differences.append(f"{name}: {swift} is not in APIRegistry")
    return differences


def main():
    plugin = sys.argv[1] if len(sys.argv) > 1 else shutil.which("protoc-gen-swift")
    ours = descriptors.Index(our_files())
    same_release = descriptors.version() == descriptors.READ_FROM
    public = descriptors.upstream()
    differences = compare(ours, public, same_release) + compare_services(ours, public) + stale_reflection() + stale_schema()
    if same_release:
        differences += stale_protos()
    differences += stale_sums() + unregistered(ours)
    if plugin:
        differences += fresh_generation(plugin)
    for line in differences:
        print(line, file=sys.stderr)
    fields = sum(len(message.field) for message in ours.messages.values())
    print(f"{len(ours.messages)} messages, {fields} fields, {len(ours.enums)} enums: {len(differences)} differences")
    if not same_release:
        print(f"xds-protos is {descriptors.version()}, not {descriptors.READ_FROM}: trim.py was not compared")
    if not plugin:
        print("no protoc-gen-swift: the generated code was compared by its sums only")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
