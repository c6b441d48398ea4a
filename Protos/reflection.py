#!/usr/bin/env python3
"""Prints the Swift that holds the descriptors of all services and of what their messages need. Needs protoc."""

import base64
import re
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH = 110


def service_files():
    """Paths of the .proto files that declare a service Apus serves."""
    served = (path for path in HERE.rglob("*.proto") if re.search(r"^service ", path.read_text(), re.MULTILINE))
    return sorted(str(path.relative_to(HERE)) for path in served)


def swift():
    """The text of ReflectionDescriptors.swift."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["protoc", "-I", ".", "--include_imports", f"--descriptor_set_out={out.name}", *service_files()],
            cwd=HERE, check=True)
        text = base64.b64encode(Path(out.name).read_bytes()).decode()
    lines = "\n".join(f"        {text[start:start + WIDTH]}" for start in range(0, len(text), WIDTH))
    return f'''// Made by Protos/generate.sh: change the .proto files, not this one.

/// Descriptors of every service that is served and of the messages they need.
enum ReflectionDescriptors {{
    /// A serialised `google.protobuf.FileDescriptorSet` in base64, a file after those it imports.
    static let base64 = """
{lines}
        """
}}
'''


if __name__ == "__main__":
    print(swift(), end="")
