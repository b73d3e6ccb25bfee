"""Puts small shared functions of the Lua scripts in the place of their calls: a script makes its functions anew in each run.

Such a function only returns one expression. What a call gives it is put in for its parameters where that changes nothing: what
is used more than once, or not at all, must be a variable or a constant, and nothing that is passed may call anything.
"""
from lua_source import Token, tokens, words

# Before these, a call is part of an expression; anywhere else it is a statement.
IN_EXPRESSION = {"=", "(", ",", "[", "{", "return", "and", "or", "not", "==", "~=", "<", ">", "<=", ">=", "..", "+", "-", "*", "/",
                 "%", "^", "#", "if", "while", "elseif", "until", "in"}
STATEMENTS = {"if", "for", "while", "repeat", "local", "return", "function", "do", "=", ";", "...", "{"}
# An expression that is one call of these has one value.
ONE_VALUE = {"call", "key", "tonumber", "string.sub", "string.format", "string.rep", "string.char", "struct.pack", "math.min",
             "math.max", "math.floor"}
OPENING, CLOSING = {"(", "[", "{"}, {")", "]", "}"}


def code_of(text):
    return [token for token in tokens(text) if token.kind != "comment"]


def solid(code):
    """Places of the tokens that are no space."""
    return [at for at, token in enumerate(code) if token.kind != "space"]


def trimmed(part):
    while part and part[0].kind == "space":
        part = part[1:]
    while part and part[-1].kind == "space":
        part = part[:-1]
    return part


def split(code):
    """Parts between the commas of a list."""
    parts, depth = [[]], 0
    for token in code:
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in map(trimmed, parts) if part]


def close_of(code, at):
    """The place where the bracket at this place closes."""
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place].text in OPENING) - (code[place].text in CLOSING)
        if depth == 0:
            return place
    return None


def calls_with_text(code):
    """Whether it has a call that is written without brackets: f'x'."""
    code = [token for token in code if token.kind != "space"]
    return any(token.kind == "string" and (before.text == "]" or before.kind == "name" and before.text not in ("and", "or", "not"))
               for before, token in zip(code, code[1:]))


class Expression:
    """A function that only returns one expression."""

    def __init__(self, name, parameters, body):
        self.name, self.parameters, self.body = name, parameters, body
        text = "".join(token.text for token in body)
        self.free = words(text) - set(parameters)
        self.uses = {parameter: 0 for parameter in parameters}
        before = None
        for token in body:
            if token.kind == "name" and token.text in self.uses and not (before and before.text == "."):
                self.uses[token.text] += 1
            before = token if token.kind != "space" else before
        opens = next((at for at, token in enumerate(body) if token.text == "("), None)
        self.is_call = bool(opens) and close_of(body, opens) == len(body) - 1  # and not all of it in brackets
        called = "".join(token.text for token in body[:opens]).strip() if self.is_call else ""
        self.has_one_value = not self.is_call or called in ONE_VALUE

    def put_in(self, given, is_statement):
        """The tokens of a call with these arguments; None where it must stay."""
        if len(given) > len(self.parameters) or is_statement and not self.is_call:
            return None
        values = dict(zip(self.parameters, given + [[Token("name", "nil", 0)]] * (len(self.parameters) - len(given))))
        for parameter, value in values.items():
            is_pure = not any(token.text in ("(", "{", "function", "...") for token in value) and not calls_with_text(value)
            is_path = is_pure and all(token.kind in ("name", "number", "string") or token.text in (".", "[", "]") for token in value)
            if not is_pure or not is_path and self.uses[parameter] != 1:
                return None
            if not is_path:
                values[parameter] = [Token("op", "(", 0)] + value + [Token("op", ")", 0)]
        made, before = [], None
        for token in self.body:
            is_value = token.kind == "name" and token.text in values and not (before and before.text == ".")
            made += values[token.text] if is_value else [token]
            before = token if token.kind != "space" else before
        return made if self.is_call else [Token("op", "(", 0)] + made + [Token("op", ")", 0)]


def expression_of(text):
    """The function that a declaration is, if it is an Expression."""
    code = trimmed(code_of(text))
    words_of = [token for token in code if token.kind != "space"]
    if len(words_of) < 8 or [token.text for token in words_of[:2]] != ["local", "function"] or words_of[-1].text != "end":
        return None
    opens = next(at for at, token in enumerate(code) if token.text == "(")
    closes = close_of(code, opens)
    parameters = [token.text for token in code[opens:closes] if token.kind == "name"]
    body = trimmed(code[closes + 1:-1])
    if body[0].text != "return" or any(token.text in STATEMENTS for token in code[opens:closes]):
        return None
    body = trimmed(body[1:])
    if any(token.text in STATEMENTS for token in body) or len(split(body)) != 1:
        return None
    made = Expression(words_of[2].text, parameters, body)
    return made if made.has_one_value else None


def declared_in(text):
    """All names that a text declares as locals, parameters or variables of loops."""
    code, found = [token for token in tokens(text) if token.kind not in ("space", "comment")], set()
    for at, token in enumerate(code):
        if token.text in ("local", "for"):
            place = at + 1
            while place < len(code) and (code[place].kind == "name" or code[place].text == ",") and code[place].text != "in":
                found.add(code[place].text)
                place += 1
        if token.text == "function":
            place = at + 1
            while place < len(code) and code[place].text != ")":
                found.add(code[place].text)
                place += 1
    return found - {",", "(", "function"}


def inline(text, function):
    """A text with the calls of one function replaced where that is possible."""
    if function.name not in text or function.free & declared_in(text):
        return text
    code, at, before = code_of(text), 0, None
    while at < len(code):
        token = code[at]
        is_called = (token.text == function.name and token.kind == "name" and at + 1 < len(code) and code[at + 1].text == "(" and
                     not (before and before.text in (".", "function")))
        if is_called:
            closes = close_of(code, at + 1)
            made = function.put_in(split(code[at + 2:closes]), not (before and before.text in IN_EXPRESSION))
            if made is not None:
                code[at:closes + 1] = made
                at += len(made)
                before = made[-1]
                continue
        before = token if token.kind != "space" else before
        at += 1
    return "".join(token.text for token in code)
