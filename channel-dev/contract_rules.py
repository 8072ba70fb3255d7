"""The rules that a contract as a whole obeys, and what follows from it: how much is in flight."""
import os

from contract_text import LIMITS, PARTIES, meant


def generated_names(message):
    """What follows "CONTRACT_" in the C names that a message generates."""
    name = message.name.text
    made = [name.upper(), f"{name}_min_bytes".upper(), f"{name}_max_bytes".upper(), f"send_{name}",
            f"recv_{name}"]
    for each in message.fields:
        made.append(f"{name}_{each.name.text}_offset".upper())
        if each.type == "bytes":
            made += [f"{name}_{verb}_{each.name.text}" for verb in ("read", "write")]
            made.append(f"{name}_get_{each.name.text}_bytes")
        else:
            made.append(f"{name}_get_{each.name.text}")
    return made


class Rules:
    """Checks one contract as a whole and computes what the table needs."""

    def __init__(self, contract, diagnostics):
        self.contract, self.diagnostics = contract, diagnostics
        self.messages, self.states = contract.messages, contract.states
        self.sender = {}  # state name: the party that may send there
        self.unknown = set()  # of "state", "message": what would be reported again as unused

    def error(self, at, text):
        self.diagnostics.add(self.contract.file, at, text)

    def check(self):
        self.names()
        self.limits()
        self.start()
        for state in self.states.values():
            self.state(state)
        if "state" not in self.unknown and self.contract.start:
            self.reachable()
        if "message" not in self.unknown:
            self.unused()
        if len(self.states) <= LIMITS["PLAN_CONTRACT_STATES"]:
            self.bound()

    def names(self):
        if self.contract.name.text in ("sip", "abi"):
            self.error(self.contract.name, f"\"{self.contract.name.text}\" is the prefix of the SIP "
                                           "library's own names")
        stem = os.path.basename(self.contract.file).removesuffix(".contract")
        if stem != self.contract.name.text:
            self.error(self.contract.name, f"contract \"{self.contract.name.text}\" must be in a file "
                                           f"{self.contract.name.text}.contract")
        made = {"IN_FLIGHT": "the contract itself"}
        for message in self.messages.values():
            for text in generated_names(message):
                if text in made:
                    self.error(message.name, f"\"{message.name.text}\" and \"{made[text]}\" would both "
                                             f"generate the C name {self.contract.name.text}_{text}")
                made[text] = message.name.text

    def limits(self):
        for kind, limit in ((self.states, "PLAN_CONTRACT_STATES"),
                            (self.messages, "PLAN_CONTRACT_TYPES")):
            if len(kind) > LIMITS[limit]:
                word = "states" if kind is self.states else "messages"
                self.error(list(kind.values())[LIMITS[limit]].name,
                           f"{len(kind)} {word}, more than {limit} = {LIMITS[limit]}")

    def start(self):
        marked = [state for state in self.states.values() if state.mark == "start"]
        for state in marked[1:]:
            self.error(state.name, f"a second start state; the first is \"{marked[0].name.text}\"")
        if marked:
            self.contract.start = marked[0].name.text
        else:
            self.error(self.contract.name, "no start state: write \"start\" before the state of a fresh "
                                           "channel")

    def state(self, state):
        name = state.name.text
        if state.mark == "end" and state.steps:
            self.error(state.name, f"end state \"{name}\" has transitions: drop \"end\", or them")
        if state.mark != "end" and not state.steps:
            self.error(state.name, f"state \"{name}\" is a dead end: give it transitions, or write "
                                   "\"end\" before it if the conversation is over")
        seen, senders = {}, {}
        for message, target in state.steps:
            if target.text not in self.states:
                self.unknown.add("state")
                self.error(target, f"unknown state \"{target.text}\""
                                   + meant(target.text, self.states))
            if message.text not in self.messages:
                self.unknown.add("message")
                self.error(message, f"unknown message \"{message.text}\""
                                    + meant(message.text, self.messages))
                continue
            if message.text in seen:
                self.error(message, f"state \"{name}\" already has \"{message.text}\", to "
                                    f"\"{seen[message.text]}\": one message leads to one state")
            seen[message.text] = target.text
            senders.setdefault(self.messages[message.text].sender, message)
        if len(senders) == 2:
            client, server = (senders[party] for party in PARTIES)
            late = max(client, server, key=lambda word: (word.line, word.column))
            self.error(late, f"both parties may send in state \"{name}\" (client: \"{client.text}\", "
                             f"server: \"{server.text}\"): each could send before it sees the other's "
                             "message, and they would disagree about the state")
        elif senders:
            self.sender[name] = next(iter(senders))

    def targets(self, name):
        return [target.text for _, target in self.states[name].steps if target.text in self.states]

    def reachable(self):
        found, left = set(), [self.contract.start]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.targets(name)
        for name, state in self.states.items():
            if name not in found:
                self.error(state.name, f"state \"{name}\" is never reached from "
                                       f"\"{self.contract.start}\"")

    def unused(self):
        used = {message.text for state in self.states.values() for message, _ in state.steps}
        for name, message in self.messages.items():
            if name not in used:
                self.error(message.name, f"message \"{name}\" is sent in no state")

    def bound(self):
        """The longest run of messages one way: only an answer proves that they were taken."""
        run, path, cyclic = {}, [], set()

        def longest(name):
            if name in path:
                self.cycle(path[path.index(name):], cyclic)
                return 0
            if name not in run:
                path.append(name)
                best = 0
                for message, target in self.states[name].steps:
                    known = target.text in self.states and message.text in self.messages
                    if known and self.sender.get(name):
                        same = self.sender.get(target.text) == self.sender[name]
                        best = max(best, 1 + (longest(target.text) if same else 0))
                run[name] = best
                path.pop()
            return run[name]

        self.contract.in_flight = max((longest(name) for name in self.states), default=0)

    def cycle(self, names, cyclic):
        if cyclic & set(names):
            return  # a state of it has been named
        cyclic.update(names)
        text = names[0]
        for here, there in zip(names, names[1:] + names[:1]):
            message = next(m for m, target in self.states[here].steps if target.text == there)
            text += f" -{message.text}-> {there}"
        self.error(self.states[names[0]].name,
                   f"the {self.sender[names[0]]} can send without end: {text}; no ring is deep enough, "
                   "so let the other party answer somewhere in this cycle")
