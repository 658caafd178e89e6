"""The README's SQL over the Parquet files of the invented night, in DuckDB, against the CSV files of the same run."""

import csv
import pathlib
import re
import subprocess
import sys
import tempfile

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main(binary):
    queries = re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(queries) == 3, f"{len(queries)} blocks of SQL in the README"
    with tempfile.TemporaryDirectory() as base:
        out = pathlib.Path(base) / "out"
        command = [binary, "inspect", ROOT / "fixtures/nightly", "--results", "parquet", "--report", "none", "--out", out]
        subprocess.run([*command, "--quiet"], check=True)

        def table(name):
            with open(out / name, encoding="utf-8-sig", newline="") as file:
                return list(csv.DictReader(file))

        costs, agents, hours = [duckdb.sql(query.replace("out/", f"{out}/")).fetchall() for query in queries]
        rules = {row["规则"]: row for row in table("rules.csv")}
        assert len(costs) == 20, costs
        for rule, title, conversations, people, points in costs:
            row = rules[rule]
            assert row["标题"] == title and int(row["涉及客服数"]) == people, (row, people)
            assert abs(float(row["总分值"]) - points) < 0.051 and int(row["命中次数"]) >= conversations, (row, points)
        cards = {row["客服ID"]: row for row in table("scorecards.csv")}
        for agent, name, conversations, mean, *_ in agents:
            row = cards[agent]
            assert (row["姓名"], int(row["会话数"])) == (name, conversations), row
            assert abs(float(row["平均分"]) - mean) < 0.051, (row, mean)
        assert len(agents) == 15, agents
        assert sum(row[2] for row in hours) == 300 and hours[0][3] > 30, hours
    print(f"DuckDB: {len(costs)} rules, {len(agents)} agents, {len(hours)} hours by channel, as in the CSV files")


main(sys.argv[1])
