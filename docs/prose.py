"""Phrases that have a usual technical term: `python -m docs.prose` lists them with the term, exit status 1 if any.

Documents, and comments, docstrings and messages in the code are checked; code blocks and `literals` are not. In
`NAMED_ROOMS`, variables and parameters may not have the names in `NAMES`. A line that must keep a phrase or a name has
a comment `prose: ok`.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("*.md", "docs/**/*.md", "benchmarks/**/*.md", ".github/**/*.md")
CODE = ("epsm_cli", "epsm_local", "functions", "infra", "layers", "docs", "benchmarks")
NOT_READ = {"docs/prose.py", "docs/metrics.md"}
"""The rules themselves, and what is generated from names in the code."""


@dataclass(frozen=True)
class Rule:
    """A phrase and its term.

    Attributes:
        phrase: Regular expression, in any case; each space stands for any white space, line breaks too.
        term: What to write instead.
    """

    phrase: str
    term: str

    def pattern(self) -> re.Pattern[str]:
        """The expression that is searched for."""
        return re.compile(self.phrase.replace(" ", r"\s+"), re.IGNORECASE)


RULES = (
    Rule(r"\btold apart\b|\btell apart\b", "distinguished, distinguish"),
    Rule(r"\b(?:told|tells?|telling)\b", "reported, notified (report, notify, say, show)"),
    Rule(r"\bput(?:s|ting)? into\b", "uploaded to, written to, stored in"),
    Rule(r"\bput(?:s|ting)? (?:it |that |them )?down\b", "recorded, stored"),
    Rule(r"\btime is over\b|\btime was over\b", "expired (retention), timed out (run)"),
    Rule(r"\basked too (?:often|much)\b|\basks too often\b", "throttled"),
    Rule(r"\bany more\b(?! than)", "no longer, not ... anymore"),
    Rule(r"\bsome (?:seconds|minutes|hours|days)\b", "a few seconds (minutes, hours, days)"),
    Rule(r"\bsome (?=\d)", "about"),
    Rule(
        r"(?<!here\s)\b(?:is|are|was|were) no\b(?! longer| more| less| fewer| one| such| need)",
        "is not a, is not an, are not",
    ),
    Rule(r"\bquarter of an hour\b", "15 minutes"),
    Rule(r"\b(?:go|goes|gone|went|going|carry|carries|carried) on with\b", "resumed, continued"),
    Rule(r"\bcarr(?:y|ies|ied) on\b", "resumed, continued"),
    Rule(r"\b(?:is|are|was|were) not there\b", "is missing, does not exist"),
    Rule(r"\bwhat there is\b", "the partial results, what exists"),
    Rule(r"\bcomes? to (?:an|its|the) end\b|\bcame to (?:an|its|the) end\b", "ends, completes"),
    Rule(r"\bend(?:s|ed)? badly\b", "failed, timed out or was aborted"),
    Rule(r"\b(?:brings?|brought)\b(?! about| up)", "downloaded, fetched, provided"),
    Rule(r"\bforgets? (?:the|all|studies)\b", "discard"),
    Rule(r"\b(?:too dear|dearer|dear)\b", "too expensive, over budget"),
    Rule(r"\b(?:fly|flies|flew)\b|(?<!in\s)\bflight\b", "run (the canary)"),
    Rule(r"\bat the door\b", "when the study is submitted, on submission"),
    Rule(r"\bwithout a word\b", "silently, without a message"),
    Rule(r"\b(?:can|to|could) be had\b", "available"),
    Rule(r"\bdeal(?:s|t)? out\b", "allocate"),
    Rule(r"\bworn out\b", "throttled, exhausted"),
    Rule(r"\btakes? (?:it |them |a study )?in\b(?! a| the)", "validates, accepts"),
    Rule(r"\b(?:those )?who (?:has |have )?subscribed?\b", "subscribers"),
    Rule(r"\bwho watch\b", "polling clients"),
    Rule(r"\bthe way of (?:the data|a study|every upload)\b", "data flow, path"),
    Rule(r"\bmend(?:s|ed|ing)?\b", "fix"),
    Rule(r"\bin vain\b", "without success"),
    Rule(r"\b(?:thereof|therein|whereof|wherein)\b", "of it, in it"),
    Rule(r"\bis for .{1,40} to say\b", "can only be checked by"),
    Rule(r"\b(?:as|what) EPSM (?:calls|answers|says)\b|\bin EPSM's words\b|\bEPSM's clients\b", "legacy EPSM"),
    Rule(r"\b(?:hop|wave through|look after)\b", "pass on, accept, maintain"),
    Rule(r"\bwhat (?:is|was) wrong\b", "the fault, the problem"),
    Rule(r"\bwhat(?:ever)? (?:became|becomes|has become|came|comes|has come|had come) of\b", "the outcome, the result"),
    Rule(r"\b(?:whoever|whomever|whosoever)\b", "the caller, the user, a client that ..."),
    Rule(r"\bhow (?:it|they|the name) begins?\b", "prefix"),
    Rule(r"\bpassed over\b|\b(?:engine|moto|it) passes over\b", "ignored, skipped"),
    Rule(
        r"\bone a (?:core|line|row|variant|study|folder|file|second|minute|day)\b"
        r"|\b(?:row|item|line|folder|execution|module) a (?:variant|study|sample|interval|time|day|run)\b",
        "one per ...",
    ),
    Rule(r"\b(?:come|comes|came) through\b", "succeed, pass"),
    Rule(r"\b(?:goes|go|went|gone) on\b(?! the\b)", "continue, happen"),
    Rule(r"\blook(?:s|ed)? whether\b", "check whether"),
    Rule(r"\bworth knowing\b", "peculiarities, remarks"),
    Rule(
        r"\bbehind (?:the|its|it|them|a|this|that|which)\b(?! (?:API|HTTP|EventBridge|proxy))", "after, at the end of"
    ),
    Rule(r"\bstands? (?:in(?! for)|behind|beside|twice|there)\b", "is in, is written in, occurs"),
    Rule(r"\blies? (?:in|there|below|beside)\b", "is in, is stored in"),
    Rule(r"\bsomebody else\b", "another user, a caller, by hand"),
    Rule(r"\bin whatever\b", "in any"),
    Rule(r"\b(?:is said|said of|says of)\b", "is reported, the message for"),
    Rule(r"\b(?:has|have|had) come to\b|\b(?:comes|came) to\b", "amounts to, outcome, cost"),
    Rule(r"\bdies? of\b", "crash because of"),
    Rule(r"\banew\b", "again"),
    Rule(r"\b(?:all|just) the same(?! \w)", "still, too, nevertheless"),
    Rule(r"\bone and the same\b", "the same"),
    Rule(r"\bcalled like\b", "named like, has the name of"),
    Rule(r"\bis at hand\b", "is available, is loaded"),
    Rule(
        r"\bwhat (?:it|they) (?:has|have|had) (?:started|printed|written|stored|read)\b",
        "its child processes, output, files",
    ),
    Rule(
        r"\bwhat (?:a|an|the) (?:[\w']+ ){1,2}?(?:says?|holds?|asks? for|gets?|prints?|knows?|answers?)\b",
        "the noun: the target of the measure, the response of the API",
    ),
    Rule(
        r"\b(?:value|column|key|table|query|slide|piece) a (?:parameter|sample|level|model|key|pair|study)\b",
        "one per ...",
    ),
    Rule(r"\blets? go of\b", "releases, closes"),
)

HEADING = Rule(
    r"(?m:^#+ (?:what|who|whose|when|where|whether|it is|being|many who)\b)",
    "a noun phrase that a search finds (Authorization, Notifications, Resolution, Troubleshooting)",
)
"""Headings of documents alone."""


NAMES = {
    **dict.fromkeys(("what", "said", "told"), "message, fault, output, kind"),
    **dict.fromkeys(("why", "how"), "reason, method"),
    **dict.fromkeys(("who", "whose"), "caller, owner"),
    **dict.fromkeys(("there", "gone"), "present, finite, removed"),
    **dict.fromkeys(("wanted", "asked"), "requested, expected"),
}
"""Names of variables and parameters, and the nouns to use instead."""

NAMED_ROOMS = ("epsm_cli", "epsm_local", "functions", "infra", "layers")
"""Folders in which names are checked."""


@dataclass(frozen=True)
class Finding:
    """A phrase where it stands.

    Attributes:
        line: Number of the line on which it begins, from 1.
        phrase: As it is written.
        term: What to write instead.
    """

    line: int
    phrase: str
    term: str


def in_markdown(text: str) -> list[Finding]:
    """The phrases in a document, outside code blocks and `literals`.

    >>> in_markdown("Faults are\\ntold, `told` too.")
    [Finding(line=2, phrase='told', term='reported, notified (report, notify, say, show)')]
    """
    prose = re.sub(r"^( *)(```|~~~).*?^\1\2[^\n]*$", _blank, text, flags=re.MULTILINE | re.DOTALL)
    return sorted(
        _found(_without_literals(prose), 1, (*RULES, HEADING), text.splitlines()), key=lambda finding: finding.line
    )


def in_python(source: str) -> list[Finding]:
    """The phrases in a module's comments and strings.

    >>> in_python("x = 1  # is asked too\\n# often\\n")
    [Finding(line=1, phrase='asked too often', term='throttled')]
    """
    lines = source.splitlines()
    return [
        finding
        for line, text in _passages(source)
        for finding in sorted(_found(_without_literals(text), line, RULES, lines), key=lambda found: found.line)
    ]


def in_names(source: str) -> list[Finding]:
    """The names of variables and parameters in `NAMES`; fields of classes and names of others' parameters are allowed.

    >>> [finding.phrase for finding in in_names("def f(wanted): return g(what=wanted)")]
    ['wanted']
    """
    tree, lines = ast.parse(source), source.splitlines()
    fields = {id(node.target) for node in _class_fields(tree)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in fields:
            name = node.id
        else:
            continue
        if name in NAMES and "prose: ok" not in lines[node.lineno - 1]:
            found.append(Finding(node.lineno, name, NAMES[name]))
    return sorted(found, key=lambda finding: finding.line)


def _class_fields(tree: ast.AST) -> Iterator[ast.AnnAssign]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (statement for statement in node.body if isinstance(statement, ast.AnnAssign))


def _passages(source: str) -> Iterator[tuple[int, str]]:
    """Comments and strings with the number of their first line; those that follow each other are one."""
    kind, start, end, text = "", 0, 0, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        name = tokenize.tok_name[token.type]
        if name in ("NL", "INDENT", "DEDENT") or (name == "NEWLINE" and kind == "COMMENT"):
            continue
        name = "STRING" if name.startswith("FSTRING") else name
        if name == kind and name in ("COMMENT", "STRING"):
            text += "\n" * (token.start[0] - end) + " " + _bare(token.string)
        else:
            if kind in ("COMMENT", "STRING"):
                yield start, text
            kind, start, text = name, token.start[0], _bare(token.string)
        end = token.end[0]


def _bare(token: str) -> str:
    if re.match(r"[rR]?[fF]", token):  # until Python 3.11 an f-string is one token, with the expressions in it
        token = re.sub(r"\{[^{}]*\}", _blank, token)
    return re.sub(r"^[#:]+|^[rbfuRBFU]{0,2}[\"']+|[\"']+$", " ", token)


def _without_literals(text: str) -> str:
    return re.sub(r"(`+)(?:(?!\1).)+\1", _blank, text, flags=re.DOTALL)


def _blank(match: re.Match[str]) -> str:
    """As many lines, with something that is neither a word nor white space nor part of a literal."""
    return re.sub(r"[^\n]", "¤", match[0])


def _found(text: str, first: int, rules: Iterable[Rule], lines: list[str]) -> Iterator[Finding]:
    taken: set[int] = set()
    for rule in rules:
        for match in rule.pattern().finditer(text):
            line = first + text.count("\n", 0, match.start())
            if match.start() in taken or (line <= len(lines) and "prose: ok" in lines[line - 1]):
                continue
            taken.add(match.start())
            yield Finding(line, " ".join(match[0].split()), rule.term)


def findings() -> Iterator[tuple[Path, Finding]]:
    """All phrases of the project, by file."""
    documents = {path for pattern in DOCUMENTS for path in ROOT.glob(pattern)}
    modules = {path for folder in CODE for path in (ROOT / folder).rglob("*.py")}
    for path in sorted(documents | modules):
        if path.relative_to(ROOT).as_posix() not in NOT_READ:
            text = path.read_text(encoding="utf-8")
            for finding in in_markdown(text) if path.suffix == ".md" else in_python(text):
                yield path, finding
            if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in NAMED_ROOMS:
                yield from ((path, finding) for finding in in_names(text))


def main() -> int:
    count = 0
    for path, finding in findings():
        count += 1
        print(f"{path.relative_to(ROOT)}:{finding.line}: {finding.phrase!r} -> {finding.term}")
    print(f"{count} phrases to replace" if count else "no phrase to replace", file=sys.stderr)
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
