"""What tools/generate_scripts.py must know of a Lua text: its tokens, and what it reads and writes in which order."""
import functools
import re

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<comment>--[^\n]*)
  | (?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<op>\.\.\.|\.\.|==|~=|<=|>=|.)""", re.X)


class Token:
    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line

    def __repr__(self):
        return f"{self.text}@{self.line}"


def tokens(text):
    """All tokens of a text, with spaces and comments."""
    found, line = [], 1
    for match in TOKEN.finditer(text):
        found.append(Token(match.lastgroup, match[0], line))
        line += match[0].count("\n")
    return found


def compact(text):
    """A text without comments, indentation and empty lines; what it does is the same."""
    code = "".join(token.text for token in tokens(text) if token.kind != "comment")
    lines = (line.strip() for line in code.splitlines())
    return "".join(line + "\n" for line in lines if line)


SUMS = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}
LOOSER = {"(", "[", "{", ",", "=", "==", "~=", "<", ">", "<=", ">=", "..", "return", "and", "or"}  # than + and -
TIGHTER = {"*", "/", "%", "^"}


def folded(text):
    """A text with sums and products of whole numbers worked out, where they stand between what binds less; without `+ 0`."""
    code, at = tokens(text), 0

    def near(index, step):
        index += step
        while 0 <= index < len(code) and code[index].kind == "space":
            index += step
        return index

    def word(index):
        return code[index].text if 0 <= index < len(code) else ""

    while at < len(code):
        before, operator = near(at, -1), near(at, 1)
        right = near(operator, 1)
        after = near(right, 1)
        if word(operator) in ("+", "-") and word(right) == "0" and word(after) not in TIGHTER:
            del code[at + 1:right + 1]
            continue
        if word(at) == "0" and word(operator) == "+" and word(before) in LOOSER:
            del code[at:right]
            continue
        if (word(at).isdigit() and word(right).isdigit() and word(operator) in SUMS
                and word(before) in LOOSER and word(after) not in TIGHTER):
            value = SUMS[word(operator)](int(word(at)), int(word(right)))
            if value >= 0:
                is_alone = word(before) == "(" and word(after) == ")" and word(near(before, -1)) in TIGHTER
                code[before if is_alone else at:(after if is_alone else right) + 1] = [Token("number", str(value), code[at].line)]
                continue
        at += 1
    return "".join(token.text for token in code)


@functools.cache
def words(text):
    """The names that a text uses as variables: neither fields nor what stands in strings."""
    code = [token for token in tokens(text) if token.kind not in ("space", "comment")]
    return frozenset(token.text for before, token in zip([None] + code, code)
                     if token.kind == "name" and not (before and before.text == "."))


# ------------------------------------------------------------------------------- reads and writes in their order

READS = {"EXISTS", "GET", "HEXISTS", "HGET", "HGETALL", "HLEN", "HMGET", "HRANDFIELD", "HSCAN", "HSTRLEN", "INFO", "LLEN", "LPOS",
         "LRANGE", "PUBSUB", "SCARD", "SMEMBERS", "TIME", "XLEN", "XRANGE", "XREVRANGE", "ZCARD", "ZRANGE", "ZLEXCOUNT", "ZMSCORE",
         "ZRANGEBYLEX", "ZSCORE"}
# A message can't be taken back, and so is a write.
WRITES = {"DEL", "HDEL", "HINCRBY", "HSET", "HSETNX", "LPUSH", "LREM", "LTRIM", "PERSIST", "PEXPIRE", "PUBLISH", "RPUSH", "SADD",
          "SET", "SREM", "UNLINK", "XADD", "XTRIM", "ZADD", "ZREM"}


class Script:
    """A Lua text as a tree of what may happen: reads, writes, calls of its own functions, branches and loops."""

    def __init__(self, text):
        self.code = [token for token in tokens(text) if token.kind not in ("space", "comment")]
        self.at = 0
        self.functions = {}  # name -> bodies: of a table of functions all, as any of them may be called
        self.unknown = []    # commands that are neither known to read nor to write
        names = re.findall(r"^\s*(?:local )?function (\w+)", text, re.M)
        names += re.findall(r"^\s*(?:local )?(\w+)(?:\[[^\]\n]*\])?(?:\.\w+)? = function", text, re.M)
        self.known = set(names)
        self.main = self.block()

    def reads_below_writes(self):
        """(function or '', command, line) of each read that may come after a write."""
        self.found, self.running, self.done = {}, [], {}
        self.run(self.main, False, [], [])
        return sorted(self.found)

    # --- the tree

    def text(self, ahead=0):
        return self.code[self.at + ahead].text if self.at + ahead < len(self.code) else ""

    def block(self, function=""):
        nodes = []
        while self.at < len(self.code) and self.text() not in ("end", "else", "elseif", "until"):
            nodes += self.statement(function)
        return nodes

    def statement(self, function):
        word = self.text()
        if word == "if":
            self.at += 1
            branches = [self.events(function, ("then",)) + [("block", self.body(function))]]
            while self.text() == "elseif":
                self.at += 1
                branches.append(self.events(function, ("then",)) + [("block", self.body(function))])
            otherwise = []
            if self.text() == "else":
                self.at += 1
                otherwise = self.block(function)
            self.at += 1
            return [("if", branches, otherwise)]
        if word in ("for", "while"):
            self.at += 1
            head = self.events(function, ("do",))
            self.at += 1
            inside = self.block(function)
            self.at += 1
            return head + [("loop", (head if word == "while" else []) + [("block", inside)])] if word == "for" else \
                [("loop", head + [("block", inside)])]
        if word == "repeat":
            self.at += 1
            inside = self.block(function)
            self.at += 1
            return [("loop", [("block", inside)] + self.events(function, ()))]
        if word == "do":
            self.at += 1
            inside = self.block(function)
            self.at += 1
            return [("block", inside)]
        if word == "return":
            self.at += 1
            return self.events(function, ()) + [("return",)]
        if word == "break":
            self.at += 1
            return [("break",)]
        return self.events(function, ())

    def body(self, function):
        self.at += 1  # then
        return self.block(function)

    STARTS = {"if", "for", "while", "repeat", "do", "return", "break", "end", "else", "elseif", "until"}

    def events(self, function, ends):
        """What an expression or a simple statement may do, what stands in parentheses before the call itself."""
        found, opened = [], []
        while self.at < len(self.code):
            token, word = self.code[self.at], self.text()
            if not opened and (word in ends or word in self.STARTS):
                break
            if word == "function":
                found += self.function()
                continue
            self.at += 1
            if word in "([{":
                opened.append(None)
            elif word in ")]}":
                event = opened.pop()
                if event:
                    found.append(event)
            elif token.kind == "name" and not (self.at > 1 and self.code[self.at - 2].text == "."
                                               and word not in ("call", "pcall")):
                event = self.event(token, function)
                if event and self.text() == "(":
                    self.at += 1
                    opened.append(event)
                elif event:
                    found.append(event)
        return found

    def event(self, token, function):
        if token.text in ("call", "pcall") and self.text() == "(" and not (
                token.text == "pcall" and self.code[self.at - 2].text != "."):
            command = self.code[self.at + 1]
            if command.kind != "string":
                return ("write", command.text)
            name = command.text[1:-1]
            if name not in READS and name not in WRITES:
                self.unknown.append((name, token.line))
            return ("read", function, name, token.line) if name in READS else ("write", name)
        if token.text in self.known and self.text() != "=":
            return ("call", token.text)
        return None

    def function(self):
        """A function: one that has a name runs where that is used, another one in its place."""
        before, self.at = self.at - 1, self.at + 1
        name = ""
        if self.code[self.at].kind == "name":  # function name(…), function table.name(…)
            name = self.text()
            while self.text() != "(":
                self.at += 1
        elif before > 0 and self.code[before].text == "=":
            back = before - 1
            if self.code[back].text == "]":
                while self.code[back].text != "[":
                    back -= 1
                back -= 1
            while self.code[back - 1].text == ".":
                back -= 2
            name = self.code[back].text
        while self.text() != ")":
            self.at += 1
        self.at += 1
        inside = self.block(name)
        self.at += 1
        if name not in self.known:
            return [("closure", inside)]
        self.functions.setdefault(name, []).append(inside)
        return []

    # --- walks it; a state is whether something may have been written, None: what follows is not reached

    @staticmethod
    def join(states):
        reached = [state for state in states if state is not None]
        return any(reached) if reached else None

    def run(self, nodes, state, breaks, returns):
        for node in nodes:
            if state is None:
                return None
            kind = node[0]
            if kind == "read":
                if state:
                    self.found[node[1:]] = True
            elif kind == "write":
                state = True
            elif kind == "call":
                state = self.call(node[1], state)
            elif kind == "block":
                state = self.run(node[1], state, breaks, returns)
            elif kind == "closure":
                mine = []
                state = self.join([self.run(node[1], state, [], mine)] + mine)
            elif kind == "if":
                outs = []
                for branch in node[1]:
                    outs.append(self.run(branch[:-1], state, breaks, returns))
                    state = outs.pop()
                    outs.append(self.run(branch[-1:], state, breaks, returns))
                outs.append(self.run(node[2], state, breaks, returns))
                state = self.join(outs)
            elif kind == "loop":
                mine, out = [state], state
                for _ in range(2):
                    out = self.run(node[1], out, mine, returns)
                    if out is None:
                        break
                    mine.append(out)
                state = self.join(mine)
            elif kind == "return":
                returns.append(state)
                return None
            elif kind == "break":
                breaks.append(state)
                return None
        return state

    def call(self, name, state):
        if (name, state) in self.done:
            return self.done[(name, state)]
        if name in self.running or name not in self.functions:
            return state
        self.running.append(name)
        outs = []
        for inside in self.functions[name]:
            returns = []
            outs += [self.run(inside, state, [], returns)] + returns
        self.running.pop()
        result = self.join(outs)
        self.done[(name, state)] = state if result is None else result
        return self.done[(name, state)]
