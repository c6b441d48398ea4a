#!/usr/bin/env python3
"""Measures what Docs/performance.md reports, and prints ratios side by side."""
import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Interop")]

import http1  # noqa: E402
import http2  # noqa: E402
import load  # noqa: E402
import push  # noqa: E402
from measure import Table, machine  # noqa: E402

SECTIONS = {"push": push.run, "load": load.run, "http1": http1.run, "http2": http2.run}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--only", action="append", choices=list(SECTIONS), help="a section; may be given again")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter, to see that it works")
    parser.add_argument("-o", dest="output", help="write the results as JSON to this file")
    options = parser.parse_args()
    programs = pathlib.Path(options.bin).resolve()
    results = {"machine": machine(), "quick": options.quick}
    print(", ".join(f"{key} {value}" for key, value in results["machine"].items()))
    targets = []
    for name in options.only or SECTIONS:
        results[name] = SECTIONS[name](programs, options.quick)
        targets += results[name].get("targets", [])
        if options.output:
            pathlib.Path(options.output).write_text(json.dumps(results, indent=2) + "\n")
    if targets:
        table = Table("Targets", "what", "measured", "target", "")
        for target in targets:
            table.row(target["what"], f"{target['value']:.2f}", target["target"], "met" if target["met"] else "MISSED")
        table.show()


main()
