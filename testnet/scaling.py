"""The tables of testnet/scaling.sh: measured steps beside the planner's, and what a mesh gains."""

import json
import sys

folder, factor, counts = sys.argv[1], int(sys.argv[2]), [int(n) for n in sys.argv[3].split(",")]
parts = sys.argv[4:]
failed = False
digests = set()


def facts(name):
    """Milliseconds of a step, measured and estimated, and the plan's members."""
    with open(f"{folder}/{name}.json") as file:
        run = json.load(file)
    with open(f"{folder}/{name}.plan") as file:
        plan = json.load(file)
    digests.add(run["digest"])
    timing = run["timing"]
    return {
        "measured": 1_000 / timing["tokensPerSecond"],
        "estimated": 1_000 / plan["tokensPerSecond"],
        "peers": len(run["peers"]),
        "bytes": timing["bytesSent"] / max(1, len(run["tokens"]) - 1),
    }


def judged(ratio):
    global failed
    holds = 0.8 <= ratio <= 1.2
    failed = failed or not holds
    return "" if holds else "  BROKEN"


print(f"devices slowed to {factor}/1000 of their speed; milliseconds as on the devices themselves")
scale = factor / 1_000
if "equal" in parts:
    print(f"{'link':10} {'peers':>5} {'step ms':>9} {'estimate':>9} {'ratio':>6} "
          f"{'speed-up':>8} {'efficiency':>10} {'KB sent':>8}")
    for link in ["loopback", "ethernet"]:
        first = None
        for count in counts:
            row = facts(f"{link}-{count}")
            first = first or (row["measured"], count)
            gain = first[0] / row["measured"]
            ratio = row["measured"] / row["estimated"]
            print(f"{link:10} {row['peers']:5d} {row['measured'] * scale:9.2f} "
                  f"{row['estimated'] * scale:9.2f} {ratio:6.2f} {gain:8.2f} "
                  f"{100 * gain * first[1] / count:9.0f}% {row['bytes'] / 1_000:8.0f}"
                  f"{judged(ratio)}")
if "household" in parts:
    alone, quick, all_of_them = facts("phone"), facts("quickest"), facts("everybody")
    print(f"{'household':34} {'peers':>5} {'step ms':>9} {'estimate':>9} {'ratio':>6} {'factor':>7}")
    for name, row in [
        ("the phone alone", alone), ("the mesh, for latency", quick),
        ("the mesh, everybody works", all_of_them),
    ]:
        ratio = row["measured"] / row["estimated"]
        print(f"{name:34} {row['peers']:5d} {row['measured'] * scale:9.2f} "
              f"{row['estimated'] * scale:9.2f} {ratio:6.2f} "
              f"{alone['measured'] / row['measured']:7.2f}{judged(ratio)}")
print("digests equal:", "yes" if len(digests) == 1 else "NO")
sys.exit(1 if failed or len(digests) != 1 else 0)
