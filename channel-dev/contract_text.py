"""The text form of a contract: what a file says, and its reader, which goes on after a mistake.

Whether the whole makes sense is contract_rules.py's; the form itself is in docs/contracts.md.
"""
import difflib
import re
import sys
from dataclasses import dataclass, field

# The limits of domain-config/plan.h; the generated table asserts that they still agree.
LIMITS = {
    "PLAN_NAME_BYTES": 32,
    "PLAN_CONTRACT_STATES": 16,
    "PLAN_CONTRACT_TYPES": 16,
    "PLAN_MAX_CONTRACTS": 32,
    "PLAN_MAX_MESSAGE_BYTES": 256 << 10,
    "PLAN_CONTRACT_REFUSED": 255,
}
NAME_MAX = LIMITS["PLAN_NAME_BYTES"] - 1
PARTIES = ("client", "server")
WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8, "endpoint": 8}
TYPES = list(WIDTHS) + ["bytes"]
STATEMENTS = ("message", "state", "start", "end")
C_WORDS = set("""auto break case char const continue default do double else enum extern float for goto
    if inline int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while asm typeof""".split())


# ---- what a file says ----

@dataclass
class Word:
    """A piece of the text and where it stands; the base of everything that has a name."""
    text: str
    line: int
    column: int


@dataclass
class Field:
    name: Word
    type: str
    offset: int = 0
    room: int = 0  # of bytes: the most it can hold


@dataclass
class Message:
    name: Word
    sender: str
    fields: list
    number: int = 0

    @property
    def tail(self):
        """The variable field, or None."""
        return self.fields[-1] if self.fields and self.fields[-1].type == "bytes" else None

    @property
    def min_bytes(self):
        ends = [f.offset + WIDTHS[f.type] for f in self.fields if f.type != "bytes"]
        return max(ends, default=0)

    @property
    def max_bytes(self):
        return self.min_bytes + (self.tail.room if self.tail else 0)


@dataclass
class State:
    name: Word
    mark: str  # "start", "end" or ""
    steps: list = field(default_factory=list)  # (message Word, target Word)
    number: int = 0


@dataclass
class Contract:
    file: str
    name: Word
    messages: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)
    start: str = ""
    in_flight: int = 0


class Diagnostics:
    def __init__(self):
        self.found = []

    def add(self, file, at, text):
        self.found.append((file, at.line, at.column, text))

    def print(self):
        for file, line, column, text in sorted(set(self.found)):
            print(f"{file}:{line}:{column}: {text}", file=sys.stderr)


def meant(word, known):
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean \"{near[0]}\"?" if near else ""


# ---- reading ----

# The last alternative has no meaning; the reader says what it expected instead.
TOKEN = re.compile(r"[ \t\r]+|#[^\n]*|\n|->|[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9_]*|[{}()\[\],;:|]"
                   r"|[^\s\w{}()\[\],;:|#]+|.", re.DOTALL)


class Syntax(Exception):
    """A mistake that this statement cannot go on after; already reported."""


class Reader:
    def __init__(self, file, text, diagnostics):
        self.file, self.diagnostics = file, diagnostics
        self.words, self.at = self.split(text), 0

    def split(self, text):
        words, line, begin, at = [], 1, 0, 0
        while at < len(text):
            token = TOKEN.match(text, at).group()
            here = Word(token, line, at - begin + 1)
            at += len(token)
            if token == "\n":
                line, begin = line + 1, at
            elif token[0] not in " \t\r#":
                words.append(here)
        words.append(Word("", line, at - begin + 1))
        return words

    def error(self, at, text):
        self.diagnostics.add(self.file, at, text)

    @property
    def next(self):
        return self.words[self.at]

    def take(self):
        word = self.next
        if word.text:
            self.at += 1
        return word

    def fail(self, expected):
        found = f"\"{self.next.text}\"" if self.next.text else "the end of the file"
        self.error(self.next, f"expected {expected}, found {found}")
        raise Syntax

    def expect(self, text):
        if self.next.text != text:
            self.fail(f"\"{text}\"")
        return self.take()

    def name(self, what):
        """A name that is declared elsewhere."""
        if not re.match(r"[A-Za-z_]", self.next.text):
            self.fail(f"the name of a {what}")
        return self.take()

    def new_name(self, what):
        word = self.name(what)
        if not re.fullmatch(r"[a-z]([a-z0-9_]*[a-z0-9])?", word.text):
            self.error(word, f"\"{word.text}\" is no {what} name: lower-case letters, digits and _ "
                             "between them, a letter first")
        elif len(word.text) > NAME_MAX:
            self.error(word, f"the {what} name is longer than {NAME_MAX} characters")
        return word

    def choice(self, known, what):
        word = self.next
        if word.text not in known:
            self.error(word, f"\"{word.text}\" is no {what}: expected "
                             f"{', '.join(known)}{meant(word.text, known)}")
            raise Syntax
        return self.take().text

    def skip_statement(self):
        """After a mistake: to the start of the next statement, which may lack its ';' before."""
        while self.next.text not in ("", "}"):
            if self.next.text in STATEMENTS:
                ahead = self.words[self.at + 1].text
                if re.match(r"[a-z]", ahead) and self.words[self.at - 1].text in (";", ")", "client",
                                                                                  "server"):
                    return
            if self.take().text == ";":
                return

    def contract(self):
        try:
            self.expect("contract")
            contract = Contract(self.file, self.new_name("contract"))
            self.expect("{")
        except Syntax:
            return None
        while self.next.text not in ("", "}"):
            before = self.at
            try:
                self.statement(contract)
            except Syntax:
                if self.at == before:
                    self.take()
                self.skip_statement()
        try:
            self.expect("}")
            if self.next.text:
                self.fail("the end of the file: a file holds one contract")
        except Syntax:
            pass
        return contract

    def statement(self, contract):
        if self.next.text == "message":
            self.take()
            self.message(contract)
        elif self.next.text in ("start", "end", "state"):
            mark = "" if self.next.text == "state" else self.take().text
            self.expect("state")
            self.state(contract, mark)
        else:
            self.choice(STATEMENTS, "statement")

    def message(self, contract):
        name = self.new_name("message")
        self.expect("(")
        fields = []
        while self.next.text != ")":
            if fields:
                self.expect(",")
            fields.append(self.field())
        self.expect(")")
        sender = self.choice(PARTIES, "party")
        self.expect("->")
        at = self.next
        if self.choice(PARTIES, "party") == sender:
            self.error(at, f"the {sender} cannot send \"{name.text}\" to itself")
        self.expect(";")
        if name.text in contract.messages:
            first = contract.messages[name.text].name
            self.error(name, f"message \"{name.text}\" is declared twice, first in line {first.line}")
            return
        self.lay_out(name, fields)
        contract.messages[name.text] = Message(name, sender, fields, len(contract.messages))

    def field(self):
        kind = self.choice(TYPES, "field type")
        name = self.new_name("field")
        if name.text in C_WORDS:
            self.error(name, f"\"{name.text}\" is a word of C and cannot name a field")
        made = Field(name, kind)
        if kind == "bytes":
            self.expect("[")
            if not re.fullmatch(r"[0-9]+", self.next.text):
                self.fail("the most bytes that it can hold, a decimal number")
            number = self.take()
            made.room = int(number.text)
            if not made.room:
                self.error(number, f"\"{name.text}\" has no room: at least 1 byte")
            self.expect("]")
        return made

    def lay_out(self, message, fields):
        """Gives each field its offset: aligned to its width, in the order written."""
        seen, at = {}, 0
        for index, each in enumerate(fields):
            name = each.name
            if name.text in seen:
                self.error(name, f"field \"{name.text}\" is there twice in \"{message.text}\"")
            seen[name.text] = True
            if each.type == "endpoint" and index:
                self.error(name, "an endpoint must be the first field, and a message carries one: the "
                                 "kernel finds it at offset 0")
            if each.type == "bytes" and index + 1 < len(fields):
                self.error(name, "a bytes field must be the last: its length is what remains of the "
                                 "message")
            width = WIDTHS.get(each.type, 1)
            each.offset = at = (at + width - 1) // width * width
            at += each.room if each.type == "bytes" else width
        if at > LIMITS["PLAN_MAX_MESSAGE_BYTES"]:
            self.error(message, f"message \"{message.text}\" can have {at} bytes, more than "
                                f"PLAN_MAX_MESSAGE_BYTES = {LIMITS['PLAN_MAX_MESSAGE_BYTES']}")

    def state(self, contract, mark):
        state = State(self.new_name("state"), mark, number=len(contract.states))
        if self.next.text == ":":
            self.take()
            while True:
                message = self.name("message")
                self.expect("->")
                state.steps.append((message, self.name("state")))
                if self.next.text != "|":
                    break
                self.take()
        self.expect(";")
        name = state.name
        if name.text in contract.states:
            first = contract.states[name.text].name
            self.error(name, f"state \"{name.text}\" is declared twice, first in line {first.line}")
            return
        contract.states[name.text] = state
