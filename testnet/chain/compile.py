#!/usr/bin/env python3
"""Compiles the contracts, and with --check compares the outcome with what is committed.

It lies in Sources/ShoalEthereum/Bytecode, from where `shoal chain deploy` has it.

Needs vyper of the version in requirements.txt: another compiler makes other bytes.
"""

import json
import sys
from pathlib import Path

import vyper

HERE = Path(__file__).resolve().parent
BYTECODE = HERE.parent.parent / "Sources/ShoalEthereum/Bytecode"
VERSION = "0.4.3"


def compiled(source: Path) -> dict:
    output = vyper.compile_code(
        source.read_text(), contract_path=source.name, output_formats=["abi", "bytecode", "method_identifiers"])
    return {
        "contract": source.stem,
        "compiler": f"vyper {VERSION}",
        "abi": output["abi"],
        "bytecode": output["bytecode"],
        "selectors": output["method_identifiers"],
    }


def main() -> int:
    if vyper.__version__.split("+")[0] != VERSION:
        print(f"vyper {vyper.__version__}: these contracts are compiled with {VERSION}", file=sys.stderr)
        return 2
    differing = []
    for source in sorted((HERE / "contracts").glob("*.vy")):
        text = json.dumps(compiled(source), indent=1, sort_keys=True) + "\n"
        target = BYTECODE / f"{source.stem}.json"
        if "--check" in sys.argv[1:]:
            if not target.exists() or target.read_text() != text:
                differing.append(source.stem)
        else:
            target.write_text(text)
            print(f"wrote {target.name}")
    if differing:
        print(f"not what was committed: {', '.join(differing)}; run testnet/chain/compile.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
