"""What WeChat's and WeCom's servers have in common: their XML, their refusals, their store of pictures, and what the tests do to them."""

import argparse
import asyncio
import json
import secrets
import time

import aiohttp
from aiohttp import web

ANSWER_S, ATTEMPTS = 5.0, 3
TEXT_BYTES_MAX = 2048
TOKEN_S = 7200
BODY_BYTES_MAX = 16 * 1024**2
PNG = b"\x89PNG\r\n\x1a\n"


def data(text):
    return f"<![CDATA[{text}]]>"


def written(document):
    fields = (f"<{k}>{data(v) if isinstance(v, str) else v}</{k}>" for k, v in document.items())
    return f"<xml>{''.join(fields)}</xml>"


class Refusal(Exception):
    def __init__(self, code, reason):
        super().__init__(reason)
        self.code, self.reason = code, reason


def check_text(body, bytes_max=TEXT_BYTES_MAX):
    if not body["text"]["content"]:
        raise Refusal(44004, "empty content")
    if len(body["text"]["content"].encode()) > bytes_max:
        raise Refusal(45002, "content size out of limit")


class Servers:
    """The acts of the tests come in at /_sim; the platform's own are in `act`, and what is shown of it in `state`."""

    def __init__(self, options):
        self.options = options
        self.ahead = 0.0
        self.media = {}
        self.sent, self.calls, self.faults = [], [], []

    def now(self):
        return time.time() + self.ahead

    def called(self, name):
        self.calls.append({"method": name})

    async def upload(self, request):
        part = await (await request.multipart()).next()
        content = await part.read()
        if request.query.get("type") != "image" or part.name != "media" or not part.filename:
            raise Refusal(41005, "media data missing")
        if not content.startswith(PNG):
            raise Refusal(40009, "invalid image size")
        media = secrets.token_urlsafe(48)
        self.media[media] = content
        return {"type": "image", "media_id": media, "created_at": int(self.now())}

    async def picture(self, request):
        """One on the shop's own page."""
        if request.match_info["name"].startswith("hanging"):
            await asyncio.sleep(60)
        return web.Response(body=PNG + request.match_info["name"].encode(), content_type="image/png")

    async def asked(self, url, query, echo):
        """Whether an address proves that it is the shop's."""
        async with aiohttp.ClientSession() as http, http.get(url, params=query) as answer:
            return {"status": answer.status, "echoed": await answer.text() == echo}

    async def fail(self, fault, request, do):
        """What the test wants to go wrong; nothing more of it where it is only slow."""
        self.faults.remove(fault)
        if fault.get("after"):
            do()
        if fault.get("slow"):
            await asyncio.sleep(fault["slow"])
        if fault.get("cut"):
            request.transport.close()
        if fault.get("status"):
            return web.Response(status=fault["status"], text="<html>")
        if not fault.get("slow"):
            raise Refusal(fault.get("code", -1), fault.get("reason", "system error"))

    async def sim(self, request):
        name, act = request.match_info["name"], json.loads(await request.read() or b"{}")
        answer = {}
        if name == "fault":
            self.faults.extend([act] * act.pop("times", 1))
        elif name == "clock":
            self.ahead += act["advance"]
        elif name == "forget_media":
            self.media.clear()
        elif name == "sent":
            answer = [message for message in self.sent if message.get("touser") == act.get("to")]
        elif name == "state":
            answer = self.state()
        else:
            answer = await self.act(name, act)
        if answer is None:
            return web.json_response({"error": "no such act"}, status=404)
        return web.json_response(answer)


def arguments(*names):
    parser = argparse.ArgumentParser()
    for name in (*names, "secret", "token", "aes_key"):
        parser.add_argument(name)
    parser.add_argument("--port", type=int, default=0)
    return parser


async def serve(servers, api):
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    pictures = web.get("/pictures/{name}", servers.picture)
    app.add_routes([api, pictures, web.post("/_sim/{name}", servers.sim)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", servers.options.port)
    await site.start()
    print("listening", site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
