"""Discord for the tests, over real HTTP and a real gateway, with people who write to the bot.

What Discord knows (limits, codes, intents, permissions, threads, the life of an interaction) is simcord's, another project's.
This adds the wire: rate-limit headers, nonces, the gateway's payloads with resuming, signed deliveries, and faults.

    peer.py TOKEN [--port N] [--no-content] [--heartbeat MS]

Prints `listening PORT`. People and faults come in at /_sim/ACT, see `Acts`.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import secrets
import time
from datetime import UTC, datetime

import aiohttp
import discord
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from simcord import interactions, intents
from simcord._clock import Clock
from simcord.backend import Backend, serializers
from simcord.backend.errors import BackendError
from simcord.backend.models import Channel, User
from simcord.enums import ChannelType
from simcord.gateway import FakeGateway
from simcord.http import router
from simcord.http import routes  # noqa: F401  (registers the routes)

KEPT_EVENTS = 500
NONCE_S = 300
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)

# Ids tell the time, as Discord's do.
Clock.now = lambda self: datetime.now(UTC)


class Parsers(dict):
    """Stands for discord.py's: every event goes on to the wire."""

    def __init__(self, push):
        super().__init__()
        self.push = push

    def __missing__(self, event):
        return lambda payload: self.push(event, payload)


class Connection:
    def __init__(self, intents, push):
        self.intents, self.parsers = intents, Parsers(push)


async def tell(socket, message):
    # A connection may be cut meanwhile; what it missed is kept.
    with contextlib.suppress(ConnectionError):
        await socket.send_str(json.dumps(message))


class Session:
    def __init__(self):
        self.id, self.seq, self.socket = secrets.token_hex(16), 0, None
        self.kept = collections.deque(maxlen=KEPT_EVENTS)

    def push(self, event, payload):
        self.seq += 1
        message = {"op": 0, "t": event, "s": self.seq, "d": payload}
        self.kept.append(message)
        if self.socket is not None and not self.socket.closed:
            asyncio.ensure_future(tell(self.socket, message))


class Peer:
    def __init__(self, options):
        self.options = options
        self.backend = Backend()
        self.allowed = discord.Intents.all()
        self.allowed.message_content = not options.no_content
        self.sessions, self.identified, self.resumed = {}, [], []
        self.heartbeats, self.is_deaf, self.starts_left = 0, False, 1000
        self.calls, self.faults, self.buckets = [], [], {}
        self.nonces, self.closed, self.endpoint = {}, set(), None
        self.backend.subscribers.append(self.emit)

    # The gateway.

    def url(self):
        return f"ws://127.0.0.1:{self.options.port}/gateway"

    def emit(self, event, payload):
        for session in self.sessions.values():
            session.gateway.feed(event, payload)

    async def gateway(self, request):
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        control = {"op": 10, "d": {"heartbeat_interval": self.options.heartbeat}, "s": None, "t": None}
        await socket.send_json(control)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            payload = json.loads(message.data)
            op, data = payload["op"], payload.get("d")
            if op == 1:
                self.heartbeats += 1
                if not self.is_deaf:
                    await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            elif op == 2:
                await self.identify(socket, data)
            elif op == 6:
                await self.resume(socket, data)
        return socket

    async def identify(self, socket, data):
        self.identified.append({"intents": data["intents"], "at": time.time()})
        self.starts_left -= 1
        if data["token"] != self.options.token:
            return await socket.close(code=4004, message=b"Authentication failed.")
        wanted = discord.Intents._from_value(int(data["intents"]))
        if intents.missing_privileged_intents(wanted, self.allowed):
            return await socket.close(code=4014, message=b"Disallowed intent(s).")
        session = Session()
        session.socket = socket
        session.gateway = FakeGateway(self.backend, Connection(wanted, session.push))
        self.sessions[session.id] = session
        session.push(
            "READY",
            {
                "v": 10,
                "user": dict(serializers.user_payload(self.backend.bot_user)),
                "private_channels": [],
                "guilds": [{"id": str(id), "unavailable": True} for id in self.backend.guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url(),
                "application": {"id": str(self.backend.application_id), "flags": 0},
            },
        )
        for guild in list(self.backend.guilds.values()):
            payload = serializers.guild_create_payload(self.backend, guild)
            session.gateway.feed("GUILD_CREATE", payload)

    async def resume(self, socket, data):
        self.resumed.append({"seq": data["seq"], "at": time.time()})
        session = self.sessions.get(data["session_id"])
        if session is None or data["token"] != self.options.token:
            return await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
        # A session is in one place at a time.
        if session.socket is not None and session.socket is not socket and not session.socket.closed:
            asyncio.ensure_future(session.socket.close(code=4000))
        session.socket = socket
        for message in list(session.kept):
            if message["s"] > data["seq"]:
                await socket.send_str(json.dumps(message))
        session.push("RESUMED", {})

    # REST.

    def bucket(self, method, path):
        """Five messages in five seconds to a channel, fifty requests in a second otherwise."""
        parts = path.strip("/").split("/")
        key = (method, *(part if at == 1 or not part.isdigit() else "*" for at, part in enumerate(parts)))
        is_message = method == "POST" and parts[-1] == "messages"
        limit, window = (5, 5.0) if is_message else (50, 1.0)
        now = time.monotonic()
        used, since = self.buckets.get(key, (0, now))
        if now - since >= window:
            used, since = 0, now
        self.buckets[key] = (used + 1, since)
        left = window - (now - since)
        return used + 1 > limit, left, {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - used - 1)),
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": "%08x" % (hash(key) & 0xFFFFFFFF),
        }

    def too_many(self, wait, headers, is_global=False):
        body = {"message": "You are being rate limited.", "retry_after": wait, "global": is_global}
        scope = {"X-RateLimit-Global": "true"} if is_global else {"X-RateLimit-Scope": "user"}
        headers = {**headers, **scope, "Retry-After": str(wait)}
        return web.json_response(body, status=429, headers=headers)

    async def rest(self, request):
        path, method = "/" + request.match_info["tail"], request.method
        is_free = path.startswith("/interactions/")
        token = request.headers.get("Authorization")
        if not is_free and token != f"Bot {self.options.token}":
            self.note(method, path, None, 401)
            return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)
        body = json.loads(await request.read()) if request.can_read_body else None
        over, left, headers = self.bucket(method, path)
        fault = self.fault(method, path)
        if fault:
            if "hang" in fault:
                await asyncio.sleep(fault["hang"])
            if fault.get("after"):
                self.dispatch(method, path, dict(request.query), body)
            if fault.get("cut"):
                request.transport.abort()
                return web.Response(status=500)
            if fault.get("status") == 429:
                self.note(method, path, body, 429)
                return self.too_many(fault["retry_after"], headers, fault.get("global", False))
            if "status" in fault:
                self.note(method, path, body, fault["status"])
                told = {"message": fault.get("message", "injected"), "code": fault.get("code", 0)}
                return web.json_response(told, status=fault["status"], headers=headers)
        if over:
            self.note(method, path, body, 429)
            return self.too_many(round(left, 3), headers)
        status, answer = self.dispatch(method, path, dict(request.query), body)
        self.note(method, path, body, status)
        if answer is None:
            return web.Response(status=204, headers=headers)
        return web.json_response(answer, status=status, headers=headers)

    def note(self, method, path, body, status):
        shown = path if not path.startswith("/interactions/") else "/interactions/callback"
        self.calls.append({"at": time.time(), "method": method, "path": shown, "body": body, "status": status})

    def fault(self, method, path):
        for fault in self.faults:
            if fault["times"] > 0 and method == fault["method"] and path.endswith(fault["path"]):
                fault["times"] -= 1
                fault["at"] = time.time()
                return fault

    def dispatch(self, method, path, query, body):
        backend, parts = self.backend, path.strip("/").split("/")
        if path == "/gateway/bot":
            starts = {"total": 1000, "remaining": self.starts_left, "reset_after": 60_000, "max_concurrency": 1}
            return 200, {"url": self.url(), "shards": 1, "session_start_limit": starts}
        if path == "/users/@me/guilds":
            bot = backend.bot_user.id
            rights = {guild.id: str(backend.compute_permissions(guild.id, bot)) for guild in backend.guilds.values()}
            return 200, [{"id": str(id), "name": backend.guilds[id].name, "permissions": rights[id]} for id in rights]
        if path == "/applications/@me":
            flags = 1 << 19 if self.allowed.message_content else 0
            key = KEY.public_key().public_bytes_raw().hex()
            return 200, {
                "id": str(backend.application_id),
                "flags": flags,
                "verify_key": key,
                "interactions_endpoint_url": self.endpoint,
            }
        try:
            if parts[0] == "applications" and parts[-1] == "commands" and method == "POST":
                return 201, self.command(body)
            if method == "POST" and parts[0] == "channels" and parts[-1] == "messages":
                return self.message(int(parts[1]), path, body)
            if method == "GET" and parts[-1] == "messages" and "after" in query:
                # Those next after it, and of them the newest first; simcord gives the newest of all.
                limit = int(query.get("limit", 50))
                query = {**query, "limit": 10**9}
                found = router.dispatch(backend, method, path, params=query, message_content_access=self.allowed.message_content)
                return 200, found[-limit:]
            answer = router.dispatch(backend, method, path, json=body, params=query)
        except BackendError as error:
            return error.status, error.to_json()
        if path.endswith("/callback") and query.get("with_response") != "true":
            answer = None
        return (204 if answer is None else 200), answer

    def message(self, channel, path, body):
        people = self.backend.channels[channel].recipient_ids if channel in self.backend.channels else []
        if self.closed.intersection(people):
            return 403, {"message": "Cannot send messages to this user", "code": 50007}
        key = (channel, body.get("nonce"))
        if body.get("enforce_nonce") and key in self.nonces:
            at, answer = self.nonces[key]
            if time.monotonic() - at < NONCE_S:
                return 200, answer
        if len(str(body.get("nonce") or "")) > 25:
            return 400, {"message": "Invalid Form Body", "code": 50035}
        answer = router.dispatch(self.backend, "POST", path, json=body, params={})
        answer = {**answer, "nonce": body.get("nonce")}
        self.nonces[key] = (time.monotonic(), answer)
        return 200, answer

    def command(self, body):
        """simcord overwrites all; Discord replaces the one of the name."""
        others = [dict(c) for (name, _), c in self.backend.commands.get(None, {}).items() if name != body["name"]]
        ours = ("id", "application_id", "version")
        others = [{k: v for k, v in c.items() if k not in ours} for c in others]
        body = {k: v for k, v in body.items() if k not in ("nsfw", "handler")}
        registered = self.backend.register_commands(None, [*others, body])
        return next(c for c in registered if c["name"] == body["name"])


class Acts:
    """What people and faults do; each takes the members of a JSON object."""

    def __init__(self, peer):
        self.peer, self.backend = peer, peer.backend
        # What was delivered with a signature, by its id.
        self.delivered = {}

    async def __call__(self, request):
        act = getattr(self, request.match_info["act"])
        given = await request.json()
        try:
            answer = act(**given)
            if asyncio.iscoroutine(answer):
                answer = await answer
        except BackendError as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response(answer if answer is not None else {})

    def user(self, name="Li"):
        return {"id": str(self.backend.make_user(name).id)}

    def guild(self, members=(), without=()):
        guild = self.backend.create_guild("The shop's friends")
        for member in members:
            self.backend.add_member(guild.id, int(member))
        self.forbid(guild.id, without)
        channels = {self.backend.channels[id].name: str(id) for id in guild.channel_ids}
        if "general" not in channels:
            channels["general"] = str(self.backend.create_channel(guild.id, "general").id)
        return {"id": str(guild.id), "general": channels["general"]}

    def allow(self, guild, what=("create_private_threads",)):
        for role in self.backend.guilds[int(guild)].roles.values():
            role.permissions |= self.flags(what)

    def forbid(self, guild, what):
        for role in self.backend.guilds[int(guild)].roles.values():
            role.permissions &= ~self.flags(what)

    @staticmethod
    def flags(permissions):
        return discord.Permissions(**dict.fromkeys(permissions, True)).value

    def direct(self, user):
        return {"id": str(self.backend.get_dm_channel(int(user)).id)}

    def person(self, number):
        """A customer with a direct channel, each with an id that is known before."""
        user, channel = 10_000_000 + number, 20_000_000 + number
        if user not in self.backend.users:
            self.backend.users[user] = User(id=user, name=f"P{number}")
            direct = Channel(id=channel, type=ChannelType.DM, name=None, guild_id=None)
            direct.recipient_ids = [user]
            self.backend.channels[channel], self.backend.messages[channel] = direct, {}
            self.backend.dm_channels[user] = channel
        return {"user": str(user), "channel": str(channel)}

    def repeat(self, channel, message):
        """The gateway tells a message once more."""
        message = self.backend.get_message(int(channel), int(message))
        self.backend.emit("MESSAGE_CREATE", dict(serializers.message_payload(self.backend, message)))

    def say(self, channel, user, content="", files=(), type=None):
        attachments = self.backend.store_attachments(int(channel), [(name, b"content") for name in files])
        for attachment, name in zip(attachments, files, strict=True):
            kinds = {"jpg": "image/jpeg", "ogg": "audio/ogg", "pdf": "application/pdf"}
            attachment["content_type"] = kinds[name.split(".")[-1]]
        message = self.backend.prepare_message(int(channel), int(user), content, attachments=attachments)
        if type is not None:
            message.type = type
        message = self.backend.commit_message(message)
        return {"id": str(message.id), "channel": str(channel)}

    def edit(self, channel, message, content):
        self.backend.edit_message(int(channel), int(message), {"content": content})

    def react(self, channel, message):
        """A preview is added: an update without an edit."""
        payload = dict(serializers.message_payload(self.backend, self.backend.get_message(int(channel), int(message))))
        self.backend.emit("MESSAGE_UPDATE", payload)

    def members(self, channel):
        return [str(id) for id in self.backend.get_thread(int(channel)).thread_members]

    def threads(self, channel):
        found = [c for c in self.backend.channels.values() if c.parent_id == int(channel) and c.is_thread]
        return [{"id": str(c.id), "type": int(c.type), "name": c.name} for c in found]

    def remove(self, channel):
        self.backend.delete_channel(int(channel))

    def sent(self, to):
        found = self.backend.messages.get(int(to), {}).values()
        bot = self.backend.bot_user.id
        payloads = [dict(serializers.message_payload(self.backend, m)) for m in found]
        is_said = lambda p: p["type"] in (0, 19) and not p["flags"] & 64
        return [p for p in payloads if p["author"]["id"] == str(bot) and is_said(p)]

    def interaction(self, kind, user, channel, data, locale):
        channel = self.backend.get_channel(int(channel))
        record, payload = interactions.base_payload(
            self.backend, type=kind, channel_id=channel.id, guild_id=channel.guild_id, user_id=int(user), data=data
        )
        payload["locale"] = locale
        return record, payload

    async def deliver(self, payload, server=None, wrong=None):
        """Over the gateway, or signed to an address: what came of it."""
        if server is None:
            self.backend.emit("INTERACTION_CREATE", payload)
            return {}
        body = json.dumps(payload)
        timestamp = str(int(time.time()) - (3600 if wrong == "old" else 0))
        signature = KEY.sign((timestamp + body).encode()).hex()
        if wrong == "body":
            body = body.replace('"version": 1', '"version": 2')
        if wrong == "signature":
            signature = "0" * 128
        headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
        if wrong == "none":
            headers = {}
        self.delivered[str(payload["id"])] = payload
        begun = time.monotonic()
        try:
            async with aiohttp.ClientSession() as http, http.post(
                f"{server}/webhooks/discord", data=body, headers={**headers, "Content-Type": "application/json"}
            ) as answer:
                text = await answer.text()
                return {"status": answer.status, "answer": text, "took": time.monotonic() - begun}
        except aiohttp.ClientError as error:
            return {"status": 0, "answer": repr(error), "took": time.monotonic() - begun}

    async def redeliver(self, id, server):
        return await self.deliver(self.delivered[id], server)

    async def ping(self, server, wrong=None):
        payload = {"id": str(self.backend.snowflake()), "type": 1, "version": 1, "token": "t"}
        return await self.deliver(payload, server, wrong)

    async def slash(self, user, channel, text=None, locale="en-US", server=None, wrong=None):
        command = self.backend.commands[None][("shop", 1)]
        options = [{"name": "text", "type": 3, "value": text}] if text else []
        data = {"id": command["id"], "name": "shop", "type": 1, "options": options}
        record, payload = self.interaction(2, user, channel, data, locale)
        told = await self.deliver(payload, server, wrong)
        return {**told, "id": str(record.id), "at": time.time()}

    async def press(self, user, channel, message, id, values=None, times=1, clicks=1, server=None, wrong=None, late=0):
        """The same press may be told more than once, and seconds late; a second click is another press."""
        if clicks > 1:
            click = lambda: self.press(user, channel, message, id, values, times, 1, server, wrong, late)
            return {"clicks": [await click() for _ in range(clicks)]}
        data = {"custom_id": id, "component_type": 3 if values else 2}
        if values:
            data["values"] = values
        record, payload = self.interaction(3, user, channel, data, "en-US")
        source = self.backend.get_message(int(channel), int(message))
        record.source_message_id = source.id
        payload["message"] = dict(serializers.message_payload(self.backend, source))
        await asyncio.sleep(late)
        for _ in range(times):
            told = await self.deliver(payload, server, wrong)
        return {**told, "id": str(record.id), "at": time.time()}

    def answered(self, id):
        record = self.backend.interactions[int(id)]
        message = record.message_id and self.backend.messages[record.channel_id].get(record.message_id)
        return {"responded": record.responded, "content": message.content if message else None}

    def shut(self, user):
        """Takes no direct messages any more."""
        self.peer.closed.add(int(user))

    def fault(self, method, path, times=1, **more):
        self.peer.faults.append({"method": method, "path": path, "times": times, **more})

    async def drop(self, code=None):
        """The connection is cut, or closed with a code."""
        cut = 0
        for session in self.peer.sessions.values():
            if session.socket is not None and not session.socket.closed:
                cut += 1
                if code is None:
                    session.socket._req.transport.abort()
                else:
                    await session.socket.close(code=code)
        return {"cut": cut}

    def forget(self):
        """No session can be resumed any more."""
        self.peer.sessions.clear()

    async def tell(self, op, d=None):
        """A payload of the gateway's own, such as 7 or 9."""
        for session in list(self.peer.sessions.values()):
            if session.socket is not None and not session.socket.closed:
                await session.socket.send_json({"op": op, "d": d, "s": None, "t": None})

    def again(self):
        """All that was told is told once more, backwards and with new numbers."""
        for session in self.peer.sessions.values():
            for message in reversed(list(session.kept)):
                if message["t"] == "MESSAGE_CREATE":
                    session.push(message["t"], message["d"])

    def set(self, **values):
        for name, value in values.items():
            if name not in ("is_deaf", "starts_left", "endpoint"):
                raise KeyError(name)
            setattr(self.peer, name, value)

    def state(self):
        peer = self.peer
        is_open = lambda s: s.socket is not None and not s.socket.closed
        return {
            "bot": str(self.backend.bot_user.id),
            "key": KEY.public_key().public_bytes_raw().hex(),
            "sessions": [{"seq": s.seq, "open": is_open(s)} for s in peer.sessions.values()],
            "identified": peer.identified,
            "resumed": peer.resumed,
            "heartbeats": peer.heartbeats,
            "commands": len(self.backend.commands.get(None, {})),
            "calls": peer.calls,
            "faults": peer.faults,
        }


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("token")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--no-content", action="store_true")
    parser.add_argument("--heartbeat", type=int, default=41_250)
    options = parser.parse_args()
    peer = Peer(options)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_get("/gateway/", peer.gateway)
    app.router.add_get("/gateway", peer.gateway)
    app.router.add_route("*", "/api/v10/{tail:.*}", peer.rest)
    app.router.add_post("/_sim/{act}", Acts(peer))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    options.port = site._server.sockets[0].getsockname()[1]
    print("listening", options.port, flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
