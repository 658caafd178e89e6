"""Runs the Spark job on a standalone cluster and compares it with the binary alone, byte for byte."""

import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(sys.argv[1])
os.environ.update(PYSPARK_PYTHON=sys.executable, PYSPARK_DRIVER_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
for name in [name for name in os.environ if name.startswith("ZHIJIAN_")]:
    del os.environ[name]
sys.path.insert(0, str(ROOT / "src/spark"))

import pyspark  # noqa: E402
import zhijian_spark as zs  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as f  # noqa: E402

# Stands for the binary on the executors; the first time it is asked for slice 2 it kills the executor it runs on.
KILLER = """#!/bin/sh
case " $* " in *" --slice 2 "*)
  if mkdir {mark} 2>/dev/null; then
    head -c 20000 >/dev/null
    pid=$$
    while [ "$pid" -gt 1 ]; do
      if tr '\\0' ' ' <"/proc/$pid/cmdline" | grep -q CoarseGrainedExecutorBackend; then
        echo "$pid" >{mark}/killed
        kill -9 "$pid"
        exit 0
      fi
      pid=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f2)
    done
  fi
esac
exec {binary} "$@"
"""


class Cluster:
    """A master and two workers with a core each."""

    def __init__(self, work):
        self.work, self.children = work, []
        self.url = self.wait(self.start("master", "master.Master", "--port", "0"), r"(spark://127\.0\.0\.1:\d+)")
        for number in (1, 2):
            worker = self.start(
                f"worker{number}", "worker.Worker", "--cores", "1", "--memory", "1g",
                "--work-dir", str(work / f"work{number}"), self.url,
            )  # fmt: skip
            self.wait(worker, r"Successfully (registered) with master")

    def start(self, name, what, *args):
        spark = pathlib.Path(pyspark.__file__).parent
        log = self.work / f"{name}.log"
        command = [str(spark / "bin/spark-class"), f"org.apache.spark.deploy.{what}"]
        command += ["--host", "127.0.0.1", "--webui-port", "0", *args]
        # A group of its own, so that executors end with it.
        options = {"stdout": log.open("w"), "stderr": subprocess.STDOUT, "start_new_session": True}
        environment = {**os.environ, "SPARK_HOME": str(spark), "SPARK_DAEMON_MEMORY": "256m"}
        self.children.append(subprocess.Popen(command, env=environment, **options))
        return log

    def wait(self, log, pattern):
        for _ in range(600):
            found = re.search(pattern, log.read_text())
            if found:
                return found.group(1)
            time.sleep(0.1)
        raise SystemExit(f"{log} never said {pattern}:\n{log.read_text()[-3000:]}")

    def stop(self):
        for child in reversed(self.children):
            os.killpg(child.pid, signal.SIGTERM)
        for child in self.children:
            child.wait(30)


BEGUN = time.time()


def say(what):
    print(f"{time.time() - BEGUN:4.0f} s  {what}", flush=True)


def check(true, what):
    if not true:
        raise SystemExit(f"FAILED: {what}")


def tree(folder):
    """Every file of a result folder; run.json without times and inputs."""
    out = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file():
            out[str(path.relative_to(folder))] = path.read_bytes()
    run = json.loads(out["run.json"])
    del run["timings"], run["inputs"]
    out["run.json"] = run
    return out


def same(one, other, what, without=()):
    one, other = ({k: v for k, v in tree(t).items() if k not in without} for t in (one, other))
    check(one.keys() == other.keys(), f"{what}: {one.keys() ^ other.keys()}")
    for name in one:
        check(one[name] == other[name], f"{what}: {name} differs")
    return len(one)


def alone(inputs, out, *args):
    subprocess.run([BINARY, "inspect", *map(str, inputs), "--out", out, "--quiet", *args], check=True)


def records(output, spark):
    return [row["record"] for row in spark.read.parquet(f"{output}/conversations").orderBy("conversation_id").collect()]


def main():
    # However it ends, the cluster ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    base = pathlib.Path(tempfile.mkdtemp(prefix="zhijian-spark-"))
    cluster = None
    try:
        cluster = Cluster(base)
        spark = (
            SparkSession.builder.master(cluster.url)
            .config("spark.executor.memory", "512m")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "4")
            .config("spark.default.parallelism", "4")
            .config("spark.sql.files.maxPartitionBytes", "250k")
            .config("spark.sql.files.openCostInBytes", "1k")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.task.maxFailures", "3")
            .getOrCreate()
        )
        spark.sparkContext.setLogLevel("OFF")
        dump(base)
        say("cluster up")
        killed(base, spark)
        grouped(base, spark)
        whole_files(base, spark)
        failures(base, spark)
        spark.stop()
        say("Spark: all the same as on one machine")
    finally:
        if cluster:
            cluster.stop()
        shutil.rmtree(base, ignore_errors=True)


def dump(base):
    """The invented night and generated conversations, in files of any length, with what is no conversation between."""
    night = (ROOT / "fixtures/nightly/2026-11-20.jsonl").read_text().splitlines(keepends=True)
    made = base / "made.jsonl"
    subprocess.run([BINARY, "generate", "--conversations", "300", "--seed", "7", "--out", made, "--quiet"], check=True)
    lines = sorted(night + made.read_text().splitlines(keepends=True), key=lambda l: json.loads(l)["conversation_id"])
    (base / "in").mkdir()
    for number, end in enumerate([20, 260, 300, 301, len(lines)]):
        begin = [0, 20, 260, 300, 301][number]
        broken = "no conversation\n\n" if number == 2 else ""
        (base / f"in/{number}.jsonl").write_text("".join(lines[begin:end]) + broken)


def killed(base, spark):
    """The same records and reports although an executor dies in the middle."""
    alone([base / "in"], base / "alone")
    binary, mark = base / "zhijian-killer", base / "mark"
    binary.write_text(KILLER.format(mark=mark, binary=BINARY))
    binary.chmod(0o755)
    output, reports = f"file://{base}/out", base / "reports"
    code = zs.run(spark, zs.jsonl(spark, str(base / "in")), str(binary), output, str(reports), records=True)
    check(code == 0, f"exit code {code}")
    check((mark / "killed").exists(), "no executor was killed")
    # The dump is sorted by id, so that order and workbook are the same too.
    expected = (base / "alone/conversations.jsonl").read_text().splitlines()
    check(records(output, spark) == expected, "records differ")
    count = same(base / "alone", reports, "scorecards and reports", {"rejects.jsonl"})
    reject = spark.read.parquet(f"{output}/rejects").collect()
    check(len(reject) == 1 and "no conversation" in reject[0]["line"], f"{reject}")
    found = spark.read.parquet(f"{output}/findings")
    check(found.count() == sum(len(json.loads(line)["findings"]) for line in expected), "findings differ")
    stage = spark.read.schema(zs.SCHEMA).parquet(f"{output}/stage")
    parts = stage.where("kind = 'trailer'").count()
    check(parts > 3, f"only {parts} partitions")
    say(f"JSONL: {len(expected)} records, {found.count()} findings, {parts} partitions, an executor killed: {count} files equal")


def grouped(base, spark):
    """Message rows in any order come to the conversations they were."""
    source = spark.read.json(str(base / "in")).where("conversation_id is not null")
    rows = source.select("*", f.posexplode("turns").alias("seq", "turn")).select(
        "conversation_id", "channel", "stage", "customer_id", "order_id", "started_at", "ended_at", "agent_id",
        "agents", "rating", "seq", "turn.role", "turn.at", "turn.text", "turn.begin_ms", "turn.end_ms",
        "turn.confidence", f.col("turn.agent_id").alias("speaker"),
    )  # fmt: skip
    rows.orderBy(f.xxhash64("text", "seq")).write.parquet(f"{base}/rows")
    same_in_all = ["channel", "stage", "customer_id", "order_id", "started_at", "ended_at", "agent_id", "agents", "rating"]
    turn = ["role", "at", "text", "begin_ms", "end_ms", "confidence", f.col("speaker").alias("agent_id")]
    table = spark.read.parquet(f"{base}/rows")
    conversations = zs.messages(table, turn, ["seq"], same_in_all, partitions=3)
    code = zs.run(spark, conversations, BINARY, f"file://{base}/out-rows", str(base / "reports-rows"))
    # Tags and queue do not travel in these rows: the yardstick is the same conversations on one machine.
    lines = sorted((row["value"] for row in conversations.collect()), key=lambda l: json.loads(l)["conversation_id"])
    (base / "rows.jsonl").write_text("\n".join(lines))
    alone([base / "rows.jsonl"], base / "alone-rows", "--report", "html")
    check(code == 0, f"exit code {code}")
    got = records(f"file://{base}/out-rows", spark)
    expected = (base / "alone-rows/conversations.jsonl").read_text().splitlines()
    check(len(expected) == 600 and got == expected, "records of grouped rows differ")
    left_out = {"conversations.jsonl", "rejects.jsonl"}
    count = same(base / "alone-rows", base / "reports-rows", "reports of grouped rows", left_out)
    say(f"message rows: {table.count()} rows grouped, {count} files equal")


def whole_files(base, spark):
    """GBK tables and compressed files reach the binary as they are; a gate gives its exit code."""
    folder = base / "files"
    folder.mkdir()
    with gzip.open(folder / "a.csv.gz", "wb") as out:
        out.write((ROOT / "fixtures/nightly-gbk.csv").read_bytes())
    with gzip.open(folder / "b.jsonl.gz", "wb") as out:
        out.write((base / "made.jsonl").read_bytes())
    alone([folder], base / "alone-files", "--report", "none")
    output, reports = f"file://{base}/out-files", base / "reports-files"
    command = ["--binary", BINARY, "--input", str(folder), "--format", "files", "--output", output, "--reports", str(reports)]
    code = zs.main([*command, "--no-pages", "--merge-args", '["--fail-on", "critical"]'])
    check(code == 1, f"the gate gave exit code {code}")
    expected = sorted(
        (base / "alone-files/conversations.jsonl").read_text().splitlines(),
        key=lambda l: json.loads(l)["conversation_id"],
    )
    check(records(output, spark) == expected, "records of whole files differ")
    same(base / "alone-files", reports, "reports of whole files", {"conversations.jsonl", "rejects.jsonl"})
    say(f"whole files, GBK and gzip: {len(expected)} records equal")


def failures(base, spark):
    """A binary that fails, or ends early as if nothing were wrong, fails the job."""
    quiet = base / "zhijian-quiet"
    quiet.write_text(f'#!/bin/sh\n{BINARY} "$@" | grep -v "^{{.trailer"\nexit 0\n')
    short = base / "zhijian-short"
    short.write_text(f'#!/bin/sh\n{BINARY} "$@" | sed 5d\n')
    for binary in (quiet, short):
        binary.chmod(0o755)
    source = zs.jsonl(spark, str(base / "in/0.jsonl"))
    for binary, args, words in [
        (BINARY, ["--rules", "/no/such/pack"], "zhijian failed"),
        (str(quiet), [], "without a trailer"),
        (str(short), [], "lines came"),
    ]:
        try:
            zs.run(spark, source, binary, f"file://{base}/out-failed", str(base / "reports-failed"), args=args)
        except Exception as error:
            check(words in str(error), f"{binary}: {str(error)[:2000]}")
        else:
            check(False, f"{binary} {args} did not fail the job")
        check(not (base / "reports-failed").exists(), "reports of a failed job")
    say("failing binaries fail the job")


main()
