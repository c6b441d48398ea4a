#!/usr/bin/env python3
"""Writes the trimmed .proto files from keep.txt and the descriptors of xds-protos.

    trim.py [--out DIR] [--dropped]

Only facts come from the descriptors: names, numbers, types, oneofs, enum values. Comments come from keep.txt, options
are left out. There is one file per package. `--dropped` prints every live field that a `*` left out because its type is
not kept.
"""

import argparse
import re
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2

import descriptors

HERE = Path(__file__).resolve().parent
WELL_KNOWN = {
    "Any": "any", "Duration": "duration", "Empty": "empty", "Timestamp": "timestamp",
    "Struct": "struct", "Value": "struct", "ListValue": "struct", "NullValue": "struct",
    **{f"{kind}Value": "wrappers" for kind in
       ("Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64")},
}
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {value: name[5:].lower() for name, value in Field.Type.items()}


class Keep:
    """One line of keep.txt: which fields of a message stay, and our comment on it."""

    def __init__(self, line, wildcard, included, excluded, comment):
        self.line = line
        self.wildcard = wildcard
        self.included = included
        self.excluded = excluded
        self.comment = comment


def read_keep_list(path, index):
    """Full message name to `Keep`. Fails on a name that the descriptors do not know."""
    kept, package = {}, None
    pending = ""
    for number, text in enumerate(path.read_text().splitlines(), 1):
        text = pending + text
        pending = ""
        if text.endswith("\\"):
            pending = text[:-1]
            continue
        body, _, comment = text.partition("#")
        body, comment = body.strip(), comment.strip()
        if not body:
            continue
        if body.startswith("["):
            package = body.strip("[]")
            continue
        name, *words = body.split()
        where = f"{path.name}:{number}"
        full = f"{package}.{name}"
        if full not in index.messages:
            sys.exit(f"{where}: no message {full}")
        if full in kept and kept[full].line:
            sys.exit(f"{where}: {full} is listed twice")
        fields = {field.name for field in index.messages[full].field}
        included = {word for word in words if word[0] not in "*-"}
        excluded = {word[1:] for word in words if word[0] == "-"}
        for unknown in (included | excluded) - fields:
            sys.exit(f"{where}: {full} has no field {unknown}")
        wildcard = "*" in words or "**" in words
        kept[full] = Keep(number, wildcard, included, excluded, comment)
        if "**" in words:
            for nested, message in index.messages.items():
                if nested.startswith(full + ".") and not message.options.map_entry:
                    kept.setdefault(nested, Keep(0, True, set(), set(), ""))
    return kept


class Trimmer:
    def __init__(self, index, kept):
        self.index = index
        self.kept = kept
        self.dropped = []
        self.fields = {name: self._select(name, keep) for name, keep in kept.items()}
        self.enums = {target for name in kept for field in self.fields[name]
                      for target in self._targets(field) if target in index.enums}

    def _targets(self, field):
        entry = self.index.map_entry(field)
        if entry is not None:
            return [value.type_name[1:] for value in entry.field if value.type_name]
        return [field.type_name[1:]] if field.type_name else []

    def _type_is_kept(self, target):
        if target.startswith("google.protobuf."):
            return target.removeprefix("google.protobuf.") in WELL_KNOWN
        return target in self.kept or target in self.index.enums

    def _select(self, name, keep):
        chosen = []
        for field in self.index.messages[name].field:
            possible = all(self._type_is_kept(target) for target in self._targets(field))
            if field.name in keep.included:
                if not possible:
                    sys.exit(f"keep.txt:{keep.line}: {name}.{field.name} needs {field.type_name[1:]}")
                chosen.append(field)
            elif keep.wildcard and field.name not in keep.excluded and not field.options.deprecated:
                if possible:
                    chosen.append(field)
                else:
                    self.dropped.append(f"{name}.{field.name} ({field.type_name[1:]})")
        return chosen

    def packages(self):
        return sorted({self.index.package_of[name] for name in [*self.kept, *self.enums]})

    def render(self, package):
        imports = set()
        for name in self.kept:
            if self.index.package_of[name] != package:
                continue
            for field in self.fields[name]:
                for target in self._targets(field):
                    if target.startswith("google.protobuf."):
                        imports.add(f"google/protobuf/{WELL_KNOWN[target.removeprefix('google.protobuf.')]}.proto")
                    elif self.index.package_of[target] != package:
                        imports.add(path_of(self.index.package_of[target]))
        lines = ["// Made by trim.py from keep.txt: change that list, not this file.", "", 'syntax = "proto3";', "",
                 f"package {package};"]
        if imports:
            lines += ["", *(f'import "{path}";' for path in sorted(imports))]
        lines += self._scope(package, package, "")
        return "\n".join(lines) + "\n"

    def _children(self, scope, names):
        return [name for name in names if name.rpartition(".")[0] == scope]

    def _scope(self, package, scope, indent):
        """Enums, then messages, that stand directly in `scope`."""
        lines = []
        for name in sorted(self._children(scope, self.enums)):
            lines += ["", *self._enum(name, indent)]
        order = list(self.index.messages)
        wanted = [name for name in order if any(kept == name or kept.startswith(name + ".")
                                                for kept in [*self.kept, *self.enums])]
        for name in self._children(scope, wanted):
            lines += ["", *self._message(package, name, indent)]
        return lines

    def _enum(self, name, indent):
        enum = self.index.enums[name]
        lines = [f"{indent}enum {enum.name} {{"]
        if enum.options.allow_alias:
            lines.append(f"{indent}  option allow_alias = true;")
        lines += [f"{indent}  {value.name} = {value.number};" for value in enum.value]
        return [*lines, f"{indent}}}"]

    def _message(self, package, name, indent):
        message = self.index.messages[name]
        keep = self.kept.get(name)
        lines = [f"{indent}// {keep.comment}"] if keep and keep.comment else []
        lines.append(f"{indent}message {message.name} {{")
        body = self._scope(package, name, indent + "  ")
        open_oneof = None
        fields = []
        for field in self.fields.get(name, []):
            in_oneof = field.HasField("oneof_index") and not field.proto3_optional
            oneof = message.oneof_decl[field.oneof_index].name if in_oneof else None
            if oneof != open_oneof:
                if open_oneof:
                    fields.append(f"{indent}  }}")
                if oneof:
                    fields += ["", f"{indent}  oneof {oneof} {{"]
                elif open_oneof:
                    fields.append("")
                open_oneof = oneof
            fields.append(f"{indent}  {'  ' if oneof else ''}{self._field(package, name, field)}")
        if open_oneof:
            fields.append(f"{indent}  }}")
        content = [*body, "", *fields]
        while content and not content[0]:
            content.pop(0)
        while content and not content[-1]:
            content.pop()
        if not content:
            lines[-1] += "}"
            return lines
        return [*lines, *content, f"{indent}}}"]

    def _field(self, package, scope, field):
        entry = self.index.map_entry(field)
        if entry is not None:
            key, value = entry.field
            kind = f"map<{SCALARS[key.type]}, {self._type(package, scope, value)}>"
        else:
            kind = self._type(package, scope, field)
            if field.label == Field.LABEL_REPEATED:
                kind = f"repeated {kind}"
            elif field.proto3_optional:
                kind = f"optional {kind}"
        options = []
        if json_name(field) != default_json_name(field):
            options.append(f'json_name = "{field.json_name}"')
        suffix = f" [{', '.join(options)}]" if options else ""
        return f"{kind} {field.name} = {field.number}{suffix};"

    def _type(self, package, scope, field):
        if not field.type_name:
            return SCALARS[field.type]
        target = field.type_name[1:]
        if not target.startswith(package + "."):
            return target
        # Shortest spelling that protoc, which looks from the inside out, resolves to the same type.
        known = {*self.index.messages, *self.index.enums}
        parts = target.removeprefix(package + ".").split(".")
        for start in range(len(parts) - 1, -1, -1):
            first, spelled, look = parts[start], ".".join(parts[start:]), scope
            while len(look) >= len(package):
                if f"{look}.{first}" in known:
                    if f"{look}.{spelled}" == target:
                        return spelled
                    break
                look = look.rpartition(".")[0]
        return field.type_name


def default_json_name(field):
    return re.sub(r"_(.)", lambda match: match[1].upper(), field.name)


def json_name(field):
    """Descriptors leave it out where it is the default one."""
    return field.json_name or default_json_name(field)


def path_of(package):
    """`envoy.config.core.v3` is the file `envoy/config/core/v3/core.proto`."""
    parts = package.split(".")
    name = next(part for part in reversed(parts) if not re.fullmatch(r"v\d+(alpha\d*)?", part))
    return "/".join(parts) + f"/{name}.proto"


def render_all():
    """Relative path to text, for each file that keep.txt asks for, and the live fields that wildcards left out."""
    index = descriptors.upstream()
    trimmer = Trimmer(index, read_keep_list(HERE / "keep.txt", index))
    return {path_of(package): trimmer.render(package) for package in trimmer.packages()}, trimmer.dropped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--dropped", action="store_true")
    arguments = parser.parse_args()
    if descriptors.version() != descriptors.READ_FROM:
        sys.exit(f"the protos are made from xds-protos {descriptors.READ_FROM}, not {descriptors.version()}")
    files, dropped = render_all()
    for path, text in files.items():
        target = arguments.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    if arguments.dropped:
        print("\n".join(dropped))


if __name__ == "__main__":
    main()
