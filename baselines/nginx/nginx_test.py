"""The subject contract, asked of the nginx launcher as a process; without nginx, what can be asked without it."""
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import main as launcher  # noqa: E402

PROGRAM = [sys.executable, "-I", str(pathlib.Path(__file__).parent / "main.py")]
DEADLINE_S = 30
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")
needs_nginx = unittest.skipUnless(NGINX, "nginx is not installed")


def run(*words, **more):
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=DEADLINE_S, **more)


class Serving:
    """A launcher that serves; its scratch folders lie in `folder`."""

    def __init__(self, folder, *words):
        self.process = subprocess.Popen([*PROGRAM, "serve", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": folder})
        line = self.process.stdout.readline()
        self.ready = json.loads(line)["ready"] if line else {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def ask(self, requests, size):
        """Sends, and reads `size` bytes."""
        with socket.create_connection(("127.0.0.1", self.ready["port"]), DEADLINE_S) as peer:
            peer.sendall(requests)
            reply = b""
            while len(reply) < size and (more := peer.recv(65536)):
                reply += more
            return reply

    def reply(self, target):
        """(head, body) of one request on a connection that closes after it."""
        head, _, body = self.ask(f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode(),
                                 1 << 30).partition(b"\r\n\r\n")
        return head.decode(), body


class Launcher(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nginx_test_")
        self.addCleanup(shutil.rmtree, self.folder)

    def test_bad_input_is_one_sentence_and_exit_2(self):
        good = ["serve", "--workload", "hello"]
        for words in ([], ["dance"], ["serve"], ["serve", "--workload", "sockets"], [*good, "--colour", "red"],
                      [*good, "--option", "workers=none"], [*good, "--option", "workers=0"], [*good, "--option", "x=1"],
                      [*good, "--param", "root=/"], [*good, "--port", "99999"], [*good, "--address", "nowhere"],
                      ["serve", "--workload", "fs", "--param", "root=/no/such"], [*good, "--port"]):
            ended = run(*words)
            self.assertEqual((ended.returncode, ended.stdout, ended.stderr.count("\n")), (2, "", 1), words)

    def test_without_nginx_it_says_what_installs_it(self):
        with unittest.mock.patch.object(launcher.shutil, "which", return_value=None):
            with self.assertRaises(launcher.Refusal) as refused:
                launcher.describe()
        self.assertEqual(refused.exception.code, 3)
        self.assertIn("scripts/install-dependencies --prove", str(refused.exception))

    @needs_nginx
    def test_describes_itself(self):
        said = json.loads(run("describe").stdout)
        self.assertEqual(said["name"], "nginx")
        self.assertRegex(said["versions"]["nginx"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(said["workloads"], ["fs/read_1m", "fs/read_4k", "hello"])

    @needs_nginx
    def test_hello_pipelined_and_kept_alive(self):
        with Serving(self.folder, "--workload", "hello") as serving:
            head, body = serving.reply("/hello")
            self.assertEqual(body, b"hello\n")
            self.assertIn("\r\nDate: ", head)
            one = len(head) + 4 + len(body) - len("close") + len("keep-alive")
            replies = serving.ask(b"GET /hello HTTP/1.1\r\nHost: h\r\n\r\n" * 5, 5 * one)
            self.assertEqual(replies.count(b"hello\n"), 5)
            self.assertEqual(len(replies), 5 * one)
            self.assertTrue(serving.reply("/other")[0].startswith("HTTP/1.1 404"))

    @needs_nginx
    def test_files_and_nothing_outside_their_folder(self):
        root = pathlib.Path(self.folder) / "root"
        root.mkdir()
        (root / "a.bin").write_bytes(bytes(range(256)) * 4096)
        (pathlib.Path(self.folder) / "secret").write_text("secret")
        with Serving(self.folder, "--workload", "fs", "--param", f"root={root}") as serving:
            self.assertEqual(serving.reply("/fs/read?file=a.bin")[1], bytes(range(256)) * 4096)
            for name in ("none", "../secret", "..%2fsecret", ".hidden", "", "a.bin/../../secret"):
                head, body = serving.reply(f"/fs/read?file={name}")
                self.assertTrue(head.startswith("HTTP/1.1 404"), name)
                self.assertNotIn(b"secret\n", body)

    @needs_nginx
    def test_ends_with_stdin_or_sigterm_and_leaves_nothing(self):
        for end in (lambda p: p.stdin.close(), lambda p: p.send_signal(signal.SIGTERM)):
            with Serving(self.folder, "--workload", "hello", "--option", "workers=2") as serving:
                self.assertEqual(serving.ready["workers"], 2)
                self.assertNotEqual(serving.ready["pid"], serving.process.pid)
                with socket.create_connection(("127.0.0.1", serving.ready["port"])):
                    end(serving.process)
                    serving.process.wait(DEADLINE_S)
                self.assertEqual(serving.process.returncode, 0)
                self.assertEqual(json.loads(serving.process.stdout.read()), {"final": {}})
                self.assertFalse(pathlib.Path(f"/proc/{serving.ready['pid']}").exists())
                self.assertEqual(os.listdir(self.folder), [])

    @needs_nginx
    def test_nginx_ends_with_a_launcher_that_was_killed(self):
        with Serving(self.folder, "--workload", "hello") as serving:
            nginx = os.pidfd_open(serving.ready["pid"])
            serving.process.kill()
            readable, _, _ = select.select([nginx], [], [], DEADLINE_S)
            os.close(nginx)
            self.assertTrue(readable)

    @needs_nginx
    def test_nginx_that_dies_is_told(self):
        with Serving(self.folder, "--workload", "hello") as serving:
            os.kill(serving.ready["pid"], signal.SIGTERM)
            self.assertEqual(serving.process.wait(DEADLINE_S), 1)
            self.assertIn("ended by itself", serving.process.stderr.read())

    @needs_nginx
    def test_a_port_in_use_is_exit_3_and_one_of_our_choice_is_chosen_again(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            ended = run("serve", "--workload", "hello", "--port", str(port))
            self.assertEqual(ended.returncode, 3, ended.stderr)
            self.assertIn(str(port), ended.stderr)
            # The first choice falls on the taken port, as if somebody had come between.
            free = launcher.reserve("127.0.0.1", 0)  # closed by launch()
            stale = unittest.mock.MagicMock()
            stale.__enter__.return_value.getsockname.return_value = ("127.0.0.1", port)
            with unittest.mock.patch.object(launcher, "reserve", side_effect=[stale, free]):
                start = time.monotonic()
                process, chosen = launcher.launch(self.folder, "hello", launcher.OPTIONS, {}, "127.0.0.1", 0)
            launcher.stop(process)
            self.assertNotEqual(chosen, port)
            self.assertLess(time.monotonic() - start, DEADLINE_S)


if __name__ == "__main__":
    unittest.main()
