#!/usr/bin/python3
"""Reads attacks.table, and makes of it the header that the hostile SIPs are compiled with:
attacks.py TABLE HEADER. What an outcome means is breakout.py's business."""

import re
import sys

WORDS = {"unchecked", "checked", "masked", "ring0", "ring3", "joint", "joint-service", "one-heap",
         "heap-service", "4k", "umip", "shstk", "ibt", "fpu", "keys", "no-keys", "2m", "identity", "move", "copy", "remap", "shared", "preempt"}
OUTCOMES = {"refused", "contained", "succeeds", "crashes", "none"}


class Attack:
    def __init__(self, number, name, family, template, native, rules):
        self.number, self.name, self.family, self.template = number, name, family, template
        self.native, self.rules = native, rules

    def outcome(self, words):
        """What must become of it where these words hold."""
        if self.native and "unchecked" not in words:
            return "none"
        for conditions, outcome in self.rules:
            if all((word[1:] not in words) if word[0] == "!" else word in words
                   for word in conditions):
                return outcome
        raise ValueError(f"{self.name}: no rule for {' '.join(sorted(words))}")


def read_rules(text, macros, where):
    rules = []
    for rule in (part.strip() for part in text.split(";")):
        if rule in macros:
            rules += macros[rule]
            continue
        match = re.fullmatch(r"([^>]*?)\s*->\s*(\S+(?: \S+)?)", rule)
        if not match:
            raise ValueError(f"{where}: '{rule}' is no rule")
        conditions, outcome = match.group(1).split(), match.group(2)
        for word in conditions:
            if word.lstrip("!") not in WORDS:
                raise ValueError(f"{where}: unknown word '{word}'")
        if outcome not in OUTCOMES and not outcome.startswith("ended "):
            raise ValueError(f"{where}: unknown outcome '{outcome}'")
        rules.append((conditions, outcome))
    return rules


def read(path):
    """All attacks, by number."""
    attacks, macros = [], {}
    with open(path, encoding="utf-8") as file:
        for line_number, line in enumerate(file, 1):
            line, where = line.split("#")[0].strip(), f"{path}:{line_number}"
            if not line:
                continue
            macro = re.fullmatch(r"(@\w+)\s*=\s*(.+)", line)
            if macro:
                macros[macro.group(1)] = read_rules(macro.group(2), macros, where)
                continue
            match = re.fullmatch(r"(\w+)\s+([a-z]+)(?:/([a-z]+))?(\s+native)?\s+(\S.*)", line)
            if not match:
                raise ValueError(f"{where}: want NAME FAMILY[/TEMPLATE] [native] RULE; ...")
            name, family, template, native, rules = match.groups()
            attacks.append(Attack(len(attacks), name, family, template or family, bool(native),
                                  read_rules(rules, macros, where)))
    return attacks


def header(attacks):
    lines = ["/* Generated from attacks.table; do not edit. */", "#ifndef BULKHEAD_ATTACKS_H",
             "#define BULKHEAD_ATTACKS_H", "", "enum attack {"]
    lines += [f"    ATTACK_{a.name}," for a in attacks]
    lines += ["};", "", "/* X(name, template), in the order of their numbers. */",
              "#define ATTACKS(X) \\"]
    lines += [f'    X({a.name}, "{a.template}") \\' for a in attacks] + [""]
    for family in sorted({a.family for a in attacks}):
        lines += ["/* X(name) where every safety kind has it, N(name) where unchecked code alone. */",
                  f"#define ATTACKS_{family}(X, N) \\"]
        lines += [f"    {'N' if a.native else 'X'}({a.name}) \\" for a in attacks
                  if a.family == family] + [""]
    return "\n".join(lines + ["#endif", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: attacks.py TABLE HEADER")
    try:
        text = header(read(sys.argv[1]))
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as why:
        sys.exit(f"attacks.py: {why}")


if __name__ == "__main__":
    main()
