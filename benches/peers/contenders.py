"""What people use instead: `contenders.py NAME DUMP PHRASES THREADS OUT`. Each reads the dump, cuts every message of people where it
is meant to, looks for the pack's phrases, and writes a line a conversation; it prints how many messages hold one."""

import json
import multiprocessing
import os
import sys
import time

HUMAN = {"agent", "customer"}
CUT = FIND = None
# Processor seconds a Spark worker has told of.
TOLD = 0.0


def automaton(phrases):
    import ahocorasick

    found = ahocorasick.Automaton()
    for phrase in phrases:
        found.add_word(phrase, phrase)
    found.make_automaton()
    return found


def human(turn):
    return turn["role"] in HUMAN and turn.get("kind", "text") in ("text", "voice")


def look(conversation, cut, find):
    """A conversation's result: words and phrases of every message."""
    hits, words = [], 0
    for number, turn in enumerate(conversation["turns"]):
        if human(turn):
            words += len(cut(turn["text"]))
            hits.extend((number, phrase) for _, phrase in find(turn["text"]))
    line = json.dumps({"conversation_id": conversation["conversation_id"], "words": words, "hits": hits}, ensure_ascii=False)
    return line, len({number for number, _ in hits})


def start(phrases):
    global CUT, FIND
    if CUT is not None:
        return
    import jieba

    jieba.setLogLevel("ERROR")
    jieba.initialize()
    CUT, FIND = jieba.lcut, automaton(phrases).iter


def lines(chunk):
    out = [look(json.loads(line), CUT, FIND) for line in chunk]
    return "\n".join(line for line, _ in out), sum(n for _, n in out)


def chunks(path, size=500):
    held = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            held.append(line)
            if len(held) == size:
                yield held
                held = []
    if held:
        yield held


def python(dump, phrases, threads, out):
    """multiprocessing, jieba, pyahocorasick."""
    count = 0
    with multiprocessing.Pool(threads, start, (phrases,)) as pool, open(out, "w", encoding="utf-8") as file:
        for text, hit in pool.imap(lines, chunks(dump)):
            file.write(text + "\n")
            count += hit
    return count


def spark(dump, phrases, threads, out):
    """PySpark with jieba and pyahocorasick in mapInPandas."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master(f"local[{threads}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.files.maxPartitionBytes", "16m")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    session.sparkContext.addPyFile(os.path.abspath(__file__))
    # The daemon of the Python workers ignores their ends, so that the system drops their processor time: they tell it.
    worked = session.sparkContext.accumulator(0.0)

    def stage(frames):
        import contenders
        import pandas
        import time

        contenders.start(phrases)
        for frame in frames:
            rows = [contenders.look(json.loads(line), contenders.CUT, contenders.FIND) for line in frame["value"]]
            yield pandas.DataFrame(rows, columns=["line", "hit"])
        worked.add(time.process_time() - contenders.TOLD)
        contenders.TOLD = time.process_time()

    session.read.text(dump).mapInPandas(stage, "line string, hit long").write.mode("overwrite").parquet(out)
    count = session.read.parquet(out).groupBy().sum("hit").collect()[0][0]
    session.stop()
    return f"{count}\nprocessor {worked.value}"


def polars(dump, phrases, threads, out):
    """polars extract_many: the scan alone, nothing cut."""
    import polars as pl

    texts = (
        pl.scan_ndjson(dump)
        .select("conversation_id", "turns")
        .explode("turns")
        .unnest("turns")
        .filter(pl.col("role").is_in(list(HUMAN)))
    )
    if "kind" in texts.collect_schema().names():
        texts = texts.filter(pl.col("kind").is_null() | pl.col("kind").is_in(["text", "voice"]))
    hits = texts.select("conversation_id", pl.col("text").str.extract_many(phrases, overlapping=True).alias("hits"))
    frame = hits.filter(pl.col("hits").list.len() > 0).collect()
    frame.write_parquet(out)
    return frame.height


if __name__ == "__main__":
    name, dump, phrases, threads, out = sys.argv[1:]
    with open(phrases, encoding="utf-8") as file:
        phrases = [line.rstrip("\n") for line in file]
    print({"python": python, "spark": spark, "polars": polars}[name](dump, phrases, int(threads), out))
