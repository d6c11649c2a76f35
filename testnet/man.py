#!/usr/bin/env python3
"""Writes the manual page from what the program says of itself.

    testnet/man.py [PROGRAM] > shoal.1 && man ./shoal.1
"""

import json
import subprocess
import sys

program = sys.argv[1] if len(sys.argv) > 1 else ".build/release/shoal"
tool = json.loads(subprocess.run(
    [program, "--experimental-dump-help"], check=True, capture_output=True).stdout)["command"]


def plain(text):
    """Roff takes a leading dot for a request, and a hyphen for one that may break."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in text.split("\n"))


def title(argument):
    value = argument.get("valueName", "value")
    if argument["kind"] == "positional":
        return f"\\fI{plain(value)}\\fR"
    names = []
    for name in argument.get("names", []):
        dashes = "--" if name["kind"] == "long" else "-"
        names.append(f"\\fB{plain(dashes + name['name'])}\\fR")
    suffix = f" \\fI{plain(value)}\\fR" if argument["kind"] == "option" else ""
    return ", ".join(names) + suffix


def write(command, path):
    arguments = [one for one in command.get("arguments", [])
                 if one.get("shouldDisplay", True) and
                 not any(name["name"] in ("help", "version") for name in one.get("names", []))]
    if path:
        print(f".SS {plain(' '.join(path))}")
        print(plain(command.get("abstract", "")))
        if command.get("discussion"):
            print(".PP\n" + plain(command["discussion"]))
    for argument in arguments:
        print(".TP\n" + title(argument))
        said = argument.get("abstract", "")
        default = argument.get("defaultValue")
        if default and "default" not in said:
            said += f" (default: {default})"
        print(plain(said) or "\\&")
    for inner in command.get("subcommands", []):
        if inner["commandName"] != "help":
            write(inner, path + [inner["commandName"]])


version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
print(f'.TH SHOAL 1 "" "Shoal {version.strip()}" "User commands"')
print(".SH NAME\nshoal \\- " + plain(tool["abstract"].rstrip(".").lower()))
print(".SH SYNOPSIS\n.B shoal\n[\\fIcommand\\fR] [\\fIoptions\\fR]")
print(".SH DESCRIPTION\nWithout a command it says where this machine stands, and what to do next.")
print(".SH COMMANDS")
write(tool, [])
print(""".SH ENVIRONMENT
.TP
.B SHOAL_DATA
The data directory, where no \\-\\-data names one; else ~/.shoal.
.TP
.B SHOAL_API_KEY
The key that a peer demands of its clients, and that commands send.
.TP
.B HF_TOKEN, HF_ENDPOINT
For \\fBshoal pull\\fR: a token that only the hub's own origin is told, and another hub.
.TP
.B NO_COLOR
Text without colours.
.SH EXIT STATUS
0; 1 where something went wrong, with one sentence on standard error; 2 for wrong usage.""")
