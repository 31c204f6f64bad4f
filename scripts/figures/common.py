"""What the figures share: the command, servers to measure, process trees, a verdict line."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TICKMARK = ROOT / "build" / "tickmark"

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "ok"; }} }}
}}
"""


def fail(sentence, code=3):
    print(sentence, file=sys.stderr)
    sys.exit(code)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tree(root):
    """The process and all its descendants, root first."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                todo.extend(int(child) for child in task.read_text().split())
    return found


def signal_tree(root, number):
    for pid in tree(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def serving(name, cpu=None):
    """Yields (url, pid of the tree's root) of nginx or of a subject with the workload hello."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "nginx":
            program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
            if not program:
                fail("nginx is not installed; run scripts/install-dependencies --prove, or name another --server")
            port = free_port()
            config = pathlib.Path(folder) / "nginx.conf"
            config.write_text(NGINX.format(folder=folder, port=port))
            process = subprocess.Popen([program, "-p", folder, "-c", str(config)], stderr=subprocess.DEVNULL)
            url, pid = f"http://127.0.0.1:{port}/", process.pid
        else:
            process = subprocess.Popen(
                [TICKMARK, "serve", name, "--workload", "hello"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            ready = json.loads(process.stdout.readline() or fail(f"subject {name} did not start"))["ready"]
            url, pid = f"http://127.0.0.1:{ready['port']}/hello", ready["pid"]
        try:
            wait_for_port(int(url.split(":")[2].split("/")[0]))
            if cpu is not None:
                for member in tree(pid):
                    subprocess.run(["taskset", "-acp", str(cpu), str(member)], check=True, capture_output=True)
            yield url, pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def wait_for_port(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    fail(f"nobody listens on port {port} after 10 s")


def load(url, *arguments):
    """The JSON of `tickmark load`; its exit code 3 (not valid) is the reader's to judge."""
    done = subprocess.run([TICKMARK, "load", url, "--json", *arguments], capture_output=True, text=True)
    if not done.stdout:
        fail(done.stderr)
    return json.loads(done.stdout)


def verdict(name, expected, seen, good):
    """Prints one line and returns whether it is good."""
    print(f"{'ok  ' if good else 'FAIL'}  {name:<44} expected {expected:<28} seen {seen}")
    return good
