#!/usr/bin/env bash
# Writes Sources/ApusAPI/*.pb.swift from the .proto files here, the descriptors that server reflection answers with, and
# generated.sha256, by which verify.py sees that one of them was changed without the other.
#
#   generate.sh [PLUGIN [OUT]]
#
# PLUGIN is a built protoc-gen-swift; without it the version below is built in a scratch folder. OUT is where the Swift
# files go instead; no sums are written then. Needs protoc and xds-protos.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
plugin=${1:-}
out=${2:-}
version=1.39.0

if [ -z "$plugin" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    git clone --quiet --depth 1 --branch "$version" https://github.com/apple/swift-protobuf "$scratch/swift-protobuf"
    (cd "$scratch/swift-protobuf" && swift build --product protoc-gen-swift -c release -j 2 >&2)
    plugin=$scratch/swift-protobuf/.build/release/protoc-gen-swift
fi

cd "$here"
target=${out:-../Sources/ApusAPI}
mkdir -p "$target"
rm -f "$target"/*.pb.swift
# Files that declare nothing but a service give no Swift.
grep -lE '^(message|enum) ' -r --include='*.proto' . | sed 's|^\./||' | LC_ALL=C sort | xargs protoc -I . \
    --plugin=protoc-gen-swift="$plugin" \
    --swift_opt=Visibility=Package \
    --swift_opt=FileNaming=PathToUnderscores \
    --swift_opt=UseAccessLevelOnImports=true \
    --swift_out="$target"

if [ -z "$out" ]; then
    ./reflection.py > ../Sources/ApusControlPlane/GRPC/ReflectionDescriptors.swift
    ./schema.py > ../Sources/ApusAPI/MessageSchema.swift
    { find . -name '*.proto' && find ../Sources/ApusAPI -name '*.pb.swift'; } | LC_ALL=C sort | xargs sha256sum \
        > generated.sha256
fi
