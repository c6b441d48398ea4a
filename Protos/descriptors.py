"""Descriptors of the public xDS API, as PyPI's xds-protos carries them."""

import importlib
import importlib.metadata
import importlib.util
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool

# The release that our .proto files were made from. With a later one, what it has more is no difference.
READ_FROM = "1.85.0"
ROOTS = ("envoy", "xds", "udpa", "google/rpc")


class Index:
    """Messages, enums and services by full name, nested ones included."""

    def __init__(self, files):
        self.messages = {}
        self.enums = {}
        self.services = {}
        self.package_of = {}
        self.syntax_of = {}
        for file in files:
            self.syntax_of[file.package] = file.syntax
            for service in file.service:
                self.services[f"{file.package}.{service.name}"] = service
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


def version():
    """The installed release of xds-protos."""
    try:
        return importlib.metadata.version("xds-protos")
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit("xds-protos is not installed: pip install xds-protos") from None


def upstream():
    """The index of every file of xds-protos."""
    version()
    site = Path(list(importlib.util.find_spec("envoy").submodule_search_locations)[0]).parent
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
