#!/usr/bin/env python3
"""Runs the tests with real peers and closes with a count.

    run.py --bin .build/release [--only EXPRESSION]
"""
import argparse
import os
import re
import subprocess
import sys
import time

import bootstrap
# gRPC tells every refused handshake, and refused handshakes are what is tested; it reads this when it is imported first.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import authorization
import c_client
import clusters
import differential
import filters
import http2
import identity
import mtls
import name_clusters
import operation
import peers
import processes
import protocols
import smuggling
import tls
import tokens


def bookstore(programs):
    """The example runs as its README says, and its weights are seen."""
    result = subprocess.run(
        [sys.executable, processes.ROOT / "Examples" / "bookstore" / "run.py", "--bin", programs, "--once",
         "--requests", "60"], capture_output=True, text=True, timeout=120)
    peers.check(result.returncode == 0, f"the example failed:\n{result.stdout}\n{result.stderr}")
    counts = [tuple(map(int, re.findall(r"reviews-v\d +(\d+)", part))) for part in result.stdout.split("readers (")[1:]]
    peers.check(len(counts) == 2 and sum(counts[0]) == 60 and counts[0][0] > counts[0][1], f"the shares are {counts}")
    peers.check(counts[1] == (60,), f"beta readers were spread: {counts[1]}")
    return f"the bookstore shows its weights: {counts[0]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    passed = failed = 0
    for test in peers.TESTS + http2.TESTS + [
            *identity.TESTS, *mtls.TESTS, *authorization.TESTS, *tokens.TESTS, *bootstrap.TESTS, *name_clusters.TESTS,
            *operation.TESTS, *c_client.TESTS, bookstore]:
        if options.only and not re.search(options.only, test.__name__):
            continue
        started = time.monotonic()
        try:
            said = test(options.bin)
            passed += 1
            print(f"ok   {test.__name__}: {said} ({time.monotonic() - started:.1f} s)", flush=True)
        except (processes.Failure, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"FAIL {test.__name__}: {error}", flush=True)
    for suite in (differential, clusters, filters, protocols, smuggling, tls):
        if options.only and not re.search(options.only, suite.__name__):
            continue
        good, bad, report = suite.run(options.bin)
        # That of clusters was printed as it came.
        if suite is not clusters:
            print("\n".join(report))
        print(f"{suite.__name__}: {good} equal, {bad} different", flush=True)
        passed += good
        failed += bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
