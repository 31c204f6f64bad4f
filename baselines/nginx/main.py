"""nginx as a subject: a launcher that speaks the contract for a program that cannot bind port 0 or end with its stdin.

It reserves a port, writes a configuration into a folder of its own, starts nginx, waits for its first answer,
prints the ready line (pid: nginx's master, so that the launcher is not accounted), and ends it all when stdin
closes or SIGTERM comes.
"""
import ctypes
import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# A variant behind a slash: the workload's other variants are not native to nginx.
WORKLOADS = {"hello": [], "fs": ["root"]}
DESCRIBED = ["fs/read_1m", "fs/read_4k", "hello"]
OPTIONS = {"workers": "1"}
INSTALL = "scripts/install-dependencies --prove"

TRIES_MAX = 5
READY_S, STOP_S = 10.0, 1.5

CONFIGURATION = """\
worker_processes {workers};
{user}daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen {address}:{port} backlog=4096;
    {location}
  }}
}}
"""
LOCATIONS = {
    "hello": r'location = /hello { return 200 "hello\n"; }',
    "fs": r"""location = /fs/read {
      if ($arg_file !~ "^[A-Za-z0-9_-][A-Za-z0-9._-]*$") { return 404; }
      root "%(root)s";
      try_files /$arg_file =404;
    }""",
}


class Refusal(Exception):
    """One sentence and an exit code: 2 usage, 3 the machine refuses."""

    def __init__(self, sentence, code):
        super().__init__(sentence)
        self.code = code


def program():
    # An ordinary user's PATH lacks the folder where Debian puts servers.
    found = shutil.which("nginx", path=os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin")
    if not found:
        raise Refusal(f"nginx is not installed; run {INSTALL}", 3)
    return found


def describe():
    told = subprocess.run([program(), "-V"], capture_output=True, text=True, check=True).stderr
    versions = {"nginx": re.search(r"nginx/([\d.]+)", told)[1], "kernel": os.uname().release}
    built = re.search(r"built with OpenSSL ([\w.]+)(?:.*\(running with OpenSSL ([\w.]+))?", told)
    if built:
        versions["openssl"] = built[2] or built[1]
    print(json.dumps({"name": "nginx", "versions": versions, "workloads": DESCRIBED, "features": [],
                      "options": OPTIONS}))


def split_flags(words):
    words = list(words)
    while words:
        name, given, value = words.pop(0).partition("=")
        if not name.startswith("--"):
            raise Refusal(f"'{name}' is not a flag; expected --name value", 2)
        if not given and not words:
            raise Refusal(f"{name} needs a value", 2)
        yield name, value if given else words.pop(0)


def add_pair(flag, text, known, into):
    key, given, value = text.partition("=")
    if not given or key not in known:
        raise Refusal(f"{flag} '{text}': expected one of {', '.join(f'{k}=...' for k in known) or 'none'}", 2)
    into[key] = value


def parse_serve(words):
    request = {"--workload": "", "--address": "127.0.0.1", "--port": "0"}
    options, params = dict(OPTIONS), {}
    pairs = []
    for name, value in split_flags(words):
        if name in ("--option", "--param"):
            pairs.append((name, value))
        elif name in request:
            request[name] = value
        else:
            raise Refusal(f"serve does not know '{name}'; it takes {', '.join(request)}, --option and --param", 2)
    workload = request["--workload"]
    if workload not in WORKLOADS:
        raise Refusal(f"subject 'nginx' does not serve workload '{workload}'; it serves {', '.join(DESCRIBED)}", 2)
    for name, value in pairs:
        add_pair(name, value, OPTIONS if name == "--option" else WORKLOADS[workload],
                 options if name == "--option" else params)
    for name, text, most in (("--option workers", options["workers"], 1024), ("--port", request["--port"], 65535)):
        if not re.fullmatch(r"\d{1,5}", text) or int(text) > most or (name != "--port" and int(text) < 1):
            raise Refusal(f"{name} '{text}': expected a whole number up to {most}", 2)
    if not re.fullmatch(r"\d+(\.\d+){3}", request["--address"]):
        raise Refusal(f"--address '{request['--address']}': expected numeric IPv4 like 127.0.0.1", 2)
    root = params.get("root", "")
    if workload == "fs" and (not os.path.isdir(root) or re.search(r'["\\$\n]', root)):
        raise Refusal(f"--param root='{root}' is no folder nginx can be given; name an existing one", 2)
    return workload, options, params, request["--address"], int(request["--port"])


def reserve(address, port):
    """A bound socket that never listens keeps others off the port while nginx starts; nginx may bind it still,
    because both ask for SO_REUSEADDR."""
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reservation.bind((address, port))
    except OSError as error:
        raise Refusal(f"cannot listen on {address}:{port}: {error.strerror}; choose another --port", 3) from None
    return reservation


def write_configuration(folder, workload, options, params, address, port):
    user = "user root;\n" if os.geteuid() == 0 else ""  # else its workers could not read a scratch folder of root's
    path = pathlib.Path(folder) / "nginx.conf"
    path.write_text(CONFIGURATION.format(folder=folder, workers=options["workers"], user=user, address=address,
                                         port=port, location=LOCATIONS[workload] % params
                                         if params else LOCATIONS[workload]))
    return path


def answers(address, port):
    try:
        with socket.create_connection((address, port), 1) as probe:
            probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return probe.recv(5) == b"HTTP/"
    except OSError:
        return False


def end_with_parent():
    """In the child: SIGTERM, which ends nginx and its workers, when the launcher is killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def start(folder, configuration, address, port):
    """nginx, once it answers; None where the port was taken meanwhile."""
    log = pathlib.Path(folder) / "error.log"
    log.unlink(missing_ok=True)
    process = subprocess.Popen([program(), "-p", folder, "-c", str(configuration), "-e", str(log)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=end_with_parent)
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        said = log.read_text(errors="replace") if log.exists() else ""
        if "Address already in use" in said:  # nginx would try again for seconds
            stop(process)
            return None
        if process.poll() is not None:
            raise Refusal(f"nginx ended before it answered: {said.strip().splitlines()[-1:]}", 3)
        if answers(address, port):
            return process
        time.sleep(0.005)
    stop(process)
    raise Refusal(f"nginx does not answer on {address}:{port} after {READY_S:.0f} s", 3)


def launch(folder, workload, options, params, address, port):
    """(process, port); a port of our choice is chosen again where somebody else took it."""
    for _ in range(1 if port else TRIES_MAX):
        with reserve(address, port) as reservation:
            chosen = reservation.getsockname()[1]
            configuration = write_configuration(folder, workload, options, params, address, chosen)
            process = start(folder, configuration, address, chosen)
        if process:
            return process, chosen
    raise Refusal(f"cannot listen on {address}:{port}: somebody holds the port; choose another --port", 3)


def stop(process):
    """SIGTERM is nginx's fast shutdown; its workers end with it."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*/children"):
            for child in task.read_text().split():
                os.kill(int(child), signal.SIGKILL)
        process.kill()
        process.wait()


def wait_for_stop(process, signals):
    """Until stdin ends or a signal came (True), or nginx ended by itself (False)."""
    child = os.pidfd_open(process.pid)
    stdin = sys.stdin.fileno()
    try:
        while True:
            readable, _, _ = select.select([child, stdin, signals], [], [])
            if signals in readable or stdin in readable and not os.read(stdin, 4096):
                return True
            if child in readable:
                return False
    finally:
        os.close(child)


def serve(words):
    workload, options, params, address, port = parse_serve(words)
    signals, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="tickmark_nginx_") as folder:
        process, port = launch(folder, workload, options, params, address, port)
        print(json.dumps({"ready": {"address": address, "port": port, "pid": process.pid,
                                    "workers": int(options["workers"]), "workload": workload}}), flush=True)
        asked = wait_for_stop(process, signals)
        stop(process)
    if not asked:
        raise Refusal(f"nginx ended by itself with status {process.returncode}", 1)
    print(json.dumps({"final": {}}), flush=True)


def main(words):
    try:
        if words[:1] == ["serve"]:
            serve(words[1:])
        elif words == ["describe"]:
            describe()
        else:
            raise Refusal(f"'{' '.join(words)}': expected describe or serve --workload W", 2)
    except Refusal as refusal:
        print(f"subject_nginx: {refusal}", file=sys.stderr)
        return refusal.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
