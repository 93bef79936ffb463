"""Reads every source from its simulator into DuckDB and PostgreSQL with PyAirbyte, unmodified, and holds the tables against the simulator's rows.

`make warehouse` makes the Python environment that requirements.txt pins, in build/, and runs this. Each source is read twice into each database: in
full, and incrementally after rows were changed and removed. The simulators' odd values are switched on. Then, for every stream:

  - its table is there, and its columns have the types that the schema in specs/ says;
  - its rows are the simulator's and those that it removed since, each once;
  - every value is the simulator's, in its column's type (expected.py says what that is);
  - ordered by its cursor, it has the order of the times that the simulator gave;
  - PyAirbyte complained of no type.

PyAirbyte writes to PostgreSQL through pandas, which makes other values of some. Where a value differs there, the messages of the same sync, loaded by
COPY into a table with the schema's types, must have the right one; every value of the tables made by COPY is compared. The columns in which PyAirbyte
altered values are listed.

In the end a column is mistyped on purpose, which must be found. Exit code 0: all is well, or nothing could be tried, which is said aloud.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

warnings.simplefilter("ignore")
os.environ |= {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1", "PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "TZ": "UTC"}

import expected  # noqa: E402
import postgres  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"source-dwv": 120, "source-imobiliar": 120, "source-imoview": 240, "source-nectarcrm": 120, "source-snapproperty": 120}
SQL = {
    "text": "text", "json": "text", "boolean": "boolean", "integer": "bigint", "number": "numeric(38,9)", "date": "date",
    "timestamp": "timestamptz", "object": "jsonb", "list": "jsonb",
}  # fmt: skip
NAMES = {  # of a column's type, as either database gives it
    "text": {"VARCHAR", "character varying", "text"}, "json": {"VARCHAR", "character varying", "text"}, "boolean": {"BOOLEAN", "boolean"},
    "integer": {"BIGINT", "bigint"}, "number": {"DECIMAL(38,9)", "numeric"}, "date": {"DATE", "date"},
    # PyAirbyte drops the zone of the type that it means, so the times in such a column are the text's own: right if that is in UTC
    "timestamp": {"TIMESTAMP WITH TIME ZONE", "timestamp with time zone", "TIMESTAMP", "timestamp without time zone"}, "object": {"JSON", "json", "jsonb"}, "list": {"JSON", "json", "jsonb"},
}  # fmt: skip


class Failed(Exception):
    """What is not as it has to be."""


class Simulator:
    """An API at work in a process of its own."""

    def __init__(self, source: str, program: Path, folder: Path):
        self.book = folder / "book.jsonl"
        config = folder / "config.json"
        command = [program, source, "--size", str(SIZES[source]), "--set", "odd=true", "--config", config, "--record", self.book]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while "listening" not in self._line():
            pass
        self.config = json.loads(self._line())

    def _line(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the simulator ended")
        return line

    def ask(self, command: str) -> str:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._line()

    def expect(self) -> dict[str, dict[str, set[str]]]:
        return {s: {k: set(v or []) for k, v in keys.items()} for s, keys in json.loads(self.ask("expect")).items()}

    def exchanges(self):
        with self.book.open() as lines:
            for line in lines:
                yield expected.parse(line)

    def close(self):
        self.process.kill()
        self.process.wait()


def wrapped(folder: Path, binary: Path, out: Path, retype: str = "") -> Path:
    """A script that is the connector and keeps what it prints when it reads. With retype, STREAM.COLUMN=TYPE, discover lies about a column."""
    script = folder / f"connector-{out.stem}"
    lie = f"| {sys.executable} {Path(__file__).resolve()} --retype '{retype}'" if retype else ""
    script.write_text(
        f'#!/bin/bash\nset -o pipefail\ncase $1 in\nread) "{binary}" "$@" | tee -a "{out}" ;;\ndiscover) "{binary}" "$@" {lie} ;;\n*) exec "{binary}" "$@" ;;\nesac\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def retype(change: str):
    """Filters what discover prints: one column has another type."""
    where, kind = change.split("=")
    stream, column = where.split(".")
    for line in sys.stdin:
        message = json.loads(line)
        for s in message.get("catalog", {}).get("streams", []):
            if s["name"] == stream:
                s["json_schema"]["properties"][column] = {"type": ["null", kind]}
        print(json.dumps(message))


class Table:
    """What stands in one table: rows by key, each a dict by column (names in lower case), and the types of its columns."""

    def __init__(self, fetch, stream: str, keys: list[str], schema: str):
        types = fetch(f"select column_name, data_type from information_schema.columns where table_name = '{stream}' and table_schema = '{schema}'")
        if not types:
            raise Failed(f"{stream} has no table")
        self.types = {name.lower(): kind for name, kind in types}
        names = [n for n in self.types if not n.startswith("_airbyte_")]
        self.rows: dict[str, dict] = {}
        self.repeated = 0
        self.order: list[str] = []
        for values in fetch(f'select {", ".join(chr(34) + n + chr(34) for n in names)} from "{schema}"."{stream}"'):
            row = dict(zip(names, values))
            key = keyed(row, [k.lower() for k in keys])
            self.repeated += key in self.rows
            self.rows[key] = row


def keyed(row: dict, keys: list[str]) -> str:
    return ",".join(str(row.get(k)) for k in keys)


def same(kind: str, want, got) -> bool:
    """Whether a database's value is the one that is wanted."""
    if want is None or got is None:
        return want is None and got is None
    if kind in ("object", "list"):
        got = json.loads(got, parse_float=Decimal, parse_int=Decimal) if isinstance(got, str) else got
        return json_equal(want, got)
    if kind == "number":
        got = got if isinstance(got, Decimal) else Decimal(str(got))
        return abs(want - got) <= Decimal("0.0000000005") + abs(want) * Decimal("1e-15")  # PyAirbyte reads numbers as floats of 64 bits
    if kind == "timestamp":
        return isinstance(got, datetime) and abs((want - in_utc(got)).total_seconds()) < 2e-6
    return type(want) is type(got) and want == got


def in_utc(at: datetime) -> datetime:
    return at.astimezone(timezone.utc) if at.tzinfo else at.replace(tzinfo=timezone.utc)


def json_equal(want, got) -> bool:
    if isinstance(want, dict):
        return isinstance(got, dict) and want.keys() == got.keys() and all(json_equal(want[k], got[k]) for k in want)
    if isinstance(want, list):
        return isinstance(got, list) and len(want) == len(got) and all(map(json_equal, want, got))
    if isinstance(want, Decimal):
        return not isinstance(got, (bool, str, type(None), dict, list)) and abs(want - Decimal(str(got))) <= abs(want) * Decimal("1e-15")
    return type(want) is type(got) and want == got


class Check:
    """One source in one database."""

    def __init__(self, source: str, schemas: dict, keys: dict[str, list[str]], cursors: dict[str, str]):
        self.source, self.schemas, self.keys, self.cursors = source, schemas, keys, cursors

    def wanted(self, exchanges) -> dict[str, dict[str, dict]]:
        """The rows by stream and key: of each the last form in which it was answered. The time that its cursor had is in '' ."""
        rows: dict[str, dict[str, dict]] = {s: {} for s in self.schemas}
        source = expected.SOURCES[self.source]()
        for exchange in exchanges:
            for stream, raw in source.rows(exchange):
                row = expected.expected_row(self.schemas[stream]["properties"], raw)
                rows[stream][keyed(row, self.keys[stream])] = row
        return rows

    def hold(self, table: Table, stream: str, wanted: dict[str, dict], known: set[str], must: set[str]) -> list[str]:
        """What is wrong with a table but for its values."""
        faults = []
        for name, prop in self.schemas[stream]["properties"].items():
            kind = table.types.get(name.lower())
            if kind not in NAMES[expected.column(prop)]:
                faults.append(f"{stream}.{name} is {kind}, which is not {expected.column(prop)}")
        if table.repeated:
            faults.append(f"{stream} has {table.repeated} rows twice")
        if missing := sorted(must - table.rows.keys()):
            faults.append(f"{stream} lacks {len(missing)} rows: {missing[:3]}")
        if foreign := sorted(table.rows.keys() - known):
            faults.append(f"{stream} has {len(foreign)} rows that never were: {foreign[:3]}")
        if cursor := self.cursors.get(stream, "").lower():
            name = next(n for n in self.schemas[stream]["properties"] if n.lower() == cursor)
            dated = [k for k, row in table.rows.items() if row.get(cursor) is not None and k in wanted and wanted[k][name] is not None]
            by_table = sorted(dated, key=lambda k: (in_utc(table.rows[k][cursor]), k))
            by_api = sorted(dated, key=lambda k: (wanted[k][name], k))
            if by_table != by_api:
                faults.append(f"{stream} is not in the simulator's order by {cursor}")
        return faults

    def differing(self, table: Table, stream: str, wanted: dict[str, dict]):
        """The values that are not the simulator's: key, column, type, what is wanted, what is there."""
        for key, row in table.rows.items():
            for name, prop in self.schemas[stream]["properties"].items():
                kind = expected.column(prop)
                want, got = wanted.get(key, {}).get(name), row.get(name.lower())
                if key in wanted and not same(kind, want, got):
                    yield key, name, kind, want, got


def messages(out: Path):
    """The records that a connector printed, by stream."""
    rows: dict[str, list[dict]] = {}
    with out.open() as lines:
        for line in lines:
            if line.startswith('{"type":"RECORD"'):
                record = json.loads(line, parse_float=expected.Number, parse_int=expected.Number)["record"]
                rows.setdefault(record["stream"], []).append(record["data"])
    return rows


def copied(connection, schema: str, check: Check, out: Path):
    """Loads the records of a connector's output by COPY, into tables with the schema's types: what any typed destination makes of them."""
    with connection.cursor() as c:
        c.execute(f'create schema "{schema}"')
        rows = messages(out)
        for stream, declared in check.schemas.items():
            columns = declared["properties"]
            spec = ", ".join(f'"{n.lower()}" {SQL[expected.column(p)]}' for n, p in columns.items())
            c.execute(f'create table "{schema}"."{stream}" ({spec})')
            last = {keyed(row, check.keys[stream]): row for row in rows.get(stream, [])}
            with c.copy(f'copy "{schema}"."{stream}" from stdin') as copy:
                for row in last.values():
                    copy.write_row([cell(expected.column(p), row.get(n)) for n, p in columns.items()])
    connection.commit()


def cell(kind: str, value):
    if value is None:
        return None
    return expected.compact(value) if kind in ("object", "list", "boolean") else str(value)


def read(source: str, config: dict, script: Path, cache) -> str:
    """One sync of all streams. It returns what PyAirbyte said."""
    import airbyte

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        connector = airbyte.get_source(source, config=config, local_executable=script, streams="*")
        connector.read(cache=cache)
    return said.getvalue()


def cpu() -> float:
    """Seconds of CPU that this process and those that it started and that ended have taken."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def caches(folder: Path, server: postgres.Server, source: str, duckdb_only: bool = False):
    """The databases by name: a PyAirbyte cache, and a function that fetches rows."""
    import duckdb
    import psycopg
    from airbyte.caches import DuckDBCache, PostgresCache

    schema = source.replace("-", "_")
    duck = DuckDBCache(db_path=folder / "duck.db", schema_name="main", cache_dir=folder / "cache-duck")

    def from_duck(query: str):
        seen = folder / "seen.db"  # a copy: PyAirbyte's own connections stay open, and DuckDB refuses another kind of them
        if not seen.exists():
            for file in folder.glob("duck.db*"):
                shutil.copy(file, folder / file.name.replace("duck", "seen"))
        with duckdb.connect(str(seen)) as c:
            c.execute("set timezone = 'UTC'")
            return c.execute(query).fetchall()

    yield "DuckDB", duck, from_duck, "main"
    if duckdb_only:
        return
    pg = PostgresCache(
        host="127.0.0.1", port=server.port, username=postgres.USER, password="-", database=postgres.USER, schema_name=schema, cache_dir=folder / "cache-pg"
    )

    def from_pg(query: str):
        with psycopg.connect(host="127.0.0.1", port=server.port, user=postgres.USER, dbname=postgres.USER) as c:
            return c.execute(query).fetchall()

    yield "PostgreSQL", pg, from_pg, schema


def discovered(binary: Path, config: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The primary key and the cursor of each stream."""
    out = subprocess.run([binary, "discover", "--config", config], check=True, capture_output=True, text=True).stdout
    (catalog,) = [m["catalog"] for m in map(json.loads, out.splitlines()) if m["type"] == "CATALOG"]
    keys = {s["name"]: [k[0] for k in s.get("source_defined_primary_key", [])] for s in catalog["streams"]}
    cursors = {s["name"]: s["default_cursor_field"][0] for s in catalog["streams"] if s.get("default_cursor_field")}
    return keys, cursors


def try_source(source: str, program: Path, binary: Path, server: postgres.Server, wrong: str = "") -> tuple[list[list[str]], list[str]]:
    """Reads one source into both databases. It returns lines for the table in the end, and what is wrong. With wrong, a column is mistyped, and only
    DuckDB is tried."""
    folder = Path(tempfile.mkdtemp(prefix=f"warehouse-{source}-"))
    lines, faults = [], []
    simulator = Simulator(source, program, folder)
    try:
        keys, cursors = discovered(binary, folder / "config.json")
        check = Check(source, expected.tables(ROOT, source), keys, cursors)
        databases = list(caches(folder, server, source, bool(wrong)))
        scripts = {name: wrapped(folder, binary, folder / f"{name}.jsonl", wrong) for name, *_ in databases}
        took, worked, known = Counter(), Counter(), {s: set() for s in check.schemas}
        for sync in ("full", "incremental"):
            for name, cache, _, _ in databases:
                began, idle = time.monotonic(), cpu()
                said = read(source, simulator.config, scripts[name], cache)
                took[name] += time.monotonic() - began
                worked[name] += cpu() - idle
                if "Could not" in said:
                    faults.append(f"{source} into {name}, {sync}: {said.count('Could not')} complaints of types, such as {said[said.index('Could not'):][:200]}")
            for stream, found in simulator.expect().items():
                known[stream] |= found["must"] | found["may"]
            if sync == "full":
                simulator.ask("change 10 3")
        must = {s: found["must"] for s, found in simulator.expect().items()}
        wanted = check.wanted(simulator.exchanges())
        for name, _, fetch, schema in databases:
            records, values, altered, found = tables_of(check, name, fetch, schema, wanted, known, must, folder, server)
            faults += [f"{source} into {name}: {fault}" for fault in found]
            lines.append([source, name, str(len(check.schemas)), str(records), str(values), altered, f"{took[name]:.1f}", f"{worked[name]:.1f}", "wrong" if found else "right"])
    finally:
        simulator.close()
        shutil.rmtree(folder, ignore_errors=True)
    return lines, faults


def tables_of(check: Check, name, fetch, schema, wanted, known, must, folder: Path, server):
    """Compares all tables of one database. It returns the numbers of rows and values, what PyAirbyte altered, and what is wrong."""
    import psycopg

    exact = {}
    if name == "PostgreSQL":
        with psycopg.connect(host="127.0.0.1", port=server.port, user=postgres.USER, dbname=postgres.USER) as connection:
            copied(connection, schema + "_copy", check, folder / f"{name}.jsonl")
    records, values, altered, columns, faults = 0, 0, Counter(), Counter(), []
    for stream, declared in check.schemas.items():
        try:
            table = Table(fetch, stream, check.keys[stream], schema)
            faults += check.hold(table, stream, wanted[stream], known[stream], must[stream])
            if name == "PostgreSQL":
                exact[stream] = Table(fetch, stream, check.keys[stream], schema + "_copy")
                faults += [f"by COPY: {f}" for f in check.hold(exact[stream], stream, wanted[stream], known[stream], must[stream])]
        except Failed as e:
            faults.append(str(e))
            continue
        records += len(table.rows)
        values += len(table.rows) * len(declared["properties"])
        right = exact.get(stream, table)
        wrong = list(check.differing(right, stream, wanted[stream]))
        for key, column, kind, want, got in wrong[:3]:
            faults.append(f"{stream}.{column} of {key} is {got!r}, not {want!r} ({kind}); {len(wrong)} such values")
        if right is not table:
            for _, column, kind, want, got in check.differing(table, stream, wanted[stream]):
                altered[f"{kind} {alteration(kind, want, got)}"] += 1
                columns[f"{stream}.{column}"] += 1
    if columns:
        print(f"  altered by PyAirbyte on their way into {name}: " + ", ".join(f"{column} ({n})" for column, n in sorted(columns.items())))
    return records, values, ", ".join(f"{n} {what}" for what, n in altered.most_common()) or "none", faults


def alteration(kind: str, want, got) -> str:
    """How pandas altered a value."""
    if got is None:
        return "made null"
    if want is None:
        return "made of null"
    if kind in ("text", "json"):
        return "taken for a number, a time or a truth"
    return "rounded" if kind in ("integer", "number") else "of another form"


def report(lines: list[list[str]]):
    head = ["source", "database", "tables", "rows", "values", "altered by PyAirbyte, right by COPY", "seconds", "of CPU", ""]
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def main() -> int:
    bin_ = postgres.programs()
    if bin_ is None:
        print("*** No PostgreSQL can be had: THE WAREHOUSE IS NOT TRIED. ***")
        return 0
    build = Path(tempfile.mkdtemp(prefix="warehouse-build-"))
    lines, faults = [], []
    try:
        subprocess.run(["make", "-s", "-C", ROOT, "binaries"], check=True)
        program = build / "simulator"
        subprocess.run(["go", "build", "-C", ROOT / "integration", "-o", program, "./cmd/simulator"], check=True)
        goos, goarch = subprocess.run(["go", "env", "GOOS", "GOARCH"], check=True, capture_output=True, text=True).stdout.split()
        sources = sorted(p.name for p in (ROOT / "connectors").glob("source-*"))
        chosen = sys.argv[1:] or sources
        with postgres.Server(bin_) as server:
            for source in chosen:
                binary = ROOT / "build" / f"{goos}_{goarch}" / source
                print(f"{source}: two syncs into each database", flush=True)
                try:
                    more, wrong = try_source(source, program, binary, server)
                except Exception:  # whatever PyAirbyte raises is a fault of this source, and the others are still to be tried
                    more, wrong = [], [f"{source}: {traceback.format_exc(limit=-3)}"]
                lines, faults = lines + more, faults + wrong
            if not sys.argv[1:]:
                faults += mistyped(program, ROOT / "build" / f"{goos}_{goarch}", server)
    finally:
        shutil.rmtree(build, ignore_errors=True)
    report(lines)
    for fault in faults:
        print("WRONG:", fault)
    return 1 if faults else 0


def mistyped(program: Path, binaries: Path, server) -> list[str]:
    """Mistypes a column on purpose: what is wrong if that is not found."""
    try:
        _, found = try_source("source-dwv", program, binaries / "source-dwv", server, "properties.id=string")
    except Exception:
        return [f"a column that was mistyped on purpose stopped the check: {traceback.format_exc(limit=-3)}"]
    if not any("properties.id is" in fault for fault in found):
        return [f"a column that was mistyped on purpose was not found: {found}"]
    print(f"a column that was mistyped on purpose is found: {found[0]}")
    return []


if __name__ == "__main__":
    if sys.argv[1:2] == ["--retype"]:
        retype(sys.argv[2])
    else:
        sys.exit(main())
