"""nginx as web/start-nginx.sh starts it, without a container: as a user without rights, on ports of 127.0.0.1."""

import contextlib
import os
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from testing.processes import free_port
from testing.serving import JSON

ROOT = Path(__file__).parents[3]
NOBODY = 65534


@dataclass
class Proxy:
    """`url` is what browsers use; `plain_url` the other port, which with TLS leads there."""

    folder: Path
    port: int
    tls_port: int
    is_tls: bool

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.tls_port}" if self.is_tls else self.plain_url

    @property
    def plain_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificates" / "fullchain.pem"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate) if self.is_tls else None)

    def client(self, comes_from: str = "127.0.0.1") -> httpx.AsyncClient:
        """Return a browser of its own. Every address of 127.0.0.0/8 is this machine's."""
        transport = httpx.AsyncHTTPTransport(local_address=comes_from, verify=self.trust())
        return httpx.AsyncClient(base_url=self.url, headers=JSON, timeout=30, transport=transport)


@contextlib.contextmanager
def running_nginx(api_port: int, is_tls: bool = False, **variables: str) -> Iterator[Proxy]:
    """nginx in front of the server on `api_port`, with the built client and, for TLS, a certificate of its own.

    `variables`: other variables of start-nginx.sh.
    """
    with prepared(is_tls) as proxy, (proxy.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", str(proxy.folder / "start-nginx.sh")],
            env=environment(proxy, api_port) | variables,
            stdout=log,
            stderr=log,
            user=NOBODY if os.getuid() == 0 else None,
        )
        try:
            until_it_answers(proxy, process)
            yield proxy
        finally:
            process.terminate()
            process.wait(15)


@contextlib.contextmanager
def prepared(is_tls: bool) -> Iterator[Proxy]:
    """Yield a folder with the image's files, which anyone may read and nginx's user may write."""
    folder = Path(tempfile.mkdtemp(prefix="tutordesk-nginx-"))
    try:
        for name in ("nginx.conf", "start-nginx.sh"):
            shutil.copy(ROOT / "web" / name, folder)
        shutil.copytree(ROOT / "api" / "tutordesk" / "web", folder / "client")
        (folder / "certificates").mkdir()
        proxy = Proxy(folder, free_port(), free_port(), is_tls)
        if is_tls:
            make_certificate(proxy)
        if os.getuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        yield proxy
    finally:
        shutil.rmtree(folder)


def make_certificate(proxy: Proxy) -> None:
    key = proxy.certificate.with_name("privkey.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [*command, "-keyout", str(key), "-out", str(proxy.certificate)]
    subprocess.run(made, check=True, capture_output=True)


def environment(proxy: Proxy, api_port: int) -> dict[str, str]:
    places = {"STATE": f"{proxy.folder}/state", "CLIENT": f"{proxy.folder}/client", "API": f"127.0.0.1:{api_port}"}
    places |= {"CERTIFICATES": str(proxy.certificate.parent), "HTTPS_PORT": str(proxy.tls_port)}
    listen = {"HTTP_LISTEN": f"127.0.0.1:{proxy.port}", "HTTPS_LISTEN": f"127.0.0.1:{proxy.tls_port}"}
    return {"PATH": f"{os.environ['PATH']}:/usr/sbin", **places, **listen}


def until_it_answers(proxy: Proxy, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 15
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{proxy.plain_url}/nginx-health").status_code == 204:
                return
        assert process.poll() is None, (proxy.folder / "log").read_text()
        assert time.monotonic() < deadline, (proxy.folder / "log").read_text()
        time.sleep(0.05)
