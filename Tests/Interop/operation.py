"""Running a proxy: rotated logs, counters set to zero, listeners drained. The same steps with a stock Envoy and apus-proxy."""
import json
import signal
import time

import processes
from peers import check
from processes import free_port, get, wait_until

BOOTSTRAP = """
node: {id: web-1, cluster: web}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: ADMIN}}}
static_resources:
  listeners:
    - name: http_listener
      address: {socket_address: {address: 127.0.0.1, port_value: PORT}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: web
                access_log:
                  - name: file
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
                      path: "LOG"
                      log_format: {text_format_source: {inline_string: "%REQ(:PATH)% %RESPONSE_CODE%\\n"}}
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: {prefix: "/"}
                          direct_response: {status: 200, body: {inline_string: "here\\n"}}
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
"""

NAMES = ["apus-proxy", "envoy"]


def start(world, name):
    """One proxy with the bootstrap; its port, admin address and log."""
    port, admin = free_port(), free_port()
    log = world.folder / f"{name}.log"
    file = world.folder / f"{name}.yaml"
    file.write_text(BOOTSTRAP.replace("PORT", str(port)).replace("ADMIN", str(admin)).replace("LOG", str(log)))
    if name == "envoy":
        world.envoy_of(file, name, "--file-flush-interval-msec", 50)
    else:
        world.apus_of(file, name)
    world.wait(f"{name} to be ready", 20, lambda: get(f"127.0.0.1:{admin}", "/ready")[0] == 200)
    world.wait(f"{name} to listen", 20, lambda: get(f"127.0.0.1:{port}", "/first")[0] == 200)
    return f"127.0.0.1:{port}", f"127.0.0.1:{admin}", log


def ask(address, path):
    check(get(address, path)[0] == 200, f"{path} was not answered")


def lines(file):
    return file.read_text().splitlines() if file.exists() else []


def seen(world, file, path):
    world.wait(f"{path} in {file.name}", 20, lambda: f"{path} 200" in lines(file))


def rotation(programs):
    """A renamed log goes on until the proxy is told, by its admin page or a signal; then the name is a new file."""
    for name in NAMES:
        with processes.World(programs) as world:
            address, admin, log = start(world, name)
            seen(world, log, "/first")
            tell = {
                "page": lambda: check(get(admin, "/reopen_logs", method="POST")[0] == 200, f"{name}: no /reopen_logs"),
                "signal": lambda: world.processes[name].send_signal(signal.SIGUSR1),
            }
            for way, act in tell.items():
                old = log.with_suffix(f".{way}")
                log.rename(old)
                ask(address, f"/{way}/before")
                seen(world, old, f"/{way}/before")
                check(not log.exists(), f"{name}: the log was opened anew before anybody asked")
                act()
                # Asked until it is in force, for neither the page nor the signal waits for the thread that writes.
                for attempt in range(200):
                    ask(address, f"/{way}/after/{attempt}")
                    time.sleep(0.05)
                    if any(line.startswith(f"/{way}/after/") for line in lines(log)):
                        break
                check(lines(log), f"{name}: no line in the new file after the {way}")
                every = lines(old) + lines(log)
                wait_until("the last line", 20, lambda: f"/{way}/after/{attempt} 200" in lines(old) + lines(log))
                check(len(every) == len(set(every)), f"{name}: a line was written twice")
            check(get(admin, "/reopen_logs")[0] == 405 or name == "envoy", f"{name}: a log was reopened by a GET")


def counters(programs):
    """Counters begin anew, gauges stay; and the memory page has the fields of Envoy's."""
    memory = {}
    for name in NAMES:
        with processes.World(programs) as world:
            address, admin, _ = start(world, name)
            for index in range(5):
                ask(address, f"/{index}")

            def total():
                text = get(admin, "/stats?filter=^http.web.downstream_rq_total$")[2]
                return int(text.split(":")[1])

            check(total() >= 6, f"{name} counted {total()}")
            check(get(admin, "/reset_counters", method="POST")[0] == 200, f"{name}: no /reset_counters")
            check(total() == 0, f"{name}: {total()} requests after the counters were reset")
            ask(address, "/again")
            check(total() == 1, f"{name} counted {total()} and not 1")
            memory[name] = json.loads(get(admin, "/memory")[2])
    check(memory["apus-proxy"].keys() == memory["envoy"].keys(), f"the fields of /memory: {memory}")
    check(all(int(value) >= 0 for value in memory["apus-proxy"].values()), f"{memory['apus-proxy']}")
    check(int(memory["apus-proxy"]["allocated"]) > 100_000, f"{memory['apus-proxy']}")


def drained(programs):
    """A drained listener takes no connection any more; the admin port and what it says of the process stay."""
    for name in NAMES:
        with processes.World(programs) as world:
            address, admin, _ = start(world, name)
            check(get(admin, "/drain_listeners", method="POST")[0] == 200, f"{name}: no /drain_listeners")
            world.wait(f"{name} to close its listener", 20, lambda: get(address, "/late")[0] == 0)
            check(get(admin, "/stats?filter=listener_manager")[0] == 200, f"{name}: the admin port is gone")


def case(name, test):
    def run(programs):
        test(programs)
        return test.__doc__.splitlines()[0].rstrip(".")
    run.__name__ = name
    run.__doc__ = test.__doc__
    return run


TESTS = [case("log_rotation", rotation), case("reset_counters", counters), case("drain_listeners", drained)]
