"""Reading what a process costs, writing files as an editor does, and simple statistics."""
import os
import pathlib
import statistics

TICK = os.sysconf("SC_CLK_TCK")


def cpu_times(pid):
    """User and system seconds of all threads. The kernel counts them exactly and shows them in hundredths."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def cpu_seconds(pid):
    return sum(cpu_times(pid))


def memory(pid, field="VmRSS"):
    """Resident bytes; `VmHWM` is the most there ever was."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{pid} has no {field}")


def pin(pid, cores):
    """Keeps every thread that a process has now, and those they will start, on some cores."""
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def replace(path, text):
    """Writes beside the file and renames over it, so that a reader sees the old text or the new one."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    os.replace(beside, path)


def percentile(values, part):
    """The nearest rank; with few values p99 is the largest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * part // 100) - 1))]


def summary(values):
    return {"median": statistics.median(values), "p99": percentile(values, 99), "min": min(values), "max": max(values),
            "count": len(values)}


def machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": model, "cores": os.cpu_count(), "memory_gb": round(pages / 2**30), "kernel": os.uname().release,
            "load": os.getloadavg()[0]}


class Table:
    """Rows of words under a heading, in columns."""

    def __init__(self, title, *heading):
        self.title = title
        self.rows = [heading]

    def row(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def show(self):
        widths = [max(len(row[column]) for row in self.rows) for column in range(len(self.rows[0]))]
        print(f"\n{self.title}")
        for index, row in enumerate(self.rows):
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            print("  " + "  ".join(cells))
            if index == 0:
                print("  " + "  ".join("-" * width for width in widths))
        print(flush=True)
