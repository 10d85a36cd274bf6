"""A Bot API server for the tests, over real HTTP, with people who write to the bot.

Requests and updates are checked by aiogram's generated classes, so neither is what we think of the Bot API.
Delivery, long polling, conflicts, refusals and their words follow the official server, github.com/tdlib/telegram-bot-api.

    peer.py TOKEN [--port N] [--flood N] [--time-scale F]

Prints `listening PORT`. People and faults come in at /_sim/{message,press,replay,fault,block,migrate,sent,state}.
"""

import argparse
import asyncio
import collections
import json
import re
import time

import aiogram.methods
import aiogram.types
import aiohttp
from aiohttp import web
from pydantic import ValidationError

METHODS = {
    name.lower(): method
    for name, method in vars(aiogram.methods).items()
    if isinstance(method, type) and hasattr(method, "__api_method__")
}
TEXT_MAX, CAPTION_MAX, BUTTON_BYTES_MAX = 4096, 1024, 64
KEPT_S, PRESS_KEPT_S = 86_400, 150
RETRY_S_MAX = 60


class Refusal(Exception):
    def __init__(self, code, description, **parameters):
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad(description):
    return Refusal(400, f"Bad Request: {description}")


def units(text):
    return len(text.encode("utf-16-le")) // 2


def parsed(value):
    return json.loads(value) if isinstance(value, str) else value


class Peer:
    def __init__(self, options):
        self.options = options
        self.id = int(options.token.split(":")[0])
        self.updates = collections.OrderedDict()
        self.next_update, self.next_message, self.next_press = 1000, 1, 1
        self.arrived = asyncio.Event()
        self.poll = None
        self.hook, self.queues, self.last_error = None, {}, None
        self.messages, self.presses = {}, {}
        self.blocked, self.moved = set(), {}
        self.calls, self.faults, self.deliveries = [], [], []
        self.sent_at = collections.defaultdict(collections.deque)

    def me(self):
        names = "can_join_groups can_read_all_group_messages supports_inline_queries can_connect_to_business has_main_web_app has_topics_enabled allows_users_to_create_topics can_manage_bots"
        rights = {name: name == "can_join_groups" for name in names.split()}
        return {**self.as_user(), **rights}

    def as_user(self):
        return {"id": self.id, "is_bot": True, "first_name": "Sales", "username": "sales_test_bot"}

    def chat(self, id):
        if id > 0:
            return {"id": id, "type": "private", "first_name": f"U{id}"}
        return {"id": id, "type": "supergroup", "title": "Group"}

    # Updates: kept for a day, pushed to the webhook or pulled.

    def happened(self, kind, what, kept_s=KEPT_S):
        number, self.next_update = self.next_update, self.next_update + 1
        update = {"update_id": number, kind: what}
        aiogram.types.Update.model_validate(update)
        self.add(update, time.time() + kept_s)
        return number

    def add(self, update, until):
        self.updates[update["update_id"]] = (until, update)
        self.arrived.set()
        if self.hook:
            self.enqueue(update, until)

    def enqueue(self, update, until):
        """One queue a chat, of presses one a person; one update of a queue is under way at a time."""
        press = update.get("callback_query")
        message = update.get("message") or update.get("edited_message")
        key = ("press", press["from"]["id"]) if press else message["chat"]["id"]
        queue = self.queues.setdefault(key, collections.deque())
        queue.append((update, until))
        if len(queue) == 1:
            asyncio.ensure_future(self.deliver(queue))

    async def deliver(self, queue):
        async with aiohttp.ClientSession() as http:
            while queue and self.hook:
                update, until = queue[0]
                fails = 0
                while self.hook:
                    wait = await self.delivered(http, update, fails)
                    fails += 1
                    if wait is None or time.time() + wait > until:
                        break
                    await asyncio.sleep(wait * self.options.time_scale)
                self.updates.pop(update["update_id"], None)
                queue.popleft()

    async def delivered(self, http, update, fails):
        """None when it was taken, else the wait: at once, then 2, 4, 8 … seconds, or what Retry-After says."""
        status, retry_after, body = 0, 0, ""
        secret = self.hook["secret"]
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        try:
            limit = aiohttp.ClientTimeout(total=20)
            async with http.post(self.hook["url"], json=update, headers=headers, timeout=limit) as answer:
                status, body = answer.status, await answer.text()
                retry_after = int(answer.headers.get("Retry-After", 0))
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            self.last_error = f"Connection error: {type(error).__name__}"
        self.deliveries.append({"update_id": update["update_id"], "status": status})
        if 200 <= status < 300:
            await self.inside_answer(body)
            return None
        if status:
            self.last_error = f"Wrong response from the webhook: {status}"
        return retry_after or (0 if fails == 0 else min(2**fails, RETRY_S_MAX))

    async def inside_answer(self, body):
        """A method in the answer is called; nobody hears what comes of it."""
        method = json.loads(body) if body else {}
        if "method" in method:
            try:
                await self.call(method.pop("method").lower(), method)
            except Refusal:
                pass

    async def get_updates(self, args):
        if self.hook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
        offset, limit = int(args.get("offset") or 0), int(args.get("limit") or 100)
        until = time.time() + min(int(args.get("timeout") or 0), 50)
        for number in [n for n, (kept, _) in self.updates.items() if n < offset or kept < time.time()]:
            self.updates.pop(number)
        if self.poll and not self.poll.done():
            self.poll.set_exception(Refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"))
        poll = self.poll = asyncio.get_running_loop().create_future()
        try:
            while True:
                found = [update for n, (_, update) in self.updates.items() if n >= offset][:limit]
                if found or time.time() >= until:
                    return found
                self.arrived.clear()
                arrived = asyncio.ensure_future(self.arrived.wait())
                left = max(0, until - time.time())
                await asyncio.wait({arrived, poll}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                arrived.cancel()
                if poll.done():
                    poll.result()
        finally:
            if self.poll is poll:
                self.poll = None

    # Methods of the Bot API.

    async def request(self, request):
        name = request.match_info["method"].lower()
        if request.match_info["token"] != self.options.token:
            return self.refused(Refusal(401, "Unauthorized"))
        if request.content_type == "application/json":
            args = await request.json() if request.can_read_body else {}
        else:
            args = dict(await request.post())
        fault = next((f for f in self.faults if f["times"] > 0 and f["method"].lower() == name), None)
        try:
            if fault:
                fault["times"] -= 1
                fault["at"] = time.time()
                if fault.get("after"):
                    await self.call(name, args)
                if fault.get("hang"):
                    await asyncio.sleep(fault["hang"])
                if fault.get("cut"):
                    request.transport.abort()
                    return web.Response()
                if fault.get("page"):
                    return web.Response(status=fault["code"], text=fault["page"], content_type="text/html")
                raise Refusal(fault["code"], fault["description"], **fault.get("parameters", {}))
            return web.json_response({"ok": True, "result": await self.call(name, args)})
        except Refusal as refusal:
            return self.refused(refusal)

    def refused(self, refusal):
        body = {"ok": False, "error_code": refusal.code, "description": refusal.description}
        if refusal.parameters:
            body["parameters"] = refusal.parameters
        return web.json_response(body, status=refusal.code)

    def checked(self, name, args):
        method = METHODS.get(name)
        if method is None:
            raise Refusal(404, "Not Found: method not found")
        known = {}
        for key, value in args.items():
            field = method.model_fields.get(key)
            if field is None or value is None:
                continue
            is_text = "str" in str(field.annotation).split("|")[0]
            if isinstance(value, str) and not is_text and value[:1] in "[{-0123456789tf":
                value = json.loads(value)
            known[key] = value
        try:
            method.model_validate(known)
        except ValidationError as error:
            raise bad(f"{error.errors()[0]['loc']} {error.errors()[0]['msg']}") from None
        return known

    async def call(self, name, args):
        args = self.checked(name, args)
        self.calls.append({"method": name, "args": args, "at": time.time()})
        if name == "getme":
            return self.me()
        if name == "getupdates":
            return await self.get_updates(args)
        if name == "setwebhook":
            return self.set_webhook(args)
        if name == "deletewebhook":
            self.hook = None
            return True
        if name == "getwebhookinfo":
            info = {"url": self.hook["url"] if self.hook else "", "has_custom_certificate": False, "pending_update_count": len(self.updates)}
            return {**info, **({"last_error_message": self.last_error, "last_error_date": int(time.time())} if self.last_error else {})}
        if name == "answercallbackquery":
            if self.presses.pop(str(args["callback_query_id"]), 0) < time.time():
                raise bad("query is too old and response timeout expired or query ID is invalid")
            return True
        if name == "sendchataction":
            return True
        if name in ("sendmessage", "sendphoto"):
            return self.send(name, args)
        raise Refusal(404, "Not Found: method not found")

    def set_webhook(self, args):
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", args.get("secret_token") or ""):
            raise bad("secret token contains unallowed characters")
        self.hook = {"url": args["url"], "secret": args.get("secret_token")}
        self.queues = {}
        if self.poll and not self.poll.done():
            self.poll.set_exception(Refusal(409, "Conflict: terminated by setWebhook request"))
        for until, update in list(self.updates.values()):
            self.enqueue(update, until)
        return True

    def send(self, name, args):
        chat = int(args["chat_id"])
        if chat in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if chat in self.moved:
            raise Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=self.moved[chat])
        self.flood(chat)
        message = {"message_id": self.next_message, "from": self.as_user(), "chat": self.chat(chat), "date": int(time.time())}
        if args.get("message_thread_id"):
            message.update(message_thread_id=int(args["message_thread_id"]), is_topic_message=True)
        is_text = name == "sendmessage"
        text = args.get("text" if is_text else "caption") or ""
        if is_text and not text.strip():
            raise bad("message text is empty")
        if units(text) > (TEXT_MAX if is_text else CAPTION_MAX):
            raise bad("message is too long" if is_text else "message caption is too long")
        entities = parsed(args.get("entities" if is_text else "caption_entities")) or []
        self.check_entities(text, entities)
        message["text" if is_text else "caption"] = text
        if not is_text:
            if not str(args["photo"]).startswith(("http://", "https://")):
                raise bad("wrong file identifier/HTTP URL specified")
            message["photo"] = [{"file_id": f"P{self.next_message}", "file_unique_id": f"p{self.next_message}", "width": 90, "height": 90}]
        keyboard = parsed(args.get("reply_markup"))
        if keyboard:
            for button in (button for row in keyboard["inline_keyboard"] for button in row):
                if not 1 <= len(button["callback_data"].encode()) <= BUTTON_BYTES_MAX:
                    raise bad("BUTTON_DATA_INVALID")
            message["reply_markup"] = keyboard
        aiogram.types.Message.model_validate(message)
        message["entities"] = entities
        self.messages[(chat, self.next_message)] = message
        self.next_message += 1
        return {key: value for key, value in message.items() if key != "entities"}

    def check_entities(self, text, entities):
        """Offsets count UTF-16 units, and none falls into the middle of a character."""
        borders, at = {0}, 0
        for character in text:
            at += units(character)
            borders.add(at)
        if text != text.strip() and entities:
            raise bad("the tests want texts without blanks at their ends: entities would move")
        for entity in entities:
            begin, end = entity["offset"], entity["offset"] + entity["length"]
            if begin not in borders or end not in borders or begin == end:
                raise bad(f"entity beginning at UTF-16 offset {begin} ends after the end of the text or inside a symbol")

    def flood(self, chat):
        if not self.options.flood:
            return
        sent = self.sent_at[chat]
        while sent and sent[0] < time.time() - 1:
            sent.popleft()
        if len(sent) >= self.options.flood:
            raise Refusal(429, "Too Many Requests: retry after 1", retry_after=1)
        sent.append(time.time())

    # People, and what the test wants to go wrong.

    def person(self, asked):
        return {"id": asked["from"], "is_bot": False, "first_name": "U", "language_code": asked.get("language", "zh-hans")}

    async def sim(self, request):
        asked = await request.json() if request.can_read_body else {}
        return web.json_response(getattr(self, "sim_" + request.match_info["act"])(asked))

    def sim_message(self, asked):
        chat = asked.get("chat", asked["from"])
        message = {"message_id": self.next_message, "from": self.person(asked), "chat": self.chat(chat), "date": int(time.time()), **asked.get("with", {})}
        if "text" in asked:
            message["text"] = asked["text"]
            if asked["text"].startswith("/"):
                message["entities"] = [{"type": "bot_command", "offset": 0, "length": units(asked["text"].split()[0])}]
        self.next_message += 1
        self.messages[(chat, message["message_id"])] = message
        kind = "edited_message" if asked.get("edited") else "message"
        if asked.get("edited") and not asked.get("hidden"):
            message["edit_date"] = int(time.time())
        number = self.happened(kind, message)
        return {"update_id": number, "message_id": message["message_id"], "update": {"update_id": number, kind: message}}

    def sim_press(self, asked):
        message = self.messages[(asked.get("chat", asked["from"]), asked["message_id"])]
        message = {key: value for key, value in message.items() if key != "entities"}
        id, self.next_press = str(9000 + self.next_press), self.next_press + 1
        self.presses[id] = time.time() + asked.get("waits", 15)
        press = {"id": id, "from": self.person(asked), "message": message, "chat_instance": "1", "data": asked["data"]}
        return {"update_id": self.happened("callback_query", press, PRESS_KEPT_S), "id": id}

    def sim_replay(self, asked):
        self.add(asked["update"], time.time() + KEPT_S)
        return {}

    def sim_fault(self, asked):
        self.faults.append({"times": 1, **asked})
        return {}

    def sim_block(self, asked):
        self.blocked.add(asked["chat"])
        return {}

    def sim_migrate(self, asked):
        """Both chats are told of it before anything else of the new one, but for a bot that hears nothing."""
        old, new = asked["chat"], asked["to"]
        self.moved[old] = new
        for chat, told in [(old, {"migrate_to_chat_id": new}), (new, {"migrate_from_chat_id": old})]:
            message = {"message_id": self.next_message, "chat": self.chat(chat), "from": self.person({"from": 90}), "date": int(time.time()), **told}
            self.next_message += 1
            if not asked.get("silent"):
                self.happened("message", message)
        return {}

    def sim_sent(self, asked):
        to = int(asked["to"])
        return [m for (chat, _), m in self.messages.items() if chat == to and m["from"]["is_bot"]]

    def sim_state(self, _asked):
        return {
            "calls": self.calls,
            "messages": list(self.messages.values()),
            "deliveries": self.deliveries,
            "pending": list(self.updates),
            "presses": list(self.presses),
            "faults": self.faults,
            "hook": self.hook,
        }


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("token")
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--flood", type=int, default=0, help="messages a second and chat; 0 for any number")
    arguments.add_argument("--time-scale", type=float, default=0.1)
    peer = Peer(arguments.parse_args())
    app = web.Application()
    app.router.add_post("/bot{token:[^/]+}/{method}", peer.request)
    app.router.add_post("/_sim/{act}", peer.sim)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", peer.options.port)
    await site.start()
    print("listening", site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
