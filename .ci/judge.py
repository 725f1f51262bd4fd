"""Judges the figures of `pearlsort demo --json`: prints each that is not as it must be and exits with 1.

usage: judge.py FIGURES.json real|virtual
       judge.py FIGURES.json same-as OTHER.json
       judge.py TRACE.vcd trace
"""

import json
import sys


def faults(figures, virtual):
    """Yields what is wrong with one run."""
    for name in ("unaccounted", "upgraded", "misrouted", "hot_allocations"):
        if figures[name] != 0:
            yield f"{name} is {figures[name]}, must be 0"
    accounted = figures["binned"] + sum(figures["recirculated"].values()) + figures["lost"]
    if figures["pearls_in"] != accounted:
        yield f"in {figures['pearls_in']} is not binned + recirculated + lost = {accounted}"
    if figures["pearls_in"] == 0 or figures["binned"] == 0:
        yield "no pearl was sorted"
    if virtual and figures["late"] != 0:
        yield f"late is {figures['late']} in virtual time, must be 0"


def trace_faults(path):
    """Yields what is wrong with a trace, as a reader that knows nothing of pearlsort finds it."""
    from vcdvcd import VCDVCD

    trace = VCDVCD(path)
    changes = {kind: 0 for kind in ("line.eyes.", "line.valves.", "line.orders_lead_ms.", "line.belt.")}
    for name in trace.signals:
        times = [time for time, _ in trace[name].tv]
        if times != sorted(times):
            yield f"{name}: its changes are not in order of time"
        for kind in changes:
            changes[kind] += (len(times) - 1) if name.startswith(kind) else 0
    for kind, count in changes.items():
        if count < 100:
            yield f"{kind}*: {count} changes, a run of seconds has more"


def main():
    """Reads the files named on the command line and judges them."""
    if sys.argv[2] == "trace":
        wrong = list(trace_faults(sys.argv[1]))
        for line in wrong:
            print(f"{sys.argv[1]}: {line}")
        sys.exit(1 if wrong else 0)
    with open(sys.argv[1], encoding="utf-8") as file:
        figures = json.load(file)
    if sys.argv[2] == "same-as":
        with open(sys.argv[3], encoding="utf-8") as file:
            other = json.load(file)
        wrong = [] if figures["digest"] == other["digest"] else ["the same seed gave two digests"]
    else:
        wrong = list(faults(figures, sys.argv[2] == "virtual"))
    for line in wrong:
        print(f"{sys.argv[1]}: {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
