"""Random layouts that are valid by the rules of docs/layouts.md and docs/mechanisms.md, for layouts.py.

The same seed gives the same text. Only what a pair allows is asked for: the kinds of transfer are
those that are legal between the client and the server of ping-pong, wherever the rules put them.
"""
import random

ROLES = ("application", "service", "driver")
SIPS = {"client": "application", "server": "service", "disk": "driver"}


ACTIONS = ("ibpb", "l1d-flush", "buffer-clear", "rsb-fill")


class Machine:
    """What a layout draws for the whole machine, and what that leaves to its domains."""

    def __init__(self, rng):
        self.pages = rng.choice(("4K", "4K", "2M", "1G", "largest"))
        self.kpti = self.pages == "4K" and rng.random() < 0.7
        self.ring3_in_root = rng.choice((None, "pku", "kpti", "alone")) if self.pages in (
            "4K", "2M") else None
        if self.ring3_in_root == "kpti" and not self.kpti:
            self.ring3_in_root = "pku"
        self.alone_taken = False
        self.text = {}
        self.tag = rng.choice(("pcid", "off", None))
        if self.tag:
            self.text["tag"] = self.tag
        self.actions = action_list(rng) if rng.random() < 0.5 else None
        self.to_ring3 = rng.random() < 0.2
        if self.actions:
            self.text["on-switch"] = self.actions
        for key in ("smep", "smap", "umip"):
            if rng.random() < 0.3:
                self.text[key] = rng.choice(("on", "on", "off"))
        if self.kpti and rng.random() < 0.4:
            self.text["kpti"] = "on"
        elif not self.kpti and rng.random() < 0.5:
            self.text["global"] = "on"
        if self.ring3_in_root in ("pku", "kpti") and rng.random() < 0.2:
            self.text["pku"] = "on"
        images = rng.random()
        if images < 0.15:
            self.text["retpoline"] = "on"
        elif images < 0.3:
            self.text["cet"] = rng.choice(("shstk", "[ibt]", "[shstk, ibt]"))
        if rng.random() < 0.3:
            self.text["fpu"] = rng.choice(("eager", "lazy", "none"))

    def mechanisms(self, rng, text):
        """Adds what a domain can have to its attributes."""
        shared, ring3 = text.get("space", "own") != "own", text.get("ring", 0) == 3
        if not shared and rng.random() < 0.4:
            text["tag"] = rng.choice(("pcid", "off"))
        if ring3 and not shared and self.kpti and rng.random() < 0.5:
            text["kpti"] = rng.choice(("on", "off"))
        if ring3 and shared:
            if self.ring3_in_root != "alone":
                text["pku"] = "on"
            if self.ring3_in_root == "kpti":
                text["kpti"] = "on"
        if not self.to_ring3 and rng.random() < 0.3:
            text["on-switch"] = rng.choice((action_list(rng), "off"))


def action_list(rng):
    return f"[{', '.join(rng.sample(ACTIONS, rng.randint(1, len(ACTIONS))))}]"


def attributes(rng, machine, several):
    """A domain's attributes, as YAML and as they resolve."""
    ring = rng.choice((0, 3))
    root = machine.ring3_in_root
    if ring == 0:
        space = "own" if rng.random() < 0.7 else "kernel"
    elif root is None or (root == "alone" and (several or machine.alone_taken)):
        space = "own"
    else:
        space = rng.choice(("own", "shared"))
        machine.alone_taken |= space == "shared"
    text = {"ring": ring, "space": space}
    if ring == 0:
        text["heap"] = rng.choice(("own", "shared"))
    elif rng.random() < 0.5:
        text["heap"] = "own"
    if space == "own":
        text["pages"] = rng.choice(("4K", "2M"))
    for key, default in (("ring", 0), ("space", "own")):
        if text[key] == default and rng.random() < 0.3:
            del text[key]
    machine.mechanisms(rng, text)
    return text


def resolve(text, kernel_pages):
    """(space, pages, whether its heap is its own, ring) of a domain."""
    ring, space = text.get("ring", 0), text.get("space", "own")
    heap = text.get("heap", "own" if ring == 3 else "shared")
    pages = text["pages"] if space == "own" else kernel_pages
    return "own" if space == "own" else "kernel", pages, heap == "own", ring


def matches(rng, rules):
    """A `match` that no rule before it takes all of."""
    for _ in range(20):
        if rng.random() < 0.5:
            roles = frozenset(rng.sample(ROLES, rng.randint(1, 2)))
            if not any(sips is None and roles <= taken for taken, sips, _ in rules):
                return roles, None
        else:
            return frozenset(ROLES), frozenset(rng.sample(sorted(SIPS), rng.randint(1, 2)))
    return None


def place_of(rules, sip):
    """(identity of the domain, its attributes) for the SIP."""
    for roles, sips, (target, text) in rules:
        if SIPS[sip] in roles and (sips is None or sip in sips):
            return (sip if target == "own" else target), text
    raise ValueError(sip)


def transfers(kernel_pages, client, server):
    """The kinds that the two ends allow."""
    kinds = ["auto", "copy"]
    ends = []
    for identity, text in (client, server):
        shape = ("kernel", kernel_pages, False, 0) if identity == "kernel" else resolve(
            text, kernel_pages)
        ends.append((identity if shape[2] else "shared", *shape))
    (heap_a, space_a, pages_a, own_a, ring_a), (heap_b, space_b, pages_b, own_b, ring_b) = ends
    if heap_a == heap_b:
        kinds.append("move")
    elif own_a and own_b and (space_a, pages_a, space_b, pages_b) == ("own", "4K", "own", "4K"):
        kinds.append("remap")
    one_root = space_a == space_b == "kernel" and heap_a != heap_b and 3 in (ring_a, ring_b)
    if pages_a == pages_b == "4K" and not one_root:
        kinds.append("shared")
    return kinds


def flow(mapping):
    return "{" + ", ".join(f"{key}: {value}" for key, value in mapping.items()) + "}"


def rule_text(rng, roles, sips, target, text):
    match = {}
    if roles != frozenset(ROLES):
        match["role"] = f"[{', '.join(sorted(roles))}]"
    elif sips is None:
        match["role"] = '"*"'
    if sips is not None:
        match["sip"] = f"[{', '.join(sorted(sips))}]"
    rule = {"match": flow(match), "in": target}
    if target == "own":
        rule.update(text)
    if rng.random() < 0.3:
        rule["safety"] = rng.choice(("unchecked", "checked", "masked"))
    if rng.random() < 0.2:
        rule["on-fault"] = rng.choice(("kill", "restart"))
    return "  - " + flow(rule)


def generate(name, seed):
    rng = random.Random(seed)
    machine = Machine(rng)
    domains = {f"d{i}": attributes(rng, machine, False) for i in range(rng.randint(0, 3))}
    rules = []
    for last in [False] * rng.randint(0, 3) + [True]:
        match = (frozenset(ROLES), None) if last else matches(rng, rules)
        if match:
            target = rng.choice(["kernel", "own", "own", *domains])
            text = attributes(rng, machine, True) if target == "own" else domains.get(target)
            rules.append((*match, (target, text)))

    lines = [f"layout: {name}", "about: Made at random."]
    kernel = {"pages": machine.pages}
    if machine.to_ring3:
        declared = [text for _, _, (_, text) in rules if text] + list(domains.values())
        if any(text.get("ring", 0) == 3 for text in declared):
            machine.text["on-switch-to"] = "ring-3"
    elif rng.random() < 0.3:
        kernel["on-switch"] = rng.choice((action_list(rng), "off"))
    if rng.random() < 0.3:
        kernel["tag"] = rng.choice(("pcid", "off"))
    lines.append(f"kernel: {flow(kernel)}")
    lines.extend(f"{key}: {value}" for key, value in machine.text.items())
    kinds = transfers(machine.pages, place_of(rules, "client"), place_of(rules, "server"))
    for key, words in (("transfer", kinds), ("wake", ("queue", "direct")),
                       ("preempt", ("off", "on")), ("on-fault", ("kill", "restart")),
                       ("safety", ("unchecked", "checked", "masked"))):
        if rng.random() < 0.6:
            lines.append(f"{key}: {rng.choice(words)}")
    if domains:
        lines.append("domains:")
        lines.extend(f"  {domain}: {flow(text)}" for domain, text in domains.items())
    lines.append("place:")
    lines.extend(rule_text(rng, roles, sips, *where) for roles, sips, where in rules)
    return "\n".join(lines) + "\n"
