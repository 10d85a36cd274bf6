"""api.weixin.qq.com and the servers that deliver, for the tests, over real HTTP, with people who write to an official account.

Signing, encryption and the reading of replies are wechatpy's, so none of them is what we think of WeChat.
Waits, repetitions, quotas and return codes follow developers.weixin.qq.com.

    peer.py APP_ID SECRET TOKEN AES_KEY [--port N]

Prints `listening PORT`. People and faults come in at /_sim/{verify,text,image,voice,video,location,link,event,sealed,allow,limit,fault,clock,expire,forget_media,sent,state}.
"""

import asyncio
import collections
import json
import random
import secrets
import time

import aiohttp
import xmltodict
from aiohttp import web
from tencent import (
    ANSWER_S,
    ATTEMPTS,
    TEXT_BYTES_MAX,
    TOKEN_S,
    Refusal,
    Servers,
    arguments,
    check_text,
    serve,
    written,
)
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

ACCOUNT = "gh_7f083739789a"
# No manual names these: of a menu they are those of the same one in WeCom's customer service, of a graphic those of the drafts.
HEAD_BYTES_MAX, ITEMS_MAX, ID_BYTES_MAX, LABEL_BYTES_MAX = 1024, 10, 64, 128
TITLE_CHARS_MAX, DESCRIPTION_CHARS_MAX, URL_BYTES_MAX = 64, 120, 2048
OVERLAP_S = 300
# What a customer's act allows: so many messages in so many seconds.
QUOTAS = {"message": (5, 48 * 3600), "menu": (3, 60), "subscribe": (3, 60), "SCAN": (3, 60)}
SENT_KINDS = {"text", "image", "voice", "video", "music", "news", "msgmenu"}
BROKEN = "该公众号提供的服务出现故障，请稍后再试"


def signed(token, *words):
    signer = WeChatSigner()
    signer.add_data(token, *words)
    return signer.signature


class WeChat(Servers):
    def __init__(self, options):
        super().__init__(options)
        self.crypto = WeChatCrypto(options.token, options.aes_key, options.app_id)
        self.tokens, self.stable = {}, None
        self.next_id = 6_054_768_590_064_713_728
        self.quotas = collections.defaultdict(list)
        self.answered = {}
        self.text_bytes_max = TEXT_BYTES_MAX
        self.typing, self.deliveries = [], []

    # Deliveries: signed, encrypted where asked, three times where nobody answers.

    def query(self, **more):
        timestamp, nonce = str(int(self.now())), str(random.randint(10**8, 10**9))
        signature = signed(self.options.token, timestamp, nonce)
        return {"signature": signature, "timestamp": timestamp, "nonce": nonce, **more}

    async def verify(self, act):
        echo = str(random.getrandbits(60))
        query = self.query(echostr=echo)
        if act.get("forged"):
            query["signature"] = "0" * 40
        return await self.asked(act["url"], query, echo)

    def sealed(self, document, safe, raw=None, app_id=None):
        """The request of one delivery: its query and its body."""
        query = self.query(openid=document["FromUserName"])
        body = raw or written(document)
        if safe:
            options = self.options
            crypto = WeChatCrypto(options.token, options.aes_key, app_id or options.app_id)
            sealed = crypto.encrypt_message(body, query["nonce"], query["timestamp"])
            sealed = xmltodict.parse(sealed)["xml"]
            query.update(encrypt_type="aes", msg_signature=sealed["MsgSignature"])
            body = written({"ToUserName": document["ToUserName"], "Encrypt": sealed["Encrypt"]})
        return query, body

    async def deliver(self, url, document, act):
        safe, attempts = act.get("safe", False), act.get("attempts", ATTEMPTS)
        # How long each attempt waits for its answer; the last holds for those after it.
        patience = act.get("patience", [ANSWER_S])
        tried = []
        for attempt in range(attempts):
            query, body = self.sealed(document, safe)
            if act.get("tampered"):
                body = body.replace("A", "B", 1) if safe else body
                query["msg_signature"] = query.get("msg_signature", "") and "0" * 40
                query["signature"] = "0" * 40
            begun = time.monotonic()
            try:
                answer_s = patience[min(attempt, len(patience) - 1)]
                async with asyncio.timeout(answer_s):
                    tried.append(await self.posted(url, query, body, document, safe))
            except TimeoutError:
                tried.append({"shown": None, "timeout": True})
            except aiohttp.ClientError:
                tried.append({"shown": None, "broken": True})
                await asyncio.sleep(0.2)
            tried[-1]["ms"] = int((time.monotonic() - begun) * 1000)
            if not (tried[-1].get("timeout") or tried[-1].get("broken")):
                break
        else:
            tried.append({"shown": BROKEN, "error": "no answer"})
        self.deliveries.append(tried)
        seen = tried[-1]["shown"]
        key = (document["FromUserName"], document.get("MsgId") or document["CreateTime"])
        # Concurrent repetitions are one message to the customer, where they show the same.
        if seen and seen != BROKEN and self.answered.get(key) != seen:
            self.answered[key] = seen
            text = {"touser": key[0], "msgtype": "text", "text": {"content": seen}}
            self.sent.append({"at": self.now(), "inside_answer": True, **text})
        return tried

    async def posted(self, url, query, body, document, safe):
        headers = {"Content-Type": "text/xml"}
        # The client rounds its own patience up to a whole second: the caller's is exact.
        forever = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession() as http:
            async with http.post(
                url, params=query, data=body.encode(), headers=headers, timeout=forever
            ) as answer:
                return self.shown(answer.status, await answer.text(), document, safe)

    def shown(self, status, text, document, safe):
        """What the customer sees of an answer."""
        if status != 200:
            return {"shown": BROKEN, "error": f"status {status}", "status": status}
        if text in ("", "success"):
            return {"shown": None}
        try:
            reply = xmltodict.parse(text)["xml"]
            if safe:
                given = (reply["MsgSignature"], reply["TimeStamp"], reply["Nonce"])
                reply = xmltodict.parse(self.crypto.decrypt_message(text, *given))["xml"]
            elif "Encrypt" in reply:
                raise ValueError("encrypted, though it was asked in plain text")
            swapped = (document["FromUserName"], document["ToUserName"])
            if (reply["ToUserName"], reply["FromUserName"]) != swapped:
                raise ValueError("not to whom asked")
            int(reply["CreateTime"])
            if reply["MsgType"] != "text":
                raise ValueError(f"a {reply['MsgType']} is not expected here")
            if len(reply["Content"].encode()) > TEXT_BYTES_MAX:
                raise ValueError("Content is too long")
            return {"shown": reply["Content"]}
        except Exception as error:
            return {"shown": BROKEN, "error": repr(error)}

    def document(self, act, kind):
        self.next_id += 1
        document = {
            "ToUserName": ACCOUNT,
            "FromUserName": act["from"],
            "CreateTime": act.get("created", int(self.now())),
            "MsgType": kind,
        }
        if kind == "text":
            document["Content"] = act["text"]
        if kind in ("image", "voice"):
            document["MediaId"] = secrets.token_urlsafe(12)
        if kind == "image":
            document["PicUrl"] = "http://127.0.0.1/picture"
        if kind == "voice":
            document["Format"] = "amr"
        document.update(act.get("fields", {}))
        if kind == "event":
            document["Event"] = act["event"]
        else:
            document["MsgId"] = act.get("id", self.next_id)
        return document

    def allow(self, act, kind):
        who = act["from"]
        # A touch on a menu's line counts as one on the account's own menu.
        is_said = kind != "event" and "bizmsgmenuid" not in act.get("fields", {})
        if is_said:
            # Each message of a customer starts the count anew.
            self.quotas[who] = [q for q in self.quotas[who] if q["kind"] != "message"]
        elif act.get("event") == "unsubscribe":
            self.quotas.pop(who, None)
            return
        name = "message" if is_said else act.get("event", "menu")
        name = name if name in QUOTAS else "menu"
        count, seconds = QUOTAS[name]
        self.quotas[who].append({"kind": name, "left": count, "until": self.now() + seconds})

    # The API.

    def issue(self):
        token = secrets.token_urlsafe(48)
        self.tokens[token] = self.now() + TOKEN_S
        return token

    def stable_token(self, body):
        if body.get("grant_type") != "client_credential":
            raise Refusal(40002, "invalid grant_type")
        if body.get("appid") != self.options.app_id:
            raise Refusal(40013, "invalid appid")
        if body.get("secret") != self.options.secret:
            raise Refusal(40125, "invalid appsecret")
        left = self.tokens.get(self.stable, 0) - self.now()
        if left < OVERLAP_S or body.get("force_refresh"):
            if body.get("force_refresh"):
                self.tokens.pop(self.stable, None)
            self.stable, left = self.issue(), TOKEN_S
        return {"access_token": self.stable, "expires_in": int(left)}

    def check_token(self, request):
        token = request.query.get("access_token")
        if not token:
            raise Refusal(41001, "access_token missing")
        if token not in self.tokens:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
        if self.tokens[token] < self.now():
            raise Refusal(42001, "access_token expired")

    def send(self, body):
        who, kind = body.get("touser"), body.get("msgtype")
        if who not in self.quotas:
            raise Refusal(40003, "invalid openid")
        open_now = [quota for quota in self.quotas[who] if quota["until"] > self.now()]
        if not open_now:
            raise Refusal(45015, "response out of time limit or subscription is canceled")
        usable = [quota for quota in open_now if quota["left"] > 0]
        if not usable:
            raise Refusal(45047, "out of response count limit")
        if kind not in SENT_KINDS:
            raise Refusal(40008, "invalid message type")
        if kind == "text":
            check_text(body, self.text_bytes_max)
        if kind == "image" and body["image"]["media_id"] not in self.media:
            raise Refusal(40007, "invalid media_id")
        if kind == "news" and len(body["news"]["articles"]) != 1:
            raise Refusal(45008, "article size out of limit")
        if kind == "news":
            self.check_article(body["news"]["articles"][0])
        if kind == "msgmenu":
            self.check_menu(body["msgmenu"])
        usable[0]["left"] -= 1
        self.sent.append({"at": self.now(), **body})
        return {"errcode": 0, "errmsg": "ok"}

    @staticmethod
    def check_article(article):
        if not 0 < len(article["title"]) <= TITLE_CHARS_MAX:
            raise Refusal(45003, "title size out of limit")
        if len(article["description"]) > DESCRIPTION_CHARS_MAX:
            raise Refusal(45004, "description size out of limit")
        if len(article["url"].encode()) > URL_BYTES_MAX:
            raise Refusal(45005, "url size out of limit")

    @staticmethod
    def check_menu(menu):
        if len(menu["head_content"].encode()) > HEAD_BYTES_MAX:
            raise Refusal(45002, "content size out of limit")
        if not 0 < len(menu["list"]) <= ITEMS_MAX:
            raise Refusal(40035, "invalid parameter: list")
        for item in menu["list"]:
            fits = 0 < len(item["id"].encode()) <= ID_BYTES_MAX
            if not fits or not 0 < len(item["content"].encode()) <= LABEL_BYTES_MAX:
                raise Refusal(40035, "invalid parameter: item")

    def show_typing(self, body):
        if body.get("command") not in ("Typing", "CancelTyping"):
            raise Refusal(45072, "command should be Typing or CancelTyping")
        self.typing.append(body["touser"])
        return {"errcode": 0, "errmsg": "ok"}

    def quota(self, body):
        if body.get("cgi_path") != "/cgi-bin/message/custom/send":
            raise Refusal(76021, "cgi_path not found, please check")
        used = self.calls.count({"method": "message/custom/send"})
        return {"errcode": 0, "quota": {"daily_limit": 100_000, "used": used, "remain": 1}}

    async def api(self, request):
        name = request.match_info["name"]
        is_upload = name == "media/upload"
        raw = b"" if is_upload else await request.read()
        body = json.loads(raw or b"{}")
        self.called(name)
        try:
            # WeChat shows escapes as they are written.
            if b"\\u" in raw:
                raise Refusal(47001, "data format error")
            if name != "stable_token":
                self.check_token(request)
            for fault in [fault for fault in self.faults if fault["name"] == name][:1]:
                # So many calls are answered before it.
                if fault.get("skip"):
                    fault["skip"] -= 1
                    continue
                broken = await self.fail(fault, request, lambda: self.send(body))
                if broken is not None:
                    return broken
            if is_upload:
                return web.json_response(await self.upload(request))
            act = {
                "stable_token": self.stable_token,
                "message/custom/send": self.send,
                "message/custom/typing": self.show_typing,
                "openapi/quota/get": self.quota,
            }[name]
            return web.json_response(act(body))
        except Refusal as refusal:
            errmsg = f"{refusal.reason} rid: {secrets.token_hex(4)}"
            return web.json_response({"errcode": refusal.code, "errmsg": errmsg})

    # What the tests do.

    async def act(self, name, act):
        if name == "verify":
            return await self.verify(act)
        if name in ("text", "image", "voice", "video", "location", "link", "event"):
            document = self.document(act, name)
            if act.get("allow", True):
                self.allow(act, name)
            return await self.deliver(act["url"], document, act)
        if name == "sealed":
            document = self.document(act, "text")
            more = act.get("raw"), act.get("app_id")
            query, body = self.sealed(document, act.get("safe", False), *more)
            return {"query": query, "body": body}
        if name == "allow":
            self.allow(act, "text")
        elif name == "limit":
            self.text_bytes_max = act["text_bytes"]
        elif name == "expire":
            self.tokens = {token: self.now() - 1 for token in self.tokens}
        else:
            return None
        return {}

    def state(self):
        return {
            "typing": self.typing,
            "calls": self.calls,
            "deliveries": self.deliveries,
            "faults": self.faults,
        }


peer = WeChat(arguments("app_id").parse_args())
asyncio.run(serve(peer, web.post("/cgi-bin/{name:.+}", peer.api)))
