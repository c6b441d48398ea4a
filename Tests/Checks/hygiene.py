#!/usr/bin/env python3
"""What must always be true of the tree: no build products, no machine paths, no oversized files."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATHS = re.compile(r"/(?:root|home/\w+|work)/")


def main() -> int:
    problems = []
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        print("hygiene: not a git checkout, nothing to compare")
        return 0
    for name in listed.stdout.split("\n"):
        if not name:
            continue
        if name.startswith(".build") or name.endswith("Package.resolved"):
            problems.append(f"{name}: build products stay out of git")
        file = ROOT / name
        if not file.is_file():
            continue
        data = file.read_bytes()
        if len(data) > 2 << 20:
            problems.append(f"{name}: {len(data)} bytes is too large for a source file")
        if b"\0" in data or name == "Tests/Checks/hygiene.py":
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if PATHS.search(line):
                problems.append(f"{name}:{number}: names a path of one machine")
    for problem in problems:
        print(problem)
    print(f"hygiene: {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
