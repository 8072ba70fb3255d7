"""Random layouts that are valid by the rules of docs/layouts.md, for layouts.py.

The same seed gives the same text. Only what a pair allows is asked for: the kinds of transfer are
those that are legal between the client and the server of ping-pong, wherever the rules put them.
"""
import random

ROLES = ("application", "service", "driver")
SIPS = {"client": "application", "server": "service", "disk": "driver"}


def attributes(rng):
    """A domain's attributes, as YAML and as they resolve."""
    ring = rng.choice((0, 3))
    space = "own" if ring == 3 or rng.random() < 0.7 else "kernel"
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
    return text


def resolve(text, kernel_pages):
    """(space, pages, whether its heap is its own) of a domain."""
    ring, space = text.get("ring", 0), text.get("space", "own")
    heap = text.get("heap", "own" if ring == 3 else "shared")
    return space, text["pages"] if space == "own" else kernel_pages, heap == "own"


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
        shape = ("kernel", kernel_pages, False) if identity == "kernel" else resolve(
            text, kernel_pages)
        ends.append((identity if shape[2] else "shared", *shape))
    (heap_a, space_a, pages_a, own_a), (heap_b, space_b, pages_b, own_b) = ends
    if heap_a == heap_b:
        kinds.append("move")
    elif own_a and own_b and (space_a, pages_a, space_b, pages_b) == ("own", "4K", "own", "4K"):
        kinds.append("remap")
    if pages_a == pages_b == "4K":
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
    kernel_pages = rng.choice(("4K", "4K", "2M", "1G", "largest"))
    domains = {f"d{i}": attributes(rng) for i in range(rng.randint(0, 3))}
    rules = []
    for last in [False] * rng.randint(0, 3) + [True]:
        match = (frozenset(ROLES), None) if last else matches(rng, rules)
        if match:
            target = rng.choice(["kernel", "own", "own", *domains])
            text = attributes(rng) if target == "own" else domains.get(target)
            rules.append((*match, (target, text)))

    lines = [f"layout: {name}", "about: Made at random."]
    lines.append(f"kernel: {{pages: {kernel_pages}}}")
    kinds = transfers(kernel_pages, place_of(rules, "client"), place_of(rules, "server"))
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
