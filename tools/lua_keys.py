"""What tools/generate_scripts.py must know of the keys of a Lua script: by which commands it reads each, and writes each.

A key is told apart by its letter (`r`), by the letters of those that a queue has many of (`a:`), or by the table whose keys it
is (`lanes_head[]`). What a function does with its parameters counts where it is called.
"""
import re

from lua_source import READS, WRITES, tokens

# The Redis type of the keys of a command; not of those that go with any type, and so tell nothing and fail at nothing.
TYPES = {"H": "HASH", "Z": "ZSET", "L": "LIST", "R": "LIST"}
OTHERS = {"SADD": "SET", "SCARD": "SET", "SMEMBERS": "SET", "SREM": "SET", "GET": "STRING"}
NAME = re.compile(r"[A-Za-z_]\w*")
MOST_STEPS = 8  # from a variable to what it stands for


def type_of(command):
    return OTHERS.get(command) or (TYPES.get(command[0]) if command[0] != "R" or command == "RPUSH" else None)


def parts_of(words):
    """The expressions between commas."""
    found, depth = [[]], 0
    for word in words:
        depth += (word in "([{") - (word in ")]}")
        if word == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(word)
    return [" ".join(part) for part in found]


class Function:
    def __init__(self, parameters=()):
        self.parameters = parameters
        self.values = {}    # variable -> expressions that it may stand for
        self.commands = []  # (command, key): expressions
        self.pending = []   # as well: tables that hold a command
        self.performs = False  # carries out what stands in such a table
        self.calls = []     # (function, arguments)


class KeyUse:
    """Of a Lua text: `reads` and `writes`, each a set of (Redis type, key), and `other`: commands that are in no list.
    Branches are not told apart: a key that is read in one of them counts as read in all."""

    def __init__(self, text):
        self.code = [token.text for token in tokens(text) if token.kind not in ("space", "comment")]
        self.joined = " ".join(self.code)
        self.main = Function()
        self.functions, self.fields = {"": self.main}, {}
        self.collect()
        self.reads, self.writes, self.done, self.returns = set(), set(), set(), {}
        self.pending, self.performs = set(), False  # commands in tables, and whether those are carried out
        self.walk("", {}, [])
        if self.performs:
            probed = {kind for kind, key in self.reads if key == "command [ 2 ]"}  # all in the table, before they are carried out
            self.writes.update((kind, key) for kind, key in self.pending if kind not in probed)

    def unread(self):
        """What is written, and not read by any command of the key's type: (type, key)."""
        return sorted(self.writes - self.reads)

    # --- what stands there

    def collect(self):
        at, within, depth = 0, [(self.main, 0)], 0
        code = self.code
        while at < len(code):
            word, before = code[at], code[at - 1] if at else ""
            after = code[at + 1] if at + 1 < len(code) else ""
            here = within[-1][0]
            if word == "function":
                depth += 1
                opened = code.index("(", at)
                closed = code.index(")", opened)
                made = here  # what has no name runs where it stands
                if opened == at + 2:
                    made = self.functions[after] = Function(code[opened + 1:closed:2])
                within.append((made, depth))
                at = closed
            elif word in ("if", "do", "repeat"):
                depth += 1
            elif word in ("end", "until"):
                if within[-1][1] == depth and len(within) > 1:
                    within.pop()
                depth -= 1
            elif word == "for":
                self.loop(here, at)
            elif word == "local" and after != "function":
                self.assignment(here, at + 1)
            elif after == "=" and NAME.fullmatch(word):
                value = self.expression(at + 2)
                (self.fields if before in (".", "{", ",") else here.values).setdefault(word, []).append(value)
            elif NAME.fullmatch(word) and after == "[" and before != ".":
                closed = self.closing(at + 1)
                if closed + 1 < len(code) and code[closed + 1] == "=":
                    here.values.setdefault(word + "[]", []).append(self.expression(closed + 2))
            elif word == "{" and self.is_command(after):
                here.pending.append(tuple(self.arguments(at)[:2]))
            elif NAME.fullmatch(word) and after == "(":
                arguments = self.arguments(at + 1)
                if word == "call" or word == "pcall" and before == ".":
                    if arguments[0].startswith("unpack ("):
                        here.performs = True
                    else:
                        here.commands.append((arguments[0], arguments[1] if len(arguments) > 1 else ""))
                elif before not in (".", "function"):
                    here.calls.append((word, arguments))
            at += 1

    @staticmethod
    def is_command(word):
        return word[1:-1] in READS | WRITES

    def closing(self, opened):
        """Where the counterpart of a parenthesis, bracket or brace stands."""
        depth, at = 0, opened
        while at < len(self.code):
            depth += (self.code[at] in "([{") - (self.code[at] in ")]}")
            if depth == 0:
                break
            at += 1
        return at

    def arguments(self, opened):
        """The expressions between a parenthesis or brace and its counterpart."""
        return parts_of(self.code[opened + 1:self.closing(opened)])

    def expression(self, at):
        """Up to what can't go on with it: roughly, as only names, calls and tables matter."""
        found, depth = [], 0
        while at < len(self.code):
            word = self.code[at]
            depth += word in "([{"
            if depth == 0 and (word in (",", ")", "]", "}", "then", "do", "local", "end", "for", "if", "return", "and", "or")
                               or found and NAME.match(word) and (NAME.match(found[-1]) or found[-1] in ")]}'")):
                break
            depth -= word in ")]}"
            found.append(word)
            at += 1
        return " ".join(found)

    def assignment(self, here, at):
        names = []
        while NAME.fullmatch(self.code[at]):
            names.append(self.code[at])
            if self.code[at + 1] != ",":
                break
            at += 2
        if at + 1 >= len(self.code) or self.code[at + 1] != "=":
            return
        at += 2
        for name in names:
            value = self.expression(at)
            here.values.setdefault(name, []).append(value)
            at += len(value.split(" "))
            if at >= len(self.code) or self.code[at] != ",":
                break
            at += 1

    def loop(self, here, at):
        """`for key, value in pairs(table)`: both stand for parts of the table."""
        head = self.code[at + 1:at + 40]
        if "in" not in head or "do" in head[:head.index("in")]:
            return
        names = [name for name in head[:head.index("in")] if name != ","]
        walk = at + 2 + head.index("in")
        if self.code[walk] not in ("pairs", "ipairs"):
            return
        table = self.arguments(walk + 1)[0]
        here.values.setdefault(names[0], []).append(f"keys {table}")
        if len(names) > 1:
            here.values.setdefault(names[1], []).append(f"values {table}")

    # --- what it means

    def walk(self, called, given, running):
        """Gathers what a function does, with its parameters as `given`."""
        way = (called, frozenset((name, value) for name, values in given.items() for value in values))
        if way in self.done or called in running:
            return
        self.done.add(way)
        function = self.functions[called]
        self.performs = self.performs or function.performs
        for command, key in function.commands:
            for name in self.texts(command, given):
                self.note(name, self.keys(key, function, given))
        for command, key in function.pending:
            kind = type_of(command[1:-1])
            if kind and command[1:-1] in WRITES:
                self.pending.update((kind, one) for one in self.keys(key, function, given))
        for name, arguments in function.calls:
            for passed_on in arguments:  # pcall(f)
                if passed_on in self.functions:
                    self.walk(passed_on, {}, running + [called])
            if name not in self.functions:
                continue
            passed = {}
            for parameter, argument in zip(self.functions[name].parameters, arguments):
                passed[parameter] = self.keys(argument, function, given) | set(self.texts(argument, given))
            self.walk(name, passed, running + [called])

    def texts(self, expression, given):
        """The commands that an expression may be."""
        if expression[:1] in "'\"":
            return [expression] if self.is_command(expression) else []
        return sorted(value for value in given.get(expression, ()) if value[:1] == "'")

    def note(self, command, keys):
        command = command[1:-1]
        kind = type_of(command)
        if kind:
            (self.reads if command in READS else self.writes).update((kind, key) for key in keys)

    def keys(self, expression, function, given, steps=0):
        """What a key may be: letters, or a text that stands for it."""
        many = re.match(r"key \( '(\w+:?)'", expression)
        if many:
            return {many[1]}
        if steps > MOST_STEPS:
            return {expression}
        inside = lambda part: self.keys(part, function, given, steps + 1)  # noqa: E731
        table = re.fullmatch(r"(keys|values) (.+)", expression)
        if table:
            return set().union(*[self.part(table[1], one, function, given, steps + 1) for one in inside(table[2])])
        called = re.match(r"(\w+) \(", expression)
        if called and called[1] in self.functions:
            returned = self.returned(called[1])
            return inside(returned) if returned else {expression}
        field = re.fullmatch(r"\w+ \. (\w+)", expression)
        if field and field[1] in self.fields:
            found = {key for value in self.fields[field[1]] for key in inside(value) if re.fullmatch(r"\w:?", key)}
            return found or {expression}
        if not NAME.fullmatch(expression):
            return {expression}
        if expression in given:
            return {key for key in given[expression] if key[:1] != "'"}
        values = function.values.get(expression) or self.main.values.get(expression, [])
        found = [inside(value) for value in values if value != "{ }"]  # what is filled later goes by its own name
        return set().union(*found) if found else {expression}

    def returned(self, name):
        """The only expression that a function returns."""
        if name not in self.returns:
            found = re.search(rf"function {name} \( [^)]*\) return (.*?) end", self.joined)
            self.returns[name] = found and found[1]
        return self.returns[name]

    def part(self, which, table, function, given, steps):
        """The keys or the values of a table."""
        if not table.startswith("{"):
            stored = function.values.get(table + "[]", []) if which == "values" else []
            return set().union(*[self.keys(value, function, given, steps) for value in stored]) or {f"{table}[]"}
        parts = parts_of(table.split(" ")[1:-1])
        if which == "keys":
            names = [match[1] for match in (re.match(r"\[ (.+?) \] =", part) for part in parts) if match]
            return set().union(*[self.keys(name, function, given, steps) for name in names]) if names else {f"{table}[]"}
        return set().union(*[self.keys(part, function, given, steps) for part in parts])
