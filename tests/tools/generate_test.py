"""Each rule of tools/generate.py on a small tree that breaks it, and the single header that it makes."""
import contextlib
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools" / "generate.py"
spec = importlib.util.spec_from_file_location("generate", SCRIPT)
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)
import generate_scripts  # noqa: E402 - generate.py has made it known where
from lua_inline import expression_of, inline  # noqa: E402

SOUND = {
    "version.hpp": "#pragma once\n\n#define TASKFLUX_VERSION_MAJOR 1\n#define TASKFLUX_VERSION_MINOR 2\n"
                   '#define TASKFLUX_VERSION_PATCH 3\n\ninline constexpr const char* version = "1.2.3";\n',
    "core/a.hpp": "#pragma once\n\n#include <vector>\n\nstruct a {};\n",
    "core/b.hpp": "#pragma once\n\n#include <taskflux/core/a.hpp>\n\n#include <string>\n#include <vector>\n\n"
                  "struct b : a {};\n",
    "core.hpp": "#pragma once\n\n// Decides.\n#include <taskflux/core/a.hpp>\n#include <taskflux/core/b.hpp>\n",
    "exec.hpp": "#pragma once\n\n// Runs.\n#include <taskflux/exec/run.hpp>\n",
    "broker.hpp": "#pragma once\n\n// Stores.\n#include <taskflux/broker/store.hpp>\n",
    "exec/run.hpp": "#pragma once\n\n#include <taskflux/core/b.hpp>\n\nstruct run {};\n",
    "broker/store.hpp": "#pragma once\n\n#include <taskflux/core/a.hpp>\n\nstruct store {};\n",
    "taskflux.hpp": "#pragma once\n\n// Everything.\n#include <taskflux/broker.hpp>\n"
                    "#include <taskflux/core.hpp>\n#include <taskflux/exec.hpp>\n#include <taskflux/version.hpp>\n",
    "src.hpp": "#pragma once\n\n// The bodies.\n#include <boost/json/src.hpp>\n",
    "testing.hpp": "#pragma once\n\n// For tests.\n#include <taskflux/core.hpp>\n",
}


class Project(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name, text in SOUND.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / "include" / "taskflux" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_script(self, *arguments):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = generate.main(["--root", str(self.root), *arguments])
        return code, output.getvalue()

    def single(self, name="taskflux.hpp"):
        self.run_script()
        return (self.root / "single_include" / "taskflux" / name).read_text()


class Rules(Project):
    def problems(self, name, text):
        """What --check says after `name` was written and everything generated, apart from its last line."""
        self.write(name, text)
        self.run_script()
        code, output = self.run_script("--check")
        self.assertEqual(code, 1 if output else 0)
        return output.splitlines()[:-1]

    def assert_only(self, problems, place, text):
        self.assertEqual(len(problems), 1, problems)
        self.assertTrue(problems[0].startswith(f"include/taskflux/{place}: "), problems)
        self.assertIn(text, problems[0])

    def test_a_sound_tree_has_no_problems(self):
        self.run_script()
        self.assertEqual(self.run_script("--check"), (0, ""))

    def test_an_include_up_a_layer_is_refused(self):
        self.write("http/detail/f.hpp", "#pragma once\n")
        self.assert_only(self.problems("core/a.hpp", "#pragma once\n#include <taskflux/http/detail/f.hpp>\n"),
                         "core/a.hpp:2", "core includes <taskflux/http/detail/f.hpp> from http, a layer above it")

    def test_the_base_includes_nothing_of_core(self):
        self.assert_only(self.problems("version.hpp", SOUND["version.hpp"] + "#include <taskflux/core/a.hpp>\n"),
                         "version.hpp:8", "base includes <taskflux/core/a.hpp> from core")

    def test_exec_and_broker_do_not_know_each_other(self):
        self.assert_only(self.problems("exec/run.hpp", "#pragma once\n#include <taskflux/broker/store.hpp>\n"
                                                       "#include <taskflux/core/b.hpp>\n"),
                         "exec/run.hpp:2", "from broker, which is beside it")

    def test_clock_and_detail_are_one_layer(self):
        self.write("detail/d.hpp", "#pragma once\n#include <taskflux/clock.hpp>\n")
        self.write("clock.hpp", "#pragma once\n#include <taskflux/core/a.hpp>\n")
        self.assertEqual(self.problems("exec/run.hpp", "#pragma once\n#include <taskflux/detail/d.hpp>\n"
                                                       "#include <taskflux/core/b.hpp>\n"), [])

    def test_a_header_outside_every_layer_is_refused(self):
        self.assert_only(self.problems("misc/m.hpp", "#pragma once\n"), "misc/m.hpp:1", "is in no layer")

    def test_bodies_are_for_src_alone(self):
        self.write("core/a.ipp", "#pragma once\n\n#include <taskflux/core/a.hpp>\n\nvoid f() {}\n")
        self.write("src.hpp", "#pragma once\n\n#include <taskflux/core/a.ipp>\n")
        self.run_script()
        self.assertEqual(self.run_script("--check"), (0, ""))
        self.assertIn("void f() {}", self.single("src.hpp"))
        self.assertNotIn("void f() {}", self.single())
        self.assert_only(self.problems("core/b.hpp", "#pragma once\n\n#include <taskflux/core/a.ipp>\n"),
                         "core/b.hpp:3", "only <taskflux/src.hpp> and its parts include such files")

    def test_an_include_cycle_is_refused(self):
        self.assert_only(self.problems("core/a.hpp", "#pragma once\n\n#include <taskflux/core/b.hpp>\n"),
                         "core/b.hpp:3",
                         "include cycle: taskflux/core/a.hpp -> taskflux/core/b.hpp -> taskflux/core/a.hpp")

    def test_a_header_that_includes_itself_is_refused(self):
        self.assert_only(self.problems("core/a.hpp", "#pragma once\n#include <taskflux/core/a.hpp>\n"),
                         "core/a.hpp:2", "include cycle")

    def test_four_hundred_lines_are_the_limit(self):
        self.assertEqual(self.problems("core/a.hpp", "#pragma once\n" + "//\n" * 399), [])
        self.assert_only(self.problems("core/a.hpp", "#pragma once\n" + "//\n" * 400), "core/a.hpp:401", "401 lines")

    def test_a_generated_header_may_be_long(self):
        self.assertEqual(self.problems("core/a.hpp", f"// {generate.MARKER}\n#pragma once\n" + "//\n" * 500), [])

    def test_a_whole_library_is_refused_and_a_small_header_is_not(self):
        for library in ("asio", "json", "redis", "beast", "describe"):
            with self.subTest(library):
                self.assert_only(self.problems("core/a.hpp", f"#pragma once\n#include <boost/{library}.hpp>\n"),
                                 "core/a.hpp:2", "is a whole library")
        self.assertEqual(self.problems("core/a.hpp", "#pragma once\n#include <boost/asio/awaitable.hpp>\n"
                                                     "#include <boost/config.hpp>\n"), [])

    def test_a_relative_include_is_refused(self):
        for include in ('"b.hpp"', '"taskflux/version.hpp"', "<../b.hpp>"):
            with self.subTest(include):
                self.assert_only(self.problems("core/a.hpp", f"#pragma once\n#include {include}\n"),
                                 "core/a.hpp:2", "relative include")

    def test_what_differs_by_platform_stands_in_one_folder(self):
        for name in ("unistd.h", "sys/wait.h"):
            with self.subTest(name):
                self.assert_only(self.problems("core/a.hpp", f"#pragma once\n#include <{name}>\n"), "core/a.hpp:2",
                                 "is not on every platform")
        self.write("core/a.hpp", SOUND["core/a.hpp"])
        self.write("detail/platform/p.hpp", "#pragma once\n#include <unistd.h>\n")
        self.assertEqual(self.problems("exec/run.hpp", SOUND["exec/run.hpp"] + "#include <taskflux/detail/platform/p.hpp>\n"), [])

    def test_an_include_that_does_not_exist_is_refused(self):
        self.assert_only(self.problems("core/a.hpp", "#pragma once\n#include <taskflux/core/gone.hpp>\n"),
                         "core/a.hpp:2", "<taskflux/core/gone.hpp> does not exist")

    def test_a_conditional_include_of_our_own_is_refused(self):
        self.assert_only(
            self.problems("core/b.hpp", "#pragma once\n#ifdef X\n#include <taskflux/core/a.hpp>\n#endif\n"),
            "core/b.hpp:3", "inside #if")

    def test_pragma_once_is_asked_for_and_comes_first(self):
        self.assert_only(self.problems("core/a.hpp", "struct a {};\n"), "core/a.hpp:1", "#pragma once is missing")
        self.assert_only(self.problems("core/a.hpp", "#include <vector>\n#pragma once\n"),
                         "core/a.hpp:1", "not the first directive")
        self.assertEqual(self.problems("core/a.hpp", "// A comment.\n#pragma once\n"), [])

    def test_a_macro_is_refused(self):
        self.assert_only(self.problems("core/a.hpp", "#pragma once\n#  define MAX(a, b) 1\n"),
                         "core/a.hpp:2", "defines the macro MAX")

    def test_a_version_text_that_differs_from_its_macros_is_refused(self):
        self.assert_only(self.problems("version.hpp", SOUND["version.hpp"].replace("MINOR 2", "MINOR 3")),
                         "version.hpp:1", "is not 1.3.3")

    def test_a_header_that_the_umbrella_misses_is_refused(self):
        self.assert_only(self.problems("core/part/lost.hpp", "#pragma once\n"), "core/part/lost.hpp:1", "not reachable")
        self.assert_only(self.problems("exec/part/also_lost.hpp", "#pragma once\n#include <taskflux/core/part/lost.hpp>\n"),
                         "exec/part/also_lost.hpp:1", "not reachable")

    def test_what_stands_where_public_headers_stand_is_in_the_header_of_its_floor(self):
        self.write("core/b.hpp", SOUND["core/b.hpp"].replace("core/a.hpp", "core/c.hpp"))
        self.assert_only(self.problems("core/c.hpp", "#pragma once\n#include <taskflux/core/a.hpp>\n"), "core/c.hpp:1",
                         "is public by its place, and not in <taskflux/core.hpp>")

    def test_the_header_of_a_floor_includes_nothing_internal(self):
        self.write("core/b/part.hpp", "#pragma once\n")
        self.assert_only(self.problems("core.hpp", SOUND["core.hpp"] + "#include <taskflux/core/b/part.hpp>\n"),
                         "core.hpp:6", "<taskflux/core/b/part.hpp> is internal by its place")

    def test_a_floor_says_what_it_is_for(self):
        self.assert_only(self.problems("core.hpp", SOUND["core.hpp"].replace("// Decides.\n", "")), "core.hpp:3",
                         "not a comment that says what core/ is for")

    def test_a_floor_without_a_header_is_refused(self):
        self.write("calls/c.hpp", "#pragma once\n")
        self.assert_only(self.problems("taskflux.hpp", SOUND["taskflux.hpp"] + "#include <taskflux/calls/c.hpp>\n"),
                         "calls/c.hpp:1", "<taskflux/calls.hpp> is missing")

    def test_a_header_of_an_optional_layer_need_not_be_in_the_umbrella(self):
        self.write("http.hpp", "#pragma once\n\n// The gateway.\n\n#include <taskflux/http/gateway.hpp>\n")
        self.assertEqual(self.problems("http/gateway.hpp", "#pragma once\n"), [])

    def test_an_optional_header_must_not_be_in_the_umbrella(self):
        self.assertEqual(self.problems("app/yaml.hpp", "#pragma once\n"), [])
        umbrella = SOUND["taskflux.hpp"] + "#include <taskflux/app/yaml.hpp>\n"
        self.write("taskflux.hpp", umbrella)
        self.assert_only(self.problems("app/yaml.hpp", "#pragma once\n"), "app/yaml.hpp:1", "who include it")


LUA = {
    "shared/keys.lua": "local keys = {\n    queue = 'c',    -- HASH: counters\n    records = 'r',  -- HASH: number -> record\n}\n"
                       "local own_key = {\n    lane = 'l:',  -- LIST: waiting tasks\n}\n",
    "shared/constants.lua": "-- C++: core/a.hpp color\nlocal color = {red = 0, blue = 1}\n"
                            "-- C++: core/a.hpp place from 1\nlocal place = {name = 7, size = 9}\n"
                            "local format = {number = '<d'}\n",
    "shared/access.lua": "local call = redis.call\n-- Reads.\nlocal function read(field)\n"
                         "    local found = call('HGET', keys.records, field)\n    return found\nend\n",
    "shared/record.lua": "local function name_in(record) return string.sub(record, place.name, place.size) end\n"
                         "local function unused() return name_in(read('x')) end\n",
    "get.lua": "-- Reads a name.\n-- in:  KEYS queue HASH, records HASH\n--      ARGV number\n-- out: {'OK', name}\n-- O(1).\n"
               "return {'OK', color.blue, name_in(read(ARGV[1]))}  -- a comment\n",
}
COLORS = ("#pragma once\n\n#include <vector>\n\nstruct a {};\n\nenum class color : unsigned char {\n    red,  ///< first, of two\n"
          "    blue\n};\n\nstruct place {\n    static constexpr unsigned name = 6,\n                              size = 8;\n};\n")


class ScriptRules(Project):
    def setUp(self):
        super().setUp()
        self.write("broker/redis/script.hpp", "#pragma once\n")
        self.write("taskflux.hpp", SOUND["taskflux.hpp"] + "#include <taskflux/broker/redis/scripts.hpp>\n")
        self.write("core/a.hpp", COLORS)
        for name, text in LUA.items():
            self.script(name, text)

    def script(self, name, text):
        self.write("broker/redis/lua/" + name, text)

    def problems(self):
        self.run_script()
        return self.run_script("--check")[1].splitlines()[:-1]

    def assert_only(self, place, text):
        problems = self.problems()
        self.assertEqual(len(problems), 1, problems)
        self.assertTrue(problems[0].startswith(place), problems)
        self.assertIn(text, problems[0])

    def generated(self):
        self.run_script()
        return (self.root / "include/taskflux/broker/redis/scripts.hpp").read_text()

    def with_body(self, body, keys="queue HASH, records HASH", out="{'OK', name}"):
        self.script("get.lua", f"-- Reads.\n-- in:  KEYS {keys}\n--      ARGV number\n-- out: {out}\n-- O(1).\n" + body)

    def test_sound_scripts_have_no_problems(self):
        self.assertEqual(self.problems(), [])

    def test_names_are_put_in_by_value_and_only_what_is_used_is_there(self):
        text = self.generated()
        self.assertIn("local first_own, c, r = 3, unpack(KEYS)\n", text)
        self.assertIn("local found = call('HGET', r, field)\n", text)
        self.assertIn("return string.sub(record, 7, 9) end\n", text)
        self.assertIn("return {'OK', 1, name_in(read(ARGV[1]))}\n)lua\"", text)
        self.assertIn("get_keys, shared_call, shared_read, shared_name_in,", text)
        self.assertIn('std::string_view(get_text.data(), get_text.size()), "cr"};', text)
        for gone in ("keys.", "color", "place.", "comment", "Reads"):
            self.assertNotIn(gone, text)

    def test_functions_of_one_expression_are_put_in_and_all_others_stay(self):
        def put_in(function, text):
            made = expression_of(function + "\n")
            return made and inline(text, made)

        due = "local function due(set, than) return first(set) <= (than or now) end"
        self.assertEqual(put_in(due, "if due(keys.a) then"), "if (first(keys.a) <= (nil or now)) then")
        self.assertEqual(put_in(due, "local x, y = a.due(1), due(b[n], 2 + 3)"), "local x, y = a.due(1), (first(b[n]) <= ((2 + 3) or now))")
        lane = "local function lane(of) return key('l:' .. of) end"
        self.assertEqual(put_in(lane, "for a in b do lane(a) end"), "for a in b do key('l:' .. a) end")
        twice = "local function text(of) return pack(#of) .. of end"
        self.assertEqual(put_in(twice, "return text(a.b)"), "return (pack(#a.b) .. a.b)")
        for kept in ("return text(f'x')", "return text(a[1]'x')", "return text(a .. b)", "return text(read(a))", "text(a)", "local pack = 1 return text(a)", "f(text)"):
            self.assertEqual(put_in(twice, kept), kept)
        self.assertIsNone(expression_of("local function two() return 1, 2 end\n"))
        self.assertIsNone(expression_of("local function many(a) return unpack(a) end\n"))
        self.assertIsNone(expression_of("local function some(...) return read(...) end\n"))
        self.assertIsNone(expression_of("local function set(a) b = a return a end\n"))
        self.assertIsNone(expression_of("local function made(a) return {a = a} end\n"))
        self.assertEqual(put_in(twice, "return text('x')"), "return (pack(#'x') .. 'x')")
        self.assertEqual(put_in(twice, "return text(a['x'])"), "return (pack(#a['x']) .. a['x'])")
        self.assertEqual(put_in(due, "if due(a.b'x') then"), "if due(a.b'x') then")
        once = "local function name() return (string.match(prefix, '.')) end"
        self.assertEqual(put_in(once, "local a = name()"), "local a = ((string.match(prefix, '.')))")

    def test_a_text_in_quotes_stays_as_it_is(self):
        self.with_body("return {read('keys.records -- color.red')}\n")
        self.assertIn("read('keys.records -- color.red')", self.generated())

    def test_an_unknown_name_is_refused(self):
        self.with_body("return {read(color.green)}\n")
        self.assertIn("lua/get.lua:6: color.green is no name of lua/shared/constants.lua", self.problems()[0])
        self.with_body("return {read('x'), keys.state}\n")
        self.assertIn("lua/get.lua:6: keys.state is no name of lua/shared/keys.lua", self.problems()[0])

    def test_a_constant_that_differs_from_cpp_is_refused(self):
        for name, says in (("red = 0, blue = 2", "color.blue is 2, and color in include/taskflux/core/a.hpp says 1"),
                           ("red = 0", "color.blue is missing"),
                           ("red = 0, blue = 1, green = 2", "color.green is 2, and color in include/taskflux/core/a.hpp says nothing")):
            with self.subTest(name):
                self.script("shared/constants.lua", LUA["shared/constants.lua"].replace("red = 0, blue = 1", name))
                self.assertIn(says, "\n".join(self.problems()))

    def test_an_offset_counts_from_one_where_the_table_says_so(self):
        self.script("shared/constants.lua", LUA["shared/constants.lua"].replace("name = 7", "name = 6"))
        self.assert_only("include/taskflux/broker/redis/lua/shared/constants.lua:4", "place.name is 6, and place in "
                         "include/taskflux/core/a.hpp says 7 (from 1)")

    def test_a_table_with_dots_has_all_that_cpp_has(self):
        constants = LUA["shared/constants.lua"].replace("{red = 0, blue = 1}", "{...}").replace("{name = 7, size = 9}", "{...}")
        self.script("shared/constants.lua", constants + "local colors = {known = #color}\n")
        self.with_body("return {color.blue, name_in(read('x')), colors.known}\n")
        self.assertEqual(self.problems(), [])
        self.assertIn("return {1, name_in(read('x')), 2}", self.generated())
        self.assertIn("return string.sub(record, 7, 9) end\n", self.generated())

    def test_a_number_of_cpp_may_have_separators(self):
        self.write("core/a.hpp", COLORS.replace("size = 8", "size = 8'000"))
        self.script("shared/constants.lua", LUA["shared/constants.lua"].replace("size = 9", "size = 8001"))
        self.assertEqual(self.problems(), [])

    def test_a_table_with_dots_is_refused_where_cpp_has_none(self):
        for place, says in (("-- C++: core/a.hpp colour\n", "there is no colour in include/taskflux/core/a.hpp"),
                            ("", "above color does not stand where C++ has it")):
            with self.subTest(place):
                constants = LUA["shared/constants.lua"].replace("-- C++: core/a.hpp color\n", place)
                self.script("shared/constants.lua", constants.replace("{red = 0, blue = 1}", "{...}"))
                self.assertIn(says, "\n".join(self.problems()))

    def test_bytes_are_put_in_as_lua_writes_them(self):
        self.script("shared/constants.lua", LUA["shared/constants.lua"] +
                    "local bytes = {head = string.char(144 + 2, 0) .. '1' .. string.char(10, 39)}\n")
        self.with_body("return {read(bytes.head)}\n")
        self.assertIn(r"return {read('\146\0001\10\39')}", self.generated())

    def test_whole_numbers_are_worked_out(self):
        for text, is_now in (("string.sub(x, place.name - 1 + 2, 3)", "string.sub(x, 8, 3)"), ("x % (2 * 4) >= 4", "x % 8 >= 4"),
                             ("{0 + x, x - 0, 1 + 2 * x}", "{x, x, 1 + 2 * x}"), ("x - 1 + 2", "x - 1 + 2"),
                             ("x % 2 * 3", "x % 2 * 3"), ("2 * 3 % x", "2 * 3 % x"), ("'1 + 1'", "'1 + 1'"), ("1 - 2", "1 - 2")):
            with self.subTest(text):
                self.with_body("local x = read('x')\nreturn {" + text + "}\n")
                self.assertIn("return {" + is_now + "}", self.generated())

    def test_a_format_whose_fields_stand_elsewhere_than_in_cpp_is_refused(self):
        self.write("broker/redis/layout.hpp", "#pragma once\n\nstruct state_layout {\n    static constexpr unsigned bits = 1, "
                                              "nonce = 2, when = 6, holder = 14;\n};\n")
        self.write("taskflux.hpp", SOUND["taskflux.hpp"] + "#include <taskflux/broker/redis/scripts.hpp>\n"
                                                           "#include <taskflux/broker/redis/layout.hpp>\n")
        for formats, says in (("state = '<BBI4d', state_from_nonce = '<I4d', state_to_when = '<BBI4', other = '<d'", None),
                              ("state = '<BBI8d'", "format.state has a field at 10, and state_layout in"),
                              ("state_from_nonce = '<dI4'", "format.state_from_nonce has a field at 10")):
            with self.subTest(formats):
                self.script("shared/constants.lua", LUA["shared/constants.lua"].replace("{number = '<d'}", "{" + formats + "}"))
                if says:
                    self.assert_only("include/taskflux/broker/redis/lua/shared/constants.lua:5", says)
                else:
                    self.assertEqual(self.problems(), [])

    def test_constants_of_a_place_that_does_not_exist_are_refused(self):
        self.script("shared/constants.lua", LUA["shared/constants.lua"].replace("core/a.hpp color", "core/a.hpp colour"))
        self.assert_only("include/taskflux/broker/redis/lua/shared/constants.lua:2", "there is no colour in")

    def test_a_read_below_the_first_write_is_refused(self):
        write = "call('HSET', keys.records, ARGV[1], 'x')\n"
        for body in (write + "return {read('x')}\n",
                     "for n = 1, 2 do\n    read('x')\n    " + write + "end\n",
                     "local function change() " + write.strip() + " end\nif ARGV[1] then change() end\nreturn {read('x')}\n",
                     "local steps = {}\nfunction steps.change() " + write.strip() + " end\n"
                     "steps[ARGV[1]]()\nreturn {read('x')}\n",
                     "call('PUBLISH', 'a', 'b')\nreturn {read('x')}\n",
                     "call(ARGV[2], 'b')\nreturn {read('x')}\n"):
            with self.subTest(body):
                self.with_body(body)
                self.assert_only("include/taskflux/broker/redis/lua/get.lua:1", "reads by HGET in read after it may have written")

    def test_a_read_in_a_small_function_is_told_by_its_name(self):
        self.script("shared/access.lua", LUA["shared/access.lua"] + "local function one(field) return call('HGET', keys.records, field) end\n")
        self.with_body("call('HSET', keys.records, ARGV[1], 'x')\nreturn {one('x')}\n")
        self.assert_only("include/taskflux/broker/redis/lua/get.lua:1", "reads by HGET in one after it may have written")

    def test_a_read_above_the_first_write_or_beside_it_is_not_refused(self):
        write = "call('HSET', keys.records, ARGV[1], read('x'))\n"
        for body in (write,
                     "if ARGV[1] then\n" + write + "return {'OK'}\nend\nreturn {read('x')}\n",
                     "if ARGV[1] then\n" + write + "else\nread('x')\nend\n",
                     "for n = 1, 2 do read('x') end\nwhile true do\n" + write.replace("read('x')", "1") + "break\nend\n"):
            with self.subTest(body):
                self.with_body(body)
                self.assertEqual(self.problems(), [])

    def test_a_number_that_was_read_is_not_taken_as_it_is(self):
        self.with_body("return {tonumber(read('x'))}\n")
        self.assert_only("include/taskflux/broker/redis/lua/get.lua:6", "tonumber of what was read may give inf")
        self.with_body("return {tonumber(ARGV[1]), read('x')}\n")
        self.assertEqual(self.problems(), [])

    def test_an_unknown_command_is_refused(self):
        self.with_body("read('x')\nreturn {call('GETEX', keys.records)}\n")
        self.assert_only("include/taskflux/broker/redis/lua/get.lua:1", "whether GETEX reads or writes is not known")

    def test_an_exception_that_is_not_needed_any_more_is_refused(self):
        self.script("outbox.lua", LUA["get.lua"])
        reads, writes = self.problems()
        self.assertIn("READS_BELOW_WRITES: outbox does not read by HSCAN below a write any more", reads)
        self.assertIn("WRITES_UNREAD: outbox does not write set_aside without reading it any more", writes)

    # How a script writes into `records`, besides by a command that names it.
    WRITES = {
        "a command": "call('HSET', keys.records, 'x', 'y')\n",
        "a function": "local function put(command, hash) call(command, hash, 'x', 'y') end\nput('HSET', keys.records)\n",
        "a table": "local also = {{'HSET', keys.records, 'x', 'y'}}\nfor _, one in ipairs(also) do call(unpack(one)) end\n",
        "a loop": "for hash in pairs({[keys.records] = 1}) do call('HSET', hash, 'x', 'y') end\n",
        "a list": "local all = {}\nall[#all + 1] = keys.records\nfor _, hash in ipairs(all) do call('HSET', hash, 'x', 'y') end\n",
        "a field": "local of = {name = keys.records}\ncall('HSET', of.name, 'x', 'y')\n",
        "a refusal that is looked at": "local answer = redis.pcall('HSET', keys.records, 'x', 'y')\n",
        "a closure": "local function each(what) what() end\neach(function() call('HDEL', keys.records, 'x') end)\n",
    }

    def test_a_write_into_a_key_that_is_never_read_is_refused(self):
        for how, write in self.WRITES.items():
            for before in ("", "call('EXISTS', keys.records)\n", "call('HLEN', keys.queue)\n", "call('ZCARD', keys.records)\n"):
                with self.subTest(how, before=before):
                    self.with_body(before + write)
                    self.assert_only("include/taskflux/broker/redis/lua/get.lua:1", "writes records, a HASH, and never reads it")

    def test_a_write_into_a_key_that_is_read_is_not_refused(self):
        for how, write in self.WRITES.items():
            for before in ("call('HLEN', keys.records)\n", "read('x')\n", "pcall(read, 'x')\n",
                           "local function probe(command, name) call(command, name) end\nprobe('HLEN', keys.records)\n",
                           "for _, hash in ipairs({keys.records}) do call('HLEN', hash) end\n"):
                with self.subTest(how, before=before):
                    self.with_body(before + write)
                    self.assertEqual(self.problems(), [])

    def test_commands_in_a_table_count_where_they_are_carried_out_and_not_read_before(self):
        table = "local also = {{'HSET', keys.records, 'x', 'y'}}\n"
        self.with_body(table + "return also\n")
        self.assertEqual(self.problems(), [])
        self.with_body(table + "for _, command in ipairs(also) do call('HLEN', command[2]) end\n"
                               "for _, command in ipairs(also) do call(unpack(command)) end\n")
        self.assertEqual(self.problems(), [])

    def test_what_goes_with_any_type_need_not_be_read(self):
        self.with_body("call('SET', keys.records, 'x')\ncall('UNLINK', keys.records)\ncall('PUBLISH', 'a', 'b')\n")
        self.assertEqual(self.problems(), [])

    def test_keys_of_which_a_queue_has_many_are_one(self):
        body = ("local function key(name) return keys.queue .. name end\n{}"
                "local lane = key(own_key.lane .. ARGV[1])\ncall('RPUSH', lane, '1')\n")
        keys = "queue HASH, l:… LIST"
        self.with_body(body.format(""), keys)
        self.assert_only("include/taskflux/broker/redis/lua/get.lua:1", "writes lane, a LIST, and never reads it")
        self.with_body(body.format("call('LLEN', key(own_key.lane .. '1'))\n"), keys)
        self.assertEqual(self.problems(), [])

    def test_a_shared_file_outside_the_order_is_refused(self):
        self.script("shared/other.lua", "local function other() end\n")
        self.assert_only("include/taskflux/broker/redis/lua/shared/other.lua:1", "is not in the order of shared files")

    def test_shared_declarations_use_only_what_is_above_them(self):
        self.script("shared/access.lua", LUA["shared/access.lua"] + "local function early() return name_in('x') end\n")
        self.assert_only("include/taskflux/broker/redis/lua/shared: early uses name_in", "declared below it")

    def test_the_order_lists_every_shared_file_of_this_project(self):
        folder = SCRIPT.parent.parent / generate_scripts.SHARED_FOLDER
        self.assertEqual(sorted(path.stem for path in folder.glob("*.lua")),
                         sorted(generate_scripts.TABLES + generate_scripts.SHARED))

    def test_bare_offsets_formats_and_letters_of_keys_are_refused(self):
        for body, says in (("return {string.sub(read('x'), 7)}\n", "the offset 7 has no name"),
                           ("return {struct.unpack('<d', read('x'))}\n", "the format '<d' has no name"),
                           ("return {read('\\255')}\n", "the bytes '\\255' have no name"),
                           ("local r = read('x')\nreturn {1}\n", "r is a key's letter")):
            with self.subTest(body):
                self.with_body(body)
                self.assert_only("include/taskflux/broker/redis/lua/get.lua:6", says)

    def test_a_head_is_asked_for_and_says_the_keys_and_the_answers(self):
        get = "include/taskflux/broker/redis/lua/get.lua:1"
        self.script("get.lua", "-- Reads.\nreturn {read('x')}\n")
        self.assert_only(get, "does not begin with what it does")
        self.with_body("return {read('x')}\n", keys="queue HASH")
        self.assert_only(get, "its keys are: queue HASH, records HASH")
        self.with_body("return {read('x'), call('LLEN', own_key.lane .. 1)}\n")
        self.assert_only(get, "its keys are: queue HASH, records HASH, l:… LIST")
        self.with_body("if read('x') then return {'DUE'} end\n")
        self.assert_only(get, "may answer DUE, and does not say so")
        self.with_body("return {read('x')}\n", out="{'OK'}; SLOW")
        self.assert_only(get, "says at `out:` that it answers SLOW, and never does")

    def test_a_hundred_and_twenty_eight_characters_are_the_limit(self):
        line = "return {read('x')}  -- "
        self.with_body(line + "x" * (128 - len(line)) + "\n")
        self.assertEqual(self.problems(), [])
        self.with_body(line + "x" * (129 - len(line)) + "\n")
        self.assert_only("include/taskflux/broker/redis/lua/get.lua:6", "129 characters, more than 128")

    def test_two_hundred_and_fifty_lines_are_the_limit(self):
        self.with_body("read('x')\n" * 244)
        self.assertEqual([line for line in self.problems() if "lines" in line], [])
        self.with_body("read('x')\n" * 246)
        self.assert_only("include/taskflux/broker/redis/lua/get.lua:251", "251 lines, more than 250")


class Staleness(Project):
    def test_a_changed_header_makes_the_single_header_stale_until_it_is_generated_again(self):
        self.run_script()
        self.write("core/a.hpp", SOUND["core/a.hpp"] + "struct more {};\n")
        code, output = self.run_script("--check")
        self.assertEqual(code, 1)
        self.assertEqual(output.splitlines()[0], "single_include/taskflux/taskflux.hpp: stale or missing: "
                                                 "run tools/generate.py and commit it")
        self.assertEqual(self.run_script(), (0, "wrote single_include/taskflux/taskflux.hpp\n"))
        self.assertEqual(self.run_script("--check"), (0, ""))
        self.assertEqual(self.run_script(), (0, ""))

    def test_an_edited_generated_file_is_stale(self):
        self.run_script()
        with open(self.root / "single_include/taskflux/src.hpp", "a") as file:
            file.write("// mine\n")
        code, output = self.run_script("--check")
        self.assertEqual(code, 1)
        self.assertIn("single_include/taskflux/src.hpp: stale", output)

    def test_check_writes_nothing(self):
        self.assertEqual(self.run_script("--check")[0], 1)
        self.assertFalse((self.root / "single_include").exists())

    def test_a_missing_umbrella_is_named(self):
        (self.root / "include/taskflux/taskflux.hpp").unlink()
        with self.assertRaisesRegex(SystemExit, "include/taskflux/taskflux.hpp is missing"):
            self.run_script()


class SingleHeader(Project):
    def test_each_header_is_there_once_after_what_it_includes(self):
        text = self.single()
        places = [text.index(f"struct {name}") for name in ("a {", "b :", "run {")]
        self.assertEqual(places, sorted(places))
        for name in ("a {", "b :", "store {", "run {"):
            self.assertEqual(text.count(f"struct {name}"), 1)

    def test_external_includes_are_sorted_and_there_once(self):
        text = self.single()
        self.assertEqual(text.count("#pragma once"), 1)
        self.assertEqual([line for line in text.splitlines() if "#include" in line],
                         ["#include <string>", "#include <vector>"])

    def test_a_conditional_include_stays_in_its_condition(self):
        self.write("core/a.hpp", "#pragma once\n\n#if __has_include(<chrono>)\n#include <chrono>\n#else\n"
                                 "#include <ctime>\n#endif\nstruct a {};\n")
        self.assertIn("#if __has_include(<chrono>)\n#include <chrono>\n#else\n#include <ctime>\n#endif\nstruct a {};",
                      self.single())

    def test_the_banner_names_the_version_and_the_generator(self):
        self.assertEqual(self.single().splitlines()[0],
                         "// taskflux 1.2.3 - Generated by tools/generate.py, do not edit")

    def test_src_stands_alone_when_it_needs_nothing_of_ours(self):
        self.assertEqual([line for line in self.single("src.hpp").splitlines() if "#include <" in line[:10]],
                         ["#include <boost/json/src.hpp>"])

    def test_src_builds_on_the_single_header_for_what_that_holds(self):
        self.write("detail/body.hpp", "#pragma once\n#include <taskflux/core/a.hpp>\nstruct body {};\n")
        self.write("src.hpp", "#pragma once\n#include <taskflux/detail/body.hpp>\n#include <boost/json/src.hpp>\n")
        text = self.single("src.hpp")
        self.assertIn("#include <taskflux/taskflux.hpp>\n", text)
        self.assertIn("struct body {};", text)
        self.assertNotIn("struct a {};", text)


class ThisProject(unittest.TestCase):
    def test_its_own_tree_can_be_generated(self):
        tree = generate.Tree(SCRIPT.parent.parent)
        for generator in generate.GENERATORS:
            generator(tree)
        self.assertIn("namespace taskflux", tree.generated["single_include/taskflux/taskflux.hpp"])


if __name__ == "__main__":
    unittest.main()
