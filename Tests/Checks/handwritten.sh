#!/usr/bin/env bash
# Prints the Swift folders that people write (everything but generated code).
cd "$(dirname "$0")/../.." || exit 1
for folder in Sources/* Tests/*; do
    case "$folder" in
    Sources/ApusAPI) ;;
    *) [ -n "$(find "$folder" -name '*.swift' -print -quit 2>/dev/null)" ] && echo "$folder" ;;
    esac
done
exit 0
