"""Checks licences and sources of all dependencies against deny.toml, where cargo-deny is not installed."""

import json
import re
import subprocess
import sys
import tomllib

with open("deny.toml", "rb") as file:
    config = tomllib.load(file)
allowed = set(config["licenses"]["allow"])
banned = {ban["crate"] for ban in config["bans"]["deny"]}
metadata = json.loads(
    subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
)


def holds(expression):
    """True when an SPDX expression can be met with the allowed licences: `or` of `and`s, brackets from the inside."""
    expression = expression.replace("/", " OR ")
    while "(" in expression:
        expression, n = re.subn(r"\(([^()]*)\)", lambda m: "0BSD" if holds(m[1]) else "no", expression)
        if not n:
            return False
    parts = (part.split(" AND ") for part in expression.split(" OR "))
    return any(all(licence.strip() in allowed for licence in part) for part in parts)


faults = []
for package in metadata["packages"]:
    name = f'{package["name"]} {package["version"]}'
    if not holds(package["license"] or ""):
        faults.append(f'{name}: licence {package["license"]} is not allowed')
    source = package["source"]
    if source and source != "registry+https://github.com/rust-lang/crates.io-index":
        faults.append(f"{name}: comes from {source}")
    if package["name"] in banned:
        faults.append(f"{name}: is banned")
print("\n".join(faults) or f'{len(metadata["packages"])} packages: licences and sources are allowed')
sys.exit(bool(faults))
