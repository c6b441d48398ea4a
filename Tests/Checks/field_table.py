#!/usr/bin/env python3
"""Compares the table of fields that the proxy decodes with the protos: every message of the table with all of its fields,
names and numbers. A field that is added to a proto must be put under used, ignored or refused."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "Sources/ApusTraffic/Decode/FieldTable.swift"


def proto_fields():
    """Fields by full message name, from the text of the protos (one declaration a line)."""
    messages = {}
    for path in (ROOT / "Protos").rglob("*.proto"):
        package, stack = "", []
        for line in path.read_text().splitlines():
            line = line.split("//")[0].strip()
            if match := re.match(r"package ([\w.]+);", line):
                package = match[1]
            elif match := re.match(r"(message|enum|oneof) (\w+) \{(\})?", line):
                if match[1] == "message":
                    messages[".".join([package, *(n for k, n in stack if k == "message"), match[2]])] = {}
                if not match[3]:
                    stack.append((match[1], match[2]))
            elif line.startswith("}"):
                if stack:
                    stack.pop()
            elif stack and stack[-1][0] != "enum":
                if match := re.match(r".*?(\w+) = (\d+)\b", line):
                    name = ".".join([package, *(n for k, n in stack if k == "message")])
                    messages[name][match[1]] = int(match[2])
    return messages


def table_fields():
    text = TABLE.read_text()
    heads = list(re.finditer(r'"([\w.]+\.v3(?:\.\w+)+)":\s*Entry\(', text))
    table = {}
    for head, following in zip(heads, [*heads[1:], None]):
        entry = text[head.end() : following.start() if following else len(text)]
        table[head[1]] = re.findall(r"(\w+)=(\d+)", entry)
    return table


def main():
    protos, table, problems = proto_fields(), table_fields(), []
    if len(table) < 100:
        problems.append(f"only {len(table)} messages were found in the table")
    for message, entries in table.items():
        wanted = protos.get(message)
        if wanted is None:
            problems.append(f"{message}: no such message in the protos")
            continue
        names = [name for name, _ in entries]
        for name in sorted({n for n in names if names.count(n) > 1}):
            problems.append(f"{message}.{name}: named more than once")
        for name, number in entries:
            if wanted.get(name) != int(number):
                problems.append(f"{message}.{name}={number}: the protos have {wanted.get(name)}")
        for name in sorted(set(wanted) - set(names)):
            problems.append(f"{message}.{name}: neither used nor ignored nor refused")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"field table: {len(table)} messages, {sum(map(len, table.values()))} fields, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
