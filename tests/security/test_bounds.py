"""No input fills the memory or runs without end: each ends early with a problem that says what is too large.

Forms that are large and honest in all but their size are read in linear time instead, and say nothing.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from runner.ledger.record import salt_check
from tests.support.bounded_runs import LIMIT_SECONDS, MAX_SECONDS, run_bounded
from tests.support.proof import proofs

HEADER = f'{{"msgrun_lock":1,"workspace":"","salt_check":"{salt_check("")}"}}\n'
KEY = f'"key":"{"a" * 32}"'
MIB = 1 << 20
ROW_LONG = "a row is longer than 4,194,304 characters"
CELL_LONG = "a field is longer than 1,048,576 characters"


def audience(kind: str, path: str) -> str:
    return f'{{{kind}: ../{path}, type: user, email: "{{{{ email }}}}"}}'


def declared(body: str = "Hi", to: str = "{type: user, id: a1}", more: str = "") -> str:
    return (
        f"name: a\nmessage_type: email\nsubject: S\nbody: {json.dumps(body)}\n"
        f'from: {{type: admin, id: "1"}}\nto: {to}\n{more}'
    )


@dataclass(frozen=True)
class Form:
    """Files of a project, the command that reads them, and what it says. Empty: it finds nothing to say about size."""

    files: Callable[[], Mapping[str, str | bytes]]
    says: str
    command: str = "validate"
    links: Mapping[str, str] = field(default_factory=dict)
    seconds: float = MAX_SECONDS


def message(text: str, says: str, command: str = "validate") -> Form:
    return Form(lambda: {"messages/a.yaml": text}, says, command)


def body(text: str, says: str = "", more: str = "vars: {x: y}\n") -> Form:
    return Form(lambda: {"messages/a.yaml": declared(text, more=more)}, says, "lint")


def table(content: Callable[[], str | bytes], says: str, path: str = "a.csv", seconds: float = MAX_SECONDS) -> Form:
    kind = "jsonl" if "jsonl" in path else "csv"
    return Form(lambda: {"messages/a.yaml": declared(to=audience(kind, path)), path: content()}, says, seconds=seconds)


def problem_rows(content: Callable[[], str | bytes], path: str = "a.csv.gz") -> Form:
    """A table in which each row has a problem: the first 20,000 are counted, which takes seconds."""
    return table(content, "20,000 recipients have a problem", path, LIMIT_SECONDS)


def ledger(line: str, says: str = "is torn", command: str = "status") -> Form:
    return Form(lambda: {"messages.lock": HEADER + line}, says, command)


@cache
def packed(start: bytes, repeated: bytes, mebibytes: int) -> bytes:
    """What gzip makes of a start and so many MiB of what is repeated: many members, as `cat` puts them together."""
    block = gzip.compress(repeated * (MIB // len(repeated)), 9, mtime=0)
    return gzip.compress(start, mtime=0) + block * mebibytes


def laughs(last: str, item: str = "[*a{0},*a{0}]", first: str = "[b,b]") -> str:
    lines = [f"x-0: &a0 {first}", *(f"x-{n}: &a{n} {item.format(n - 1)}" for n in range(1, 40)), last]
    return "\n".join(lines) + "\n"


def deep_folders(count: int) -> dict[str, str]:
    return {"/".join(["d"] * depth) + "/x.txt": "" for depth in range(1, count)}


def listed(pattern: str, says: str, files: Mapping[str, str] | None = None, **links: str) -> Form:
    to = audience("csv", pattern).replace(f"../{pattern}", json.dumps(f"../{pattern}"))
    return Form(lambda: {"messages/a.yaml": declared(to=to), **(files or {})}, says, links=links)


def query(selected: str, says: str) -> Form:
    return message(declared(to=f'{{sql: "select {selected}", type: user, id: a}}'), says)


CIRCLES = {f"link{number}": "." for number in range(8)}
PATHS = {
    "**/ twelve times": listed("**/" * 12 + "*.csv", "no file fits", deep_folders(30)),
    "**/ between names": listed("**/d/" * 12 + "*.csv", "no file fits", deep_folders(30)),
    "*/ over links to the root": listed("*/" * 12 + "*.csv", "no file fits", **CIRCLES),
    "*/ and **/ over links": listed("*/**/" * 8 + "*.csv", "no file fits", deep_folders(12), **CIRCLES),
    "[a-z]*/ over links": listed("[a-z]*/" * 12 + "*.csv", "no file fits", **CIRCLES),
    "??????/ over links": listed("?????/" * 12 + "*.csv", "no file fits", **CIRCLES),
    "many *": listed("*a" * 100 + "b", "no file fits", {"a" * 250: ""}),
    "a folder 900 deep": listed("**/*.csv", "more than 64 levels down", deep_folders(900)),
    "messages 480 deep": Form(lambda: {"messages/" + "d/" * 480 + "a.yaml": declared()}, ""),
    "a name of 5,000 letters": listed("a" * 5000, "a path has at most"),
    "a path of 600 KB": listed("a/" * 300_000 + "*.csv", "a path has at most"),
    "a body's file": message(declared().replace('body: "Hi"', "body_file: " + "a" * 5000), "a path has at most"),
    "an include": message(declared("{% include '" + "a" * 5000 + "' %}"), "a path has at most"),
    "a suppression list": Form(
        lambda: {"msgrun.yaml": f"suppress: {'a' * 5000}.csv\n", "messages/a.yaml": declared()}, "a path has at most"
    ),
    "10,001 files": listed("list/*.csv", "more than 10,000 files fit", {f"list/{n}.csv": "" for n in range(10_001)}),
}
COLUMNS = {
    "100,000 columns": table(
        lambda: "email," + ",".join(f"c{n}" for n in range(100_000)) + "\n", "has 100,001 columns"
    ),
    "2,001 columns": table(lambda: "email" + ",c" * 2000 + "\n", "has 2,001 columns"),
    "100,000 columns without a name": table(lambda: "email" + "," * 100_000 + "\n", "has 100,001 columns"),
    "of one name": table(lambda: "a," * 50_000 + "\n", "has 50,001 columns"),
    "by tabs": table(lambda: "email" + "\tb" * 50_000 + "\n", "has 50,001 columns"),
    "quoted": table(lambda: "email" + ',"b"' * 50_000 + "\n", "has 50,001 columns"),
    "quotes alone": table(lambda: '"' * 60_000 + "\n", ""),
    "a header of 5 MiB": table(lambda: "a" * (5 * MIB), ROW_LONG),
    "a cell of 2 MiB": table(lambda: f'email,b\na@example.com,"{"x" * (2 * MIB)}"\n', CELL_LONG),
    "a row of many cells": table(
        lambda: "email,b,c,d,e,f,g,h,i,j\n" + ",".join(['"' + "x" * 900_000 + '"'] * 10) + "\n", ROW_LONG
    ),
    "a row of lines": table(
        lambda: "email,b,c,d,e,f,g,h,i,j\n" + ",".join(['"' + "x\n" * 450_000 + '"'] * 10) + "\n", ROW_LONG
    ),
    "a quote that nothing closes": table(lambda: 'email\n"' + "a,b\n" * 2_000_000, CELL_LONG),
    "300,000 keys of JSON": table(
        lambda: json.dumps({f"k{n}": 1 for n in range(300_000)}) + "\n", "more than 100,000 values", "a.jsonl"
    ),
    "a key twice among them": table(
        lambda: "{" + ",".join(f'"k{n}" :1' for n in range(1900)) + ',"k1":1}\n', "the key k1 is there twice", "a.jsonl"
    ),
    "a million lists": table(
        lambda: '{"email":"a","x":[' + "[]," * MIB + "1]}\n", "more than 100,000 values", "a.jsonl"
    ),
    "a line of 5 MiB": table(lambda: '{"email":"' + "a" * (5 * MIB) + '"}\n', "longer than 4 MiB", "a.jsonl"),
    "a number of 6,000 digits": table(lambda: '{"email" :' + "9" * 6000 + "}\n", "this line is no JSON", "a.jsonl"),
}
BLANK = "more than 262,144 blank lines follow each other"
PACKED = {
    "blank lines, gz": table(lambda: packed(b"email\n", b"\n", 1024), BLANK, "a.csv.gz"),
    "blank lines of Windows": table(lambda: packed(b"email\r\n", b"\r\n", 1024), BLANK, "a.csv.gz"),
    "lines of spaces": problem_rows(lambda: packed(b"email\n", b" \n", 512)),
    "rows that are too wide": table(lambda: b"email\n" + b"a,b\n" * 500_000, "20,000 recipients have a problem"),
    "blank lines, plain": table(lambda: b"email\n" + b"\n" * (2 * MIB), BLANK),
    "blank lines before the header": table(lambda: packed(b"", b"\n", 1024), "the file has no header", "a.csv.gz"),
    "blank lines of JSON, gz": table(lambda: packed(b"", b"\n", 1024), BLANK, "a.jsonl.gz"),
    "blank lines of JSON, plain": table(lambda: b"\n" * (2 * MIB), BLANK, "a.jsonl"),
    "spaces of JSON": table(lambda: packed(b"", b" ", 1024), "longer than 4 MiB", "a.jsonl.gz"),
    "one line without end": table(lambda: packed(b"email\n", b"a", 1024), "a row is longer than", "a.csv.gz"),
    "NULs": table(lambda: packed(b"email\n", b"\0", 1024), "a row is longer than", "a.csv.gz"),
    "a suppression list": Form(
        lambda: {
            "msgrun.yaml": "suppress: a.csv.gz\n",
            "messages/a.yaml": declared(),
            "a.csv.gz": packed(b"email\n", b"\n", 1024),
        },
        BLANK,
    ),
    "xz": table(lambda: b"\xfd7zXZ\x00" + b"x" * 100, "it is packed with xz"),
    "bzip2": table(lambda: b"BZh9" + b"x" * 100, "it is packed with bzip2"),
}
ROWS = {
    "lines of commas": problem_rows(lambda: packed(b"email,b\n", b",\n", 512)),
    "one recipient": problem_rows(lambda: b"email\n" + b"a@example.com\n" * 200_000, "a.csv"),
}
ALIASES = "aliases repeat more than"
YAML = {
    "lists of aliases": message(laughs("to: *a39"), ALIASES),
    "merged mappings": message(laughs("<<: *a39", "{{<<: [*a{0},*a{0}]}}", "{b: 1}"), ALIASES),
    "aliases in vars": message(laughs(declared(more="vars: {a: *a39}")), ALIASES),
    "aliases in msgrun.yaml": Form(lambda: {"msgrun.yaml": laughs("vars: {a: *a39}")}, ALIASES),
    "a list in itself": message("to: &a [*a]\n", "contains itself"),
    "a mapping in itself": message("to: &a {b: *a}\n", "contains itself"),
    "a mapping merged into itself": message("&a\nvars: 1\n<<: *a\n", "contains itself"),
    "a text 20,000 times": message(
        declared(more=f'vars:\n  t: &t "{"x" * 500_000}"\n  l: [{"*t," * 20_000}]\n'), ALIASES
    ),
    "an id 20,000 times": message(
        declared(to=f'[{{type: user, id: &t "{"x" * 500_000}"}},{"{type: user, id: *t}," * 9999}]'), ALIASES
    ),
    "1,001 documents": message("--- a\n" * 1001, "a file has at most 1,000 documents"),
    "25,000 keys": message(declared() + "".join(f"k{n}: 1\n" for n in range(25_000)), "and 24,980 more keys"),
    "12,500 wrong names": message(
        declared(more="vars:\n" + "".join(f"  {n}k: 1\n" for n in range(12_500))), "more problems in this document"
    ),
    "1,000 documents of 100 wrong keys": message(
        "".join(f"---\n{''.join(f'k{d}x{n}: 1' + chr(10) for n in range(100))}" for d in range(1000)),
        "there are more than 1,000 problems, so the rest of this file is not checked",
    ),
    "25,000 times one key": message(declared() + "name: b\n" * 25_000, "of one document 100 such problems"),
    "10,001 recipients": message(
        declared(to=f"[{'{type: user, id: a},' * 10_001}]"), "more than 10,000 recipients are listed here"
    ),
    "10,000 wrong recipients": message(declared(to=f"[{'{type: usr, id: a},' * 10_000}]"), "to.type must be"),
    "a million values": message(declared(more=f"vars: {{l: [{'a,' * MIB}]}}\n"), "more than 250,000 values"),
    "a million empty lists": message(declared(more=f"vars: {{l: [{'[],' * MIB}]}}\n"), "more than 250,000 values"),
    "500,000 anchors": message(f"x-a: [{''.join(f'&a{n} b,' for n in range(300_000))}]\n", "more than 250,000 values"),
    "2 MiB of - ": message("x-a:\n" + "- " * MIB, "nested deeper than 60 levels"),
    "2 MiB of ? ": message("? " * MIB, "nested deeper than 60 levels"),
    "2 MiB of brackets": message("x-a: " + "[" * (2 * MIB), "nested deeper than 60 levels"),
    "a line of 80 KB": message(declared() + f"x: {'a' * 80_000}\n", "there is no key x"),
    "a line of 80 KB in a recipient": message(declared(to=f"{{type: usr, email: {'a' * 80_000}}}"), "to.type must be"),
    "40,000 @": message(declared() + f"x: {'a@' * 40_000}\n", "there is no key x"),
    "a text that nothing closes": message("a: '" + "b\n " * (MIB // 4), "a quote opens here that nothing closes"),
    "texts of two lines, then an error": message('x: "a\nb"\n' * 20_000 + "]", "this is not YAML"),
    "odd spaces in a text": message("x-a: |\n" + "  \u00a0b\n" * 100_000 + declared(), ""),
    "odd spaces in two texts": message("x-a: |\n" + "  a\n\u00a0b\n" * 50_000, "indent it as the text"),
}
SIZES = {
    "a declaration": message("#" * (4 * MIB + 1), "messages/a.yaml is larger than 4 MiB"),
    "msgrun.yaml": Form(lambda: {"msgrun.yaml": "#" * (4 * MIB + 1)}, "msgrun.yaml is larger than 4 MiB"),
    "a body's file": Form(
        lambda: {
            "messages/a.yaml": declared().replace('body: "Hi"', "body_file: b.html"),
            "messages/b.html": "a" * (4 * MIB + 1),
        },
        "messages/b.html is larger than 4 MiB",
    ),
    "an include": Form(
        lambda: {"messages/a.yaml": declared("{% include 'b.html' %}"), "messages/b.html": "a" * (4 * MIB + 1)},
        "messages/b.html is larger than 4 MiB",
    ),
    "messages.plan": Form(
        lambda: {"messages/a.yaml": declared(), "messages.plan": "x" * (33 * MIB)},
        "messages.plan is larger than 32 MiB",
        "plan",
    ),
    "a query of 100 KB": query("1" + "+1" * 50_000, "longer than 65,536"),
    "a query of parentheses": query("(" * 50_000, "parentheses are open"),
    "a query of lists": query("[" * 1000 + "1" + "]" * 1000, "the query"),
    "a name of a megabyte": message(declared().replace("name: a", f"name: {'a' * MIB}"), "name is 1 to 100 letters"),
    "a moment of a megabyte": message(declared(more=f"expires: 2026-12-01{'0' * MIB}\n"), "a moment is a date"),
    "an address of a megabyte": message(
        declared(to=f"{{type: user, email: {'a' * MIB}}}"), "an email address has exactly one @"
    ),
    "a database of 40,000 commas": Form(
        lambda: {"msgrun.yaml": f'lock: "postgresql://{"," * 40_000}:x?a=@"\n', "messages/a.yaml": declared()},
        "lock",
        "plan",
    ),
    "a long line of Jinja": message(declared(f"{{{{ '{'%(' * 20_000}' | format }}}}"), "a format longer than"),
    "50,000 rows of no address": Form(
        lambda: {
            "msgrun.yaml": "suppress: s.csv\n",
            "messages/a.yaml": declared(),
            "s.csv": "email\n" + "a\n" * 50_000,
        },
        "and 49,980 more rows with a problem",
    ),
}
LINT = {
    "<a ": body("<a " * 50_000, "this tag has no >"),
    "<a>": body("<a>" * 12_500, "256 tags are open"),
    "<b> and </b>": body("<b>" * 8000 + "</b>" * 8000, "256 tags are open"),
    "<p>": body("<p>" * 12_500, ""),
    "<p><b>": body("<p><b>" * 8000, "another <p> begins before it ends"),
    "</b>": body("</b>" * 12_500, "</b> closes nothing"),
    "unknown tags": body("<x>" * 12_500, "HTML knows no <x>"),
    "tags that cross": body("<i><b></i>" * 5000 + "</u>" * 5000, "closes nothing"),
    "<!": body("<!" * 50_000, "this tag has no >"),
    "<![": body("<![" * 50_000, "this tag has no >"),
    "<![if x]>": body("<![if x]>" * 12_500, ""),
    "<![foo[": body("<p>a</p><![foo[b]>", ""),
    "<!--": body("<!--" * 50_000, "this tag has no >"),
    "an attribute that never ends": body("<a b='" * 25_000, "a quote in this tag has no end"),
    "&": body("&" * 25_000, ""),
    "links": body("http://a " * 8000, "customers cannot reach"),
    "links in tags": body("<a href='http://a'>x</a>" * 2500, "customers cannot reach"),
    "placeholders": body("{a} " * 12_500, "is sent as it stands"),
    "%%": body("%%w" * 12_500, "is sent as it stands"),
    "a brace and spaces": body("{a" + " " * 50_000, ""),
    "values in unquoted attributes": body("<a href={{ x }}>" * 750 + "<br>" * 1250, "256 tags are open"),
    "values in one tag": body("<a title='" + "{{ x }}" * 2500 + "'>x</a>", ""),
    "a query of many ? and =": body(
        "<a href='https://a.example/" + "?" * 600 + "=" * 600 + "x" * 600 + "&{{ x }}'>x</a>"
    ),
    "values that may be markup": body("{{ x | safe }}" * 1250, ""),
    "a tag of many values, never the same": body(
        "{% for n in range(300) %}<y a='" + "{{ n }}b" * 50 + "' {{ n }}c>{% endfor %}", "HTML knows no <y>"
    ),
    "< with a value that may be markup": body("{{ x | safe }}" + "<" * 25_000, ""),
    "branches": body("{% if x %}a {% endif %}, " * 750, ""),
    "comments": Form(
        lambda: {
            "messages/a.yaml": declared("x", more="vars: {x: [\n" + "  # msgrun: ignore=form\n  a,\n" * 5000 + "]}\n")
        },
        "",
        "lint",
    ),
    "comments in a text": Form(
        lambda: {"messages/a.yaml": declared("x", more="vars:\n  x: |\n" + "    # msgrun: ignore=form\n" * 5000)},
        "",
        "lint",
    ),
    "comments in a template": body("x" + "{# msgrun: ignore=form #}" * 5000, ""),
}
LEDGER = {
    '{"': ledger('{"' * 75_000),
    '{"a":': ledger('{"a":' * 25_000),
    '{"a":{"a":[': ledger('{"a":{"a":[' * 12_500),
    "keys": ledger(f"{{{KEY}," * 5000, "1 delivery may have arrived"),
    "objects": ledger('{"a":1}' * 15_000),
    "objects that are no JSON": ledger('{"a":"\t"}' * 15_000),
    "texts that end in a brace": ledger('{"a":"{","b":' * 12_500),
    "texts alone": ledger('{"a":"' + '","' * 50_000),
    "escapes": ledger('{"\\' * 50_000),
    "spaces": ledger("{" + " " * 75_000),
    "brackets": ledger("[" * 3_000_000),
    "a line of 5 MiB": ledger("x" * (5 * MIB), "a line of more than 4 MiB"),
    "10,001 torn lines": ledger("x\n" * 10_001, "more than 10,000 torn lines"),
    "1,001 headers": ledger(
        "".join(f'{{"msgrun_lock":1,"ledger":"{number:026}"}}\n' for number in range(1001)), "more than 1,000 headers"
    ),
    "2 MiB of blank lines": ledger("x" + "\n" * (2 * MIB), "more than 1,048,576 blank lines"),
    "a line that begins in the first block": ledger(
        "\n" * 200_000 + "{" * (5 * MIB), "a line of more than 4 MiB", "plan"
    ),
}
KINDS = {
    "paths": PATHS,
    "columns and cells": COLUMNS,
    "packed files": PACKED,
    "YAML": YAML,
    "sizes": SIZES,
    "lint": LINT,
    "the ledger": LEDGER,
    "rows that all have a problem": ROWS,
}
EVERY_RUN = ("paths", "columns and cells", "sizes", "the ledger")


def written(folder: Path, form: Form) -> Path:
    """The project of a form. Files that one test makes often are few and small."""
    for path, content in {"msgrun.yaml": "", "messages.lock": HEADER, **form.files()}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for path, target in form.links.items():
        (folder / path).symlink_to(target)
    return folder


@pytest.mark.parametrize("kind", [*EVERY_RUN, *proofs(kind for kind in KINDS if kind not in EVERY_RUN)])
def test_an_input_ends_early_with_a_problem_or_takes_linear_time(tmp_path: Path, kind: str) -> None:
    forms = KINDS[kind]
    projects = [(written(tmp_path / str(number), form), form.command) for number, form in enumerate(forms.values())]
    for (name, form), ran in zip(forms.items(), run_bounded(projects), strict=True):
        told = f"{name}: {ran.code}, {ran.seconds:.1f} s, {ran.printed[:600]}"
        assert ran.seconds < form.seconds, told
        assert "a bug in msgrun" not in ran.printed, told
        assert form.says in ran.printed, told
        if not form.says:
            assert ran.code == 0, told
        assert len(ran.printed) < MIB, told
