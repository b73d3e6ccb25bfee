"""The dashboard and the alerts: whether they are well formed, and ask for metrics and labels that exist. The metrics are those of the
table in docs/statistics.md, which tests/unit/flow/metrics.cpp compares with what the library gives."""
import json
import pathlib
import re
import unittest

try:
    import yaml
except ImportError:
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `(taskflux_\w+)` \| (\w+) \| (\w+) \| ([a-z, ]*) ?\|", re.MULTILINE)
METRIC = re.compile(r"\btaskflux_\w+")


def documented():
    """name -> (type, whose, labels)"""
    rows = ROW.findall((ROOT / "docs" / "statistics.md").read_text())
    return {name: (kind, whose, {label for label in labels.replace(" ", "").split(",") if label}) for name, kind, whose, labels in rows}


KNOWN = documented()


def family_of(series):
    """The metric that a series belongs to; nothing where there is none."""
    if series in KNOWN:
        return None if KNOWN[series][0] == "histogram" else series
    base = re.sub(r"_(bucket|sum|count)$", "", series)
    return base if KNOWN.get(base, ("",))[0] == "histogram" else None


def mistakes(expression):
    """What is wrong with an expression, as far as it can be seen without a Prometheus."""
    for opening, closing in ("()", "{}", "[]"):
        if expression.count(opening) != expression.count(closing):
            yield f"{opening} and {closing} don't match"
    found = METRIC.findall(expression)
    if not found:
        yield "it names no metric"
    labels = set()
    for series in found:
        family = family_of(series)
        if family is None:
            yield f"there is no series {series}"
            continue
        kind, whose, own = KNOWN[family]
        labels |= own | ({"le"} if series.endswith("_bucket") else set())
        for selector in re.findall(re.escape(series) + r"\{([^}]*)\}", expression):
            for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
                if label not in own:
                    yield f"{family} has no label {label}"
        counted = re.search(r"(?:rate|increase)\(" + re.escape(series) + r"\b", expression)
        if kind == "gauge" and counted:
            yield f"{family} is a gauge, of which there is no rate"
        if kind != "gauge" and not counted:
            yield f"{family} counts: take its rate or increase"
        how = "max" if whose == "cluster" or family.endswith("_timestamp_seconds") else "sum"
        over = re.search(how + r"(?: by \([\w, ]*\) )?\(+(?:rate\(|increase\()?" + re.escape(series) + r"\b", expression)
        if not over:
            yield f"{family} is of the {whose}: take the {how} over processes"
    for group in re.findall(r"\bby \(([^)]*)\)|\bon \(([^)]*)\)", expression):
        for label in "".join(group).replace(" ", "").split(","):
            if label not in labels:
                yield f"no metric in it has a label {label}"


class Checked(unittest.TestCase):
    def check(self, expression, where):
        self.assertEqual(list(mistakes(expression)), [], f"{where}: {expression}")


class Names(Checked):
    def test_the_table_is_read(self):
        self.assertEqual(KNOWN["taskflux_tasks"], ("gauge", "cluster", {"queue", "state"}))
        self.assertEqual(KNOWN["taskflux_nodes"][2], set())
        self.assertGreater(len(KNOWN), 20)

    def test_mistakes_are_seen(self):
        for expression in ["max(taskflux_task)", "max(taskflux_tasks", "sum(taskflux_tasks)", "sum(taskflux_schedule_last_missed_timestamp_seconds)", "1", "max by (node) (taskflux_tasks)",
                           'max(taskflux_tasks{node="a"})', "max(rate(taskflux_tasks[5m]))", "sum(taskflux_broker_errors_total)",
                           "max(rate(taskflux_task_run_seconds[5m]))", "sum(max(taskflux_queue_paused_total))"]:
            self.assertNotEqual(list(mistakes(expression)), [], expression)
        self.check("max by (queue) (taskflux_tasks)", "a right one")


class Dashboard(Checked):
    def setUp(self):
        self.board = json.loads((ROOT / "packaging" / "grafana" / "taskflux.json").read_text())

    def test_it_has_what_grafana_asks_for(self):
        self.assertEqual(self.board["title"], "taskflux")
        self.assertGreaterEqual(self.board["schemaVersion"], 36)
        variables = {one["name"]: one for one in self.board["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        panels = self.board["panels"]
        self.assertEqual(len({one["id"] for one in panels}), len(panels))
        for one in panels:
            self.assertTrue({"type", "title", "gridPos"} <= set(one))
            place = one["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            if one["type"] != "row":
                self.assertEqual(one["datasource"]["uid"], "${datasource}")
                self.assertTrue(one["targets"])

    def test_its_rows_are_those_of_the_plan(self):
        rows = [one["title"] for one in self.board["panels"] if one["type"] == "row"]
        self.assertEqual(rows, ["Health", "Queues", "Tasks", "Limits", "Nodes", "Broker"])

    def test_no_panel_lies_on_another(self):
        taken = set()
        for one in self.board["panels"]:
            place = one["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, one["title"])
            taken |= cells

    def test_it_asks_for_what_there_is(self):
        for panel in self.board["panels"]:
            for target in panel.get("targets", []):
                self.check(target["expr"], panel["title"])
                labels = set().union(*(KNOWN[family_of(one)][2] for one in METRIC.findall(target["expr"])))
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    self.assertIn(label, labels, panel["title"])

    def test_each_metric_is_shown(self):
        text = json.dumps(self.board)
        for name in KNOWN:
            self.assertIn(name, text)


class Alerts(Checked):
    def setUp(self):
        self.text = (ROOT / "packaging" / "prometheus" / "alerts.yml").read_text()

    @unittest.skipIf(yaml is None, "needs python3-yaml")
    def test_they_are_well_formed_and_ask_for_what_there_is(self):
        rules = [rule for group in yaml.safe_load(self.text)["groups"] for rule in group["rules"]]
        self.assertEqual(len({one["alert"] for one in rules}), len(rules))
        for one in rules:
            self.assertTrue(set(one) <= {"alert", "expr", "for", "labels", "annotations"}, one["alert"])
            self.assertIn(one["labels"]["severity"], ("warning", "critical"))
            self.assertTrue(one["annotations"]["summary"] and one["annotations"]["description"])
            self.check(one["expr"], one["alert"])
            known = set().union(*(KNOWN[family_of(name)][2] for name in METRIC.findall(one["expr"])))
            for label in re.findall(r"\$labels\.(\w+)", str(one["annotations"])):
                self.assertIn(label, known, one["alert"])
            self.assertRegex(one.get("for", "0m"), r"^\d+[smh]$")

    def test_what_is_to_wake_somebody_does(self):
        for name in ("oldest_age_seconds", "tasks_finished_total", "queue_unclaimed", "schedule_last_missed", "queue_set_aside",
                     "broker_errors_total"):
            self.assertIn(name, self.text)


if __name__ == "__main__":
    unittest.main()
