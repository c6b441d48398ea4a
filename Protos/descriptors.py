"""Descriptors of the public xDS API, as PyPI's xds-protos carries them."""

import importlib
import importlib.util
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool

ROOTS = ("envoy", "xds", "udpa", "google/rpc")


class Index:
    """Messages and enums by full name, nested ones included."""

    def __init__(self, files):
        self.messages = {}
        self.enums = {}
        self.package_of = {}
        for file in files:
            for enum in file.enum_type:
                self._add_enum(file.package, file.package, enum)
            for message in file.message_type:
                self._add_message(file.package, file.package, message)

    def _add_enum(self, package, scope, enum):
        name = f"{scope}.{enum.name}"
        self.enums[name] = enum
        self.package_of[name] = package

    def _add_message(self, package, scope, message):
        name = f"{scope}.{message.name}"
        self.messages[name] = message
        self.package_of[name] = package
        for enum in message.enum_type:
            self._add_enum(package, name, enum)
        for nested in message.nested_type:
            self._add_message(package, name, nested)

    def map_entry(self, field):
        """The entry message when `field` is a map, else None."""
        entry = self.messages.get(field.type_name.lstrip("."))
        return entry if entry is not None and entry.options.map_entry else None


def upstream():
    """The index of every file of xds-protos; a file that does not import is left out and its types are then missed."""
    spec = importlib.util.find_spec("envoy")
    if spec is None:
        raise SystemExit("xds-protos is not installed: pip install xds-protos")
    site = Path(list(spec.submodule_search_locations)[0]).parent
    names = set()
    for root in ROOTS:
        for path in sorted((site / root).rglob("*_pb2.py")):
            module = importlib.import_module(".".join(path.relative_to(site).with_suffix("").parts))
            names.add(module.DESCRIPTOR.name)
    files = []
    for name in sorted(names):
        file = descriptor_pb2.FileDescriptorProto()
        descriptor_pool.Default().FindFileByName(name).CopyToProto(file)
        files.append(file)
    return Index(files)
