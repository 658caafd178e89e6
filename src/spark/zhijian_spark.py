"""Runs zhijian on a Spark cluster: the binary on every executor, scorecards merged on the driver.

Nothing of the judging is in Python: each task feeds conversations to ``zhijian inspect - --pipe`` and takes its lines back,
so the results are those of the binary alone, byte for byte. It lives beside the Rust sources because it speaks the
protocol of ``src/cli/pipe.rs`` and has to change with it.

    spark-submit zhijian_spark.py --binary ./zhijian --input 'hdfs:///dump/2026-11-20/*.jsonl' \
        --output hdfs:///quality/2026-11-20 --reports /srv/quality/2026-11-20

As a library::

    import zhijian_spark as zs
    rows = zs.messages(spark.table("dw.chat_message").where("dt = '2026-11-20'"), turn=["role", "text", "at"],
                       order_by=["at", "msg_seq"])
    zs.run(spark, rows, binary="./zhijian", output="hdfs:///quality/2026-11-20", reports="/srv/quality/2026-11-20")

Why it is built this way:

- Executors write no shared state. Everything a task says is rows of a table (records, rejects, its partial, its trailer)
  that Spark commits once a task, so retried, killed and speculative tasks leave no trace.
- A task checks the binary's exit code, the trailer's sums, and that as many records came back as went in; without a
  trailer it fails and Spark tries again. (``RDD.pipe`` would ignore a failing command.)
- A partition may hold any conversations: customers are followed across partitions when partials are merged.
"""

import argparse
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

SCHEMA = "kind string, slice string, number long, conversation_id string, line string, bytes binary"
_ROWS = 2000
_FINDING = (
    "struct<rule:string,title:string,severity:string,dimension:string,points:double,capped:boolean,review:boolean,"
    "agent_id:string,turn:int,start:int,end:int,quote:string,phrase:string,why:string>"
)
_RECORD = (
    "score double, raw_score double, not_judged string, satisfaction_estimate double, resolution string, "
    "topics array<struct<id:string,title:string,parent:string,turn:int>>, metrics map<string,double>, "
    "agents array<struct<agent_id:string,score:double,raw_score:double,passed:boolean,critical:boolean,"
    f"dimensions:map<string,double>>>, findings array<{_FINDING}>"
)


class StageFailed(RuntimeError):
    """The binary did not do what it was asked to."""


# ---------------------------------------------------------------------------------------------------- what to read


def jsonl(spark, *paths):
    """UTF-8 JSONL, one conversation a line; large files are split. Not for GBK and not for one big .gz: see `files`."""
    return spark.read.text(list(paths))


def files(spark, *paths):
    """Whole files in any format, encoding and compression zhijian reads; a task each, up to 2 GB stored.

    Spark's own text reader takes everything for UTF-8, which destroys GBK; here bytes reach the binary as they are.
    A conversation must not be spread over files.
    """
    from pyspark.sql import functions as f

    rows = spark.read.format("binaryFile").load(list(paths)).select("path", "content")
    number = rows.count()
    return rows.repartitionByRange(max(1, number), f.col("path")).sortWithinPartitions("path")


def nested(table):
    """A table with a row a conversation, its columns named as in zhijian's JSONL (`turns` an array of structs)."""
    from pyspark.sql import functions as f

    return table.select(f.to_json(f.struct("*")).alias("value"))


def messages(table, turn, order_by, conversation=(), key="conversation_id", partitions=None):
    """A table with a row a message (Parquet, Hive, …), grouped by conversation.

    `turn` names the columns of a message (`role`, `text`, `at`, …), `conversation` those that are the same in all rows
    of one (`channel`, `customer_id`, …), `order_by` those that put its messages in order; they must leave no ties.
    Columns go by zhijian's JSONL names: rename them with `withColumnRenamed` first.
    """
    from pyspark.sql import functions as f

    ordered = f.struct(*order_by, f.struct(*turn).alias("_turn"))
    grouped = (
        table.select(f.col(key).cast("string").alias("conversation_id"), *conversation, ordered.alias("_row"))
        .groupBy("conversation_id")
        .agg(
            *[f.min(name).alias(name) for name in conversation],
            f.expr("transform(array_sort(collect_list(_row)), r -> r._turn)").alias("turns"),
        )
    )
    if partitions:
        grouped = grouped.repartition(partitions, "conversation_id")
    # Sorted, so that a task that is run again sees its rows in the same order.
    return nested(grouped.sortWithinPartitions("conversation_id"))


# ------------------------------------------------------------------------------------------------- on the executors


class _Feed(threading.Thread):
    """Writes to the binary while its output is read."""

    def __init__(self, pipe, chunks):
        super().__init__(daemon=True)
        self.pipe, self.chunks, self.records, self.failure = pipe, chunks, 0, None

    def run(self):
        try:
            for chunk, records in self.chunks:
                self.pipe.write(chunk)
                self.records += records
        except BrokenPipeError:
            pass  # the exit code tells why
        except BaseException as error:  # whatever it is, it must reach the task
            self.failure = error
        finally:
            try:
                self.pipe.close()
            except BrokenPipeError:
                pass


def pipe(command, slice_name, chunks, counted):
    """Runs the binary over `chunks` of (bytes, records); yields (kind, number, conversation id, line, bytes).

    Raises StageFailed unless the exit code is 0 or 1 (a gate), the trailer is there, and every sum is right.
    """
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [*command, "--slice", slice_name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        feed = _Feed(child.stdin, chunks)
        feed.start()
        results, digest, partial, trailer = 0, hashlib.sha256(), hashlib.sha256(), None
        pieces = size = 0
        try:
            for line in child.stdout:
                if line.startswith(b'{"conversation_id":'):
                    digest.update(line)
                    text = line.decode()
                    end = json.JSONDecoder().raw_decode(text, len('{"conversation_id":'))
                    yield "result", results, end[0], text.rstrip("\n"), None
                    results += 1
                elif line.startswith(b'{"reject":'):
                    digest.update(line)
                    yield "reject", results, None, line[len(b'{"reject":') : -2].decode(), None
                    results += 1
                elif line.startswith(b'{"partial":'):
                    piece = base64.b64decode(json.loads(line)["partial"])
                    partial.update(piece)
                    size += len(piece)
                    yield "partial", pieces, None, None, piece
                    pieces += 1
                elif line.startswith(b'{"trailer":'):
                    trailer = json.loads(line)["trailer"]
            code = child.wait()
            feed.join()
        finally:
            child.kill()
            child.wait()
        errors.seek(0)
        said = errors.read()[-2000:].decode(errors="replace").strip()

    def fail(what):
        raise StageFailed(f"slice {slice_name}: {what} (exit code {code}) {said}")

    if feed.failure:
        raise feed.failure
    if code not in (0, 1):
        fail("zhijian failed")
    if trailer is None:
        fail("zhijian ended without a trailer")
    if (results, digest.hexdigest()) != (trailer["results"], trailer["results_sha256"]):
        fail(f"{results} lines came, {trailer['results']} were sent")
    if (size, partial.hexdigest()) != (trailer["partial_bytes"], trailer["partial_sha256"]):
        fail("the partial is damaged")
    seen = trailer["records_inspected"] + trailer["records_rejected"] + trailer["blank"]
    if counted and seen != feed.records:
        fail(f"{feed.records} records went in, {seen} were accounted for")
    yield "trailer", 0, None, json.dumps(trailer, sort_keys=True), None


def _stage(command, whole_files):
    """The function a task runs over its Arrow batches."""

    def stage(batches):
        import pyarrow
        from pyspark import SparkFiles, TaskContext

        names = ["kind", "slice", "number", "conversation_id", "line", "bytes"]
        types = ["string", "string", "int64", "string", "string", "binary"]
        schema = pyarrow.schema([(n, getattr(pyarrow, t)()) for n, t in zip(names, types)])
        own = list(command)
        if not os.path.isabs(own[0]):
            own[0] = SparkFiles.get(own[0])

        def rows():
            if whole_files:
                for batch in batches:
                    for path, content in zip(batch.column("path"), batch.column("content")):
                        name = path.as_py()
                        yield name, pipe(own, name, [(content.as_py(), 0)], False)
                return
            # Without a first batch there is nothing to start the binary for.
            first = next((batch for batch in batches if batch.num_rows), None)
            if first is None:
                return

            def chunks():
                batch = first
                while batch is not None:
                    lines = batch.column(0).to_pylist()
                    yield "".join(f"{line or ''}\n" for line in lines).encode(), len(lines)
                    batch = next(batches, None)

            name = str(TaskContext.get().partitionId())
            yield name, pipe(own, name, chunks(), True)

        held = []
        for name, said in rows():
            for kind, number, key, line, data in said:
                held.append((kind, name, number, key, line, data))
                if len(held) >= _ROWS or data is not None:
                    yield pyarrow.RecordBatch.from_arrays(
                        [pyarrow.array(c, t) for c, t in zip(zip(*held), schema.types)], schema=schema
                    )
                    held = []
        if held:
            yield pyarrow.RecordBatch.from_arrays(
                [pyarrow.array(c, t) for c, t in zip(zip(*held), schema.types)], schema=schema
            )

    return stage


# --------------------------------------------------------------------------------------------------- on the driver


def inspect(spark, conversations, binary, args=(), threads=1, pages=True):
    """Everything the tasks say, as a lazy table of `SCHEMA`; most want `run`.

    `binary` is sent to the executors; `args` go to `zhijian inspect` (a `--rules` folder must be on every executor).
    """
    spark.sparkContext.addFile(os.path.abspath(binary))
    if __name__ != "__main__":
        spark.sparkContext.addPyFile(os.path.abspath(__file__))
    # `--report` decides whether partials carry the conversations that pages may show.
    report = "html" if pages else "none"
    command = [os.path.basename(binary), "inspect", "-", "--pipe", "--quiet", "--threads", str(threads)]
    command += ["--report", report, *args]
    return conversations.mapInArrow(_stage(command, "content" in conversations.columns), SCHEMA)


def run(spark, conversations, binary, output, reports, args=(), merge_args=(), threads=1, pages=True, records=False):
    """Inspects, writes tables to `output`, and merges scorecards and reports into the local folder `reports`.

    `output` gets `conversations` (Parquet, sorted by id, the whole line in `record`), `findings` (a row each), `rejects` (Parquet), and `stage` (what
    the tasks said). `args` go to `inspect`, those that choose the pack (`--rules`, `--satisfaction`) to `merge` as well,
    `merge_args` (gates, `--store`) to `merge` alone. With `records`, all records are brought to the driver for
    `conversations.jsonl` and the workbook: for nights that fit its disk. Returns the exit code of `zhijian merge`.
    """
    from pyspark.sql import functions as f

    stage = f"{output.rstrip('/')}/stage"
    said = inspect(spark, conversations, binary, args, threads, pages)
    said.write.mode("overwrite").partitionBy("kind").parquet(stage)
    # A kind nobody wrote is a folder that is not there, hence the schema.
    said = spark.read.schema(SCHEMA).parquet(stage)
    counts = {row["kind"]: row["count"] for row in said.groupBy("kind").count().collect()}
    trailers = [json.loads(row["line"]) for row in said.where("kind = 'trailer'").collect()]
    expected = sum(trailer["results"] for trailer in trailers)
    if expected != counts.get("result", 0) + counts.get("reject", 0):
        raise StageFailed(f"{expected} lines were sent, {counts} were written")

    results = said.where("kind = 'result'").select("conversation_id", "line")
    table = results.select("conversation_id", f.from_json("line", _RECORD).alias("r"), f.col("line").alias("record"))
    table = table.select("conversation_id", "r.*", "record").orderBy("conversation_id", "record")
    table.write.mode("overwrite").parquet(f"{output.rstrip('/')}/conversations")
    table = spark.read.parquet(f"{output.rstrip('/')}/conversations")
    found = table.select("conversation_id", f.explode("findings").alias("finding"))
    found.select("conversation_id", "finding.*").write.mode("overwrite").parquet(f"{output.rstrip('/')}/findings")
    said.where("kind = 'reject'").select("slice", "number", "line").write.mode("overwrite").parquet(
        f"{output.rstrip('/')}/rejects"
    )

    work = tempfile.mkdtemp(prefix="zhijian-merge-")
    try:
        slices = {}
        partials = said.where("kind = 'partial'").select("slice", "number", "bytes").orderBy("slice", "number")
        for row in partials.toLocalIterator():
            number = slices.setdefault(row["slice"], len(slices))
            with open(os.path.join(work, f"{number:08}.zjp"), "ab") as out:
                out.write(row["bytes"])
        if not slices:
            raise StageFailed("no input: not one partition had a conversation")
        command = [os.path.abspath(binary), "merge", work, "--out", reports, "--quiet", *merge_args]
        for name in ("--rules", "--satisfaction"):
            if name in args:
                command += [name, args[list(args).index(name) + 1]]
        if records:
            path = os.path.join(work, "records.jsonl")
            with open(path, "w", encoding="utf-8") as out:
                for row in table.select("conversation_id", "record").orderBy("conversation_id", "record").toLocalIterator():
                    out.write(row["record"] + "\n")
            command += ["--conversations", path]
        if "--report" not in merge_args:
            # The workbook's sheets are made from the records.
            kind = {(True, True): "all", (True, False): "xlsx", (False, True): "html", (False, False): "none"}
            command += ["--report", kind[records, pages]]
        code = subprocess.run(command, check=False).returncode
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if code not in (0, 1):
        raise StageFailed(f"zhijian merge failed with exit code {code}")
    return code


def main(argv=None):
    """The command line."""
    parser = argparse.ArgumentParser(description="zhijian on Spark")
    parser.add_argument("--binary", required=True, help="the zhijian program; it is sent to the executors")
    parser.add_argument("--input", required=True, nargs="+", help="paths, or one table's name")
    parser.add_argument(
        "--format",
        choices=["jsonl", "files", "parquet", "table", "messages-parquet", "messages-table"],
        default="jsonl",
        help="jsonl: UTF-8 lines; files: whole files in any format zhijian reads; parquet, table: a row a conversation; "
        "messages-…: a row a message",
    )
    parser.add_argument("--turn", default="role,text,at,agent_id", help="columns of a message")
    parser.add_argument("--conversation", default="", help="columns that are the same in all messages of one")
    parser.add_argument("--order-by", default="at", help="columns that put messages in order, without ties")
    parser.add_argument("--output", required=True, help="where tables go")
    parser.add_argument("--reports", required=True, help="local folder for scorecards and reports")
    parser.add_argument("--threads", type=int, default=1, help="threads of the binary; set spark.task.cpus to the same")
    parser.add_argument("--no-pages", action="store_true", help="no web report: smaller partials")
    parser.add_argument("--records", action="store_true", help="bring all records to the driver, for the workbook")
    parser.add_argument("--inspect-args", default="[]", help="more arguments of zhijian inspect, a JSON list")
    parser.add_argument("--merge-args", default="[]", help="more arguments of zhijian merge, a JSON list")
    args = parser.parse_args(argv)

    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName("zhijian").getOrCreate()
    names = lambda text: [name for name in text.split(",") if name]
    if args.format == "jsonl":
        conversations = jsonl(spark, *args.input)
    elif args.format == "files":
        conversations = files(spark, *args.input)
    else:
        table = spark.table(args.input[0]) if args.format.endswith("table") else spark.read.parquet(*args.input)
        if args.format.startswith("messages"):
            conversations = messages(table, names(args.turn), names(args.order_by), names(args.conversation))
        else:
            conversations = nested(table)
    return run(
        spark,
        conversations,
        args.binary,
        args.output,
        args.reports,
        args=json.loads(args.inspect_args),
        merge_args=json.loads(args.merge_args),
        threads=args.threads,
        pages=not args.no_pages,
        records=args.records,
    )


if __name__ == "__main__":
    sys.exit(main())
