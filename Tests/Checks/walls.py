#!/usr/bin/env python3
"""Compares every import of the hand-written targets with the arrows that Docs/architecture.md allows.

SwiftPM lets a file import any module that happens to be built, so the manifest alone is not a wall.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

GRPC = {"GRPCCore", "GRPCNIOTransportHTTP2Posix", "GRPCNIOTransportCore"}
NIO = {"NIOCore", "NIOPosix", "NIOConcurrencyHelpers", "NIOEmbedded"}
IDENTITY = {"X509", "SwiftASN1", "Crypto", "_CryptoExtras"}
STANDARD = {"Swift", "Synchronization"}

# target -> (Apus targets, outside modules)
ALLOWED = {
    "ApusCore": (set(), set()),
    "ApusModel": ({"ApusCore"}, set()),
    "ApusYAML": ({"ApusCore"}, {"CYaml"}),
    "ApusDNS": ({"ApusCore"}, set()),
    "ApusRegex": ({"CApusRE2"}, set()),
    "ApusManifest": ({"ApusCore", "ApusModel", "ApusYAML", "ApusRegex"}, set()),
    "ApusMesh": ({"ApusCore", "ApusModel"}, set()),
    "ApusAPI": (set(), {"SwiftProtobuf", "Foundation", "FoundationEssentials"}),
    "ApusCompiler": ({"ApusCore", "ApusModel", "ApusMesh", "ApusAPI", "ApusIdentity"}, {"SwiftProtobuf"}),
    "ApusDelta": ({"ApusCore", "ApusAPI"}, {"SwiftProtobuf"}),
    "ApusTraffic": ({"ApusCore", "ApusDNS", "ApusRegex", "ApusIdentity"}, set()),
    "ApusIdentity": (set(), IDENTITY | {"Foundation"}),
    "ApusBootstrap": ({"ApusCore", "ApusYAML", "ApusAPI", "ApusTraffic"}, {"SwiftProtobuf"}),
    "ApusControlPlane": (
        {"ApusCore", "ApusModel", "ApusAPI", "ApusYAML", "ApusManifest", "ApusMesh", "ApusCompiler", "ApusDelta",
         "ApusIdentity"},
        GRPC | NIO | IDENTITY | {"NIOSSL", "NIOTLS", "NIOHTTP1", "Logging", "SwiftProtobuf", "Foundation", "CoreFoundation", "CDispatch", "Glibc"},
    ),
    "ApusXDSClient": (
        {"ApusCore", "ApusAPI", "ApusDelta", "ApusIdentity"},
        GRPC | IDENTITY | {"Logging", "SwiftProtobuf", "Foundation", "Glibc"},
    ),
    "ApusDataplane": (
        {"ApusCore", "ApusDNS", "ApusTraffic", "CApusZlib"},
        NIO | IDENTITY | {"NIOSSL", "NIOTLS", "Logging", "Foundation", "Glibc"},
    ),
    "apus": (
        {"ApusCore", "ApusModel", "ApusAPI", "ApusManifest", "ApusMesh", "ApusCompiler", "ApusControlPlane",
         "ApusTraffic", "ApusIdentity"},
        IDENTITY | {"ArgumentParser", "SwiftProtobuf", "Logging", "Foundation", "FoundationNetworking", "Glibc"},
    ),
    "apus-proxy": (
        {"ApusCore", "ApusAPI", "ApusDelta", "ApusTraffic", "ApusBootstrap", "ApusXDSClient", "ApusDataplane"},
        {"ArgumentParser", "Logging", "Foundation", "Glibc", "SwiftProtobuf", "NIOCore", "NIOPosix"},
    ),
}
# Folders with an arrow of their own: a protobuf type is named in ApusTraffic only where xDS is decoded.
# SwiftProtobuf hands bytes to a visitor as Foundation's Data, the one thing that is taken from there.
EXTRA = {"ApusTraffic/Decode": ({"ApusAPI"}, {"SwiftProtobuf", "Foundation"}),
         # Bytes of a protobuf field are its Data.
         "ApusCompiler/Secrets": (set(), {"FoundationEssentials"})}

PURE = {"ApusCore", "ApusModel", "ApusYAML", "ApusDNS", "ApusRegex", "ApusManifest", "ApusMesh", "ApusCompiler", "ApusDelta",
        "ApusTraffic", "ApusBootstrap"}
# What a pure target never calls: clocks, chance, environment, files.
BANNED = re.compile(
    r"\b(ContinuousClock\.now|SuspendingClock\.now|ContinuousClock\(\)|Date\(\)|SystemRandomNumberGenerator|"
    r"\.random\(in: [^,)]*\)|\.randomElement\(\)|\.shuffled\(\)|ProcessInfo|FileManager|getenv|Task\.sleep|"
    r"Thread\.|DispatchQueue|print\()")

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(public|package|internal|fileprivate|private)?\s*import\s+"
    r"(?:struct\s+|class\s+|enum\s+|protocol\s+|func\s+|typealias\s+|let\s+|var\s+)?(\w+)")


def main() -> int:
    problems = []
    sources = ROOT / "Sources"
    for target in sorted(p.name for p in sources.iterdir() if p.is_dir()):
        if target not in ALLOWED:
            if not target.startswith("C"):
                problems.append(f"Sources/{target}: no arrows are written down for this target")
            continue
        ours, outside = ALLOWED[target]
        for file in sorted((sources / target).rglob("*.swift")):
            name = file.relative_to(ROOT)
            extra_ours, extra_outside = set(), set()
            for folder, (a, b) in EXTRA.items():
                if str(name).startswith(f"Sources/{folder}/"):
                    extra_ours |= a
                    extra_outside |= b
            for number, line in enumerate(file.read_text().splitlines(), 1):
                code = line.split("//")[0]
                match = IMPORT.match(code)
                if match:
                    level, module = match.groups()
                    if module not in ours | outside | STANDARD | extra_ours | extra_outside:
                        problems.append(f"{name}:{number}: {target} may not import {module}")
                    if level is None and target != "ApusAPI" and module not in STANDARD:
                        problems.append(f"{name}:{number}: say the access level of import {module}")
                if target in PURE and BANNED.search(code):
                    problems.append(f"{name}:{number}: a pure target calls {BANNED.search(code).group(0)}")
    for problem in problems:
        print(problem)
    print(f"walls: {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
