"""zones_test.py PRINT_SPANS FOLDER: every zone is what Python's zoneinfo says it is, from "fat" and from "slim" files.

Fat files (Debian's) list each change up to 2037 and slim ones (zic's default) only what the rule at the end does not say, so
that a library can read one kind well and the other badly.
"""
import datetime
import os
import pathlib
import shutil
import subprocess
import sys
import unittest
import zoneinfo

PRINT_SPANS, FOLDER = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))
SYSTEM = pathlib.Path('/usr/share/zoneinfo')
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
END = 4102444800  # 2100
# Abseil's repetition of a file's last rules does not follow what the Moon decides.
KNOWN = {('Asia/Gaza', 2077), ('Asia/Hebron', 2077)}


def names():
    return sorted(zoneinfo.available_timezones() - {'localtime', 'Factory'})


def spans(folder):
    ran = subprocess.run([PRINT_SPANS], input='\n'.join(names()), stdout=subprocess.PIPE, text=True, check=True,
                         env={**os.environ, 'TZDIR': str(folder)})
    for line in ran.stdout.splitlines():
        name, *rest = line.split()
        yield name, [tuple(map(int, one.split(':'))) for one in rest]


class Zones(unittest.TestCase):
    def compare(self, folder):
        """Always with the fat files: Python too has been seen to be misled by slim ones."""
        wrong, asked, seen = [], 0, 0
        for name, found in spans(folder):
            seen += 1
            where = zoneinfo.ZoneInfo(name)
            ends = [begin for begin, _ in found[1:]] + [END]
            for (begin, offset), end in zip(found, ends):
                for second in {begin, begin + 1, (begin + end) // 2, end - 1}:
                    asked += 1
                    then = (EPOCH + datetime.timedelta(seconds=second)).astimezone(where)
                    if then.utcoffset().total_seconds() != offset:
                        wrong.append((name, then.year))
        self.assertEqual(seen, len(names()))
        self.assertGreater(asked, 100_000)
        return {(name, year) for name, year in wrong if not any(name == at and year > after for at, after in KNOWN)}

    def test_fat_files_are_read_as_python_reads_them(self):
        zoneinfo.reset_tzpath([str(SYSTEM)])
        self.assertEqual(self.compare(SYSTEM), set())

    def test_slim_files_say_the_same(self):
        source, zic = SYSTEM / 'tzdata.zi', shutil.which('zic', path='/usr/sbin:/usr/bin')
        if not source.exists() or not zic:
            self.skipTest('this system has no zic or no source of the zones')
        slim, fat = FOLDER / 'slim', FOLDER / 'fat'
        for kind, folder in (('slim', slim), ('fat', fat)):
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([zic, '-b', kind, '-d', folder, source], check=True, capture_output=True)
        zoneinfo.ZoneInfo.clear_cache()
        zoneinfo.reset_tzpath([str(fat)])
        self.assertEqual(self.compare(slim), set())


if __name__ == '__main__':
    unittest.main(verbosity=2)
