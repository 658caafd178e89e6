"""Times zhijian and the others over one dump, interleaved: each round runs all of them, beginning with another one each time. What is
compared is processor time of the process and all it started; other work on the machine disturbs it least."""

import argparse
import ctypes
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PR_SET_CHILD_SUBREAPER = 36


def measure(command, out):
    """Seconds and processor seconds of a command with everything it started, and what it printed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with open(out, "wb") as file:
        child = subprocess.Popen(command, stdout=file, stderr=subprocess.PIPE)
        told = child.stderr.read()
        code = child.wait()
    seconds = time.monotonic() - begun
    # Children whose parents went before them (a JVM) come to this process.
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code not in (0, 1):
        sys.exit(f"{command} ended with {code}: {told.decode(errors='replace')[-2000:]}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # What a contender found, and processor seconds the system did not collect.
    said = pathlib.Path(out).read_text(errors="replace").splitlines()
    uncounted = [float(line.split()[1]) for line in said if line.startswith("processor ")]
    found = "\n".join(line for line in said if not line.startswith("processor ")).strip()
    return seconds, processor + sum(uncounted), found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("--mb", type=float, default=200, help="size of the dump")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", default="11")
    parser.add_argument("--profile", default="release")
    parser.add_argument("--only", default="", help="names, comma-separated")
    args = parser.parse_args()
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("cannot become the reaper of what the contenders start")
    zhijian, limits = args.binaries / "zhijian", args.binaries / "examples/limits"
    base = pathlib.Path(tempfile.mkdtemp(prefix="peers-"))
    try:
        dump, texts, phrases = base / "dump.jsonl", base / "texts.txt", base / "phrases.txt"

        def generate(number):
            command = [zhijian, "generate", "--conversations", str(number), "--seed", args.seed, "--out", dump, "--quiet"]
            subprocess.run(command, check=True)
            return dump.stat().st_size

        number = max(200, int(args.mb * 1e6 / generate(200) * 200))
        size = generate(number) / 1e6
        subprocess.run([limits, "phrases", phrases], check=True)
        messages = int(subprocess.run([limits, "texts", dump, texts], check=True, capture_output=True).stdout)
        threads, out = str(args.threads), base / "out"

        def other(name):
            return [sys.executable, HERE / "contenders.py", name, dump, phrases, threads, out]

        inspect = [zhijian, "inspect", dump, "--quiet", "--threads", threads, "--report", "none", "--out"]
        contenders = {
            "zhijian": [*inspect, base / "night"],
            "zhijian-full": [*inspect, base / "night", "--segment", "full"],
            "python": other("python"),
            "spark": other("spark"),
            "polars": other("polars"),
            "rg": ["rg", "--no-config", "--text", "-F", "-c", "-j", threads, "-f", phrases, texts],
            "jieba-rs": [limits, "cut", dump, threads],
            "json": [limits, "json", dump, threads],
        }
        wanted = [name for name in args.only.split(",") if name] or list(contenders)
        contenders = {name: contenders[name] for name in dict.fromkeys(["zhijian", *wanted])}
        taken = {name: [] for name in contenders}
        found = {}
        for number_of_round in range(args.rounds):
            names = list(contenders)
            shift = number_of_round % len(names)
            for name in names[shift:] + names[:shift]:
                for path in (out, base / "night"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                seconds, processor, said = measure(contenders[name], base / "said.txt")
                taken[name].append((seconds, processor))
                found.setdefault(name, said)
                if found[name] != said:
                    sys.exit(f"{name} found {said} after {found[name]}")
        # They look for the same in the same messages, or the figures mean nothing.
        looked = {name: int(found[name]) for name in ("python", "spark", "polars", "rg") if name in found}
        if len(set(looked.values())) > 1:
            sys.exit(f"messages with a phrase: {looked}")
        if "json" in found and int(found["json"]) != messages:
            sys.exit(f"{found['json']} messages read, {messages} there")
        count = len(phrases.read_text(encoding="utf-8").splitlines())
        held = f", {next(iter(looked.values())):,} of them hold one" if looked else ""
        print(f"{size:.0f} MB, {number:,} conversations, {messages:,} messages; {count:,} phrases{held}")
        print(f"{args.rounds} rounds, {threads} threads, profile {args.profile}; min/median/max\n")
        print("| | seconds | processor s | MB per processor s | its processor time / zhijian's |")
        print("| --- | ---: | ---: | ---: | ---: |")
        spread = lambda values, digits: "/".join(
            f"{v:.{digits}f}" for v in (min(values), statistics.median(values), max(values))
        )
        for name, rounds in taken.items():
            ratios = [own[1] / yardstick[1] for own, yardstick in zip(rounds, taken["zhijian"])]
            cells = [spread([r[0] for r in rounds], 1), spread([r[1] for r in rounds], 1)]
            cells += [spread([size / r[1] for r in rounds], 1), spread(ratios, 2)]
            print(f"| {name} | {' | '.join(cells)} |")
    finally:
        shutil.rmtree(base, ignore_errors=True)


main()
