#!/usr/bin/env python3
"""Fuzzes the way from manifest text to resources for a while, with progress.

First the corpus is replayed in two processes: both must say the same, since Swift's hashing differs from process to
process. Then the fuzzer runs; when it dies, the input is kept and it goes on with the next seed.
"""
import argparse
import hashlib
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def replay(program: str, folders: list[str]) -> bool:
    outputs = []
    for _ in range(2):
        result = subprocess.run([program, "--replay", *folders], capture_output=True, text=True)
        outputs.append(result.stdout)
        if result.returncode != 0:
            print(result.stdout + result.stderr[-4000:])
            print(f"the corpus does not pass (exit {result.returncode})")
            return False
    if outputs[0] != outputs[1]:
        print("two processes give different resources for the same corpus")
        return False
    print("corpus: " + outputs[0].strip().replace("\n", ", "), flush=True)
    return True


def wire(program: str, options) -> int:
    names = sorted({file.name.split(".")[0] for file in (HERE / "corpus-wire").iterdir()})
    good = True
    for name in names if "all" in options.wire else options.wire:
        current = pathlib.Path(options.crashes) / f"current-{name}.bin"
        deadline, seed = time.monotonic() + options.seconds, options.seed
        while time.monotonic() < deadline and seed < options.seed + 50:
            left = max(1.0, deadline - time.monotonic())
            code = subprocess.run(
                [program, "--wire", name, "--seconds", f"{left:.0f}", "--seed", str(seed), "--crashes", options.crashes,
                 "--corpus", str(HERE / "corpus-wire")]).returncode
            seed += 1
            good = good and code == 0
            if code not in (0, 1) and current.exists():
                kept = current.with_name(f"crash-{name}-{hashlib.sha256(current.read_bytes()).hexdigest()[:16]}.bin")
                current.rename(kept)
                print(f"died with {code} on {kept}", flush=True)
    print("nothing found" if good else f"found something: look into {options.crashes}")
    return 0 if good else 1


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=".build/release", help="folder of the programs")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", action="append", default=[], help="one more folder of manifests to start from")
    parser.add_argument("--crashes", default=".build/fuzz", help="where inputs that break something are written")
    parser.add_argument("--wire", action="append", default=[],
                        help="a format of bytes instead of manifests, or `all`: each for the time given")
    options = parser.parse_args()
    program = str(pathlib.Path(options.bin) / "apus-fuzz")
    if options.wire:
        return wire(program, options)
    folders = []
    for folder in [HERE / "corpus", ROOT / "Examples" / "bookstore" / "manifests", *options.corpus]:
        folders += ["--corpus", str(folder)]
    crashes = pathlib.Path(options.crashes)
    crashes.mkdir(parents=True, exist_ok=True)
    current = crashes / "current.yaml"
    current.unlink(missing_ok=True)

    good = replay(program, folders)
    deadline = time.monotonic() + options.seconds
    seed, deaths = options.seed, 0
    while time.monotonic() < deadline and deaths < 50:
        left = max(1.0, deadline - time.monotonic())
        print(f"seed {seed}, {left:.0f} s left", flush=True)
        code = subprocess.run(
            [program, "--seconds", f"{left:.0f}", "--seed", str(seed), "--crashes", str(crashes), *folders]
        ).returncode
        seed += 1
        if code == 0:
            continue
        good = False
        if code == 1:
            continue
        deaths += 1
        if current.exists():
            data = current.read_bytes()
            kept = crashes / f"crash-{hashlib.sha256(data).hexdigest()[:16]}.yaml"
            kept.write_bytes(data)
            current.unlink()
            print(f"died with {code} on {kept}", flush=True)
    print("nothing found" if good else f"found something: look into {crashes}")
    return 0 if good else 1


sys.exit(main())
