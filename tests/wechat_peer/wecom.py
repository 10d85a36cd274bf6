"""qyapi.weixin.qq.com and the servers that call back, for the tests, over real HTTP, with customers of WeCom customer service and people at its desk.

Signing and encryption are wechatpy's, so none of them is what we think of WeCom.
States, windows, quotas and return codes follow developer.work.weixin.qq.com (微信客服).

    wecom.py CORP_ID SECRET TOKEN AES_KEY [--page N] [--no-desk] [--port N]

Prints `listening PORT`. People and faults come in at /_sim/{verify,say,enter,take,desk_say,end,fail,gap,nudge,fault,clock,expire,allow,desk,unmanaged,forget_media,sent,state}.
"""

import asyncio
import base64
import json
import random
import re
import secrets

import aiohttp
import xmltodict
from aiohttp import web
from tencent import (
    ANSWER_S,
    ATTEMPTS,
    TOKEN_S,
    Refusal,
    Servers,
    arguments,
    check_text,
    serve,
    written,
)
from wechatpy.enterprise.crypto import WeChatCrypto

ACCOUNTS = {"wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q": "山岚客服", "wkB": "Ridge Office"}
PULL_TOKEN_S, WELCOME_S, WINDOW_S = 600, 20, 48 * 3600
MESSAGES_MAX = 5
HEAD_BYTES_MAX, ITEMS_MAX = 1024, 10
TITLE_BYTES_MAX, DESCRIPTION_BYTES_MAX, URL_BYTES_MAX = 128, 512, 2048
FRESH, AGENT, POOL, PERSON, ENDED = range(5)
NEXT = {
    FRESH: {AGENT, POOL, PERSON, ENDED},
    AGENT: {AGENT, POOL, PERSON, ENDED},
    POOL: {POOL, PERSON, ENDED},
    PERSON: {PERSON, ENDED},
    ENDED: set(),
}


class WeCom(Servers):
    def __init__(self, options):
        super().__init__(options)
        self.crypto = WeChatCrypto(options.token, options.aes_key, options.corp_id)
        self.token = (None, 0)
        self.issued = 0
        self.pull_tokens, self.welcomes = {}, {}
        self.logs = {account: [] for account in ACCOUNTS}
        self.gaps = {account: 0 for account in ACCOUNTS}
        self.sessions = {}
        self.read_to = {account: 0 for account in ACCOUNTS}
        self.servicers = [] if options.no_desk else ["zhang"]
        self.resting = False
        self.unmanaged = []
        self.ids = set()
        self.pulls = []

    # Callbacks: they tell that something happened on an account, never what.

    def signed(self, text):
        timestamp, nonce = str(int(self.now())), str(random.randint(10**8, 10**9))
        sealed = xmltodict.parse(self.crypto.encrypt_message(text, nonce, timestamp))["xml"]
        query = {"msg_signature": sealed["MsgSignature"], "timestamp": timestamp, "nonce": nonce}
        return query, sealed["Encrypt"]

    async def verify(self, act):
        echo = str(random.getrandbits(60))
        query, encrypted = self.signed(echo)
        query["echostr"] = encrypted
        if act.get("forged"):
            query["msg_signature"] = "0" * 40
        return await self.asked(act["url"], query, echo)

    async def call_back(self, account, act):
        """As often as asked, and with what was asked wrong about it."""
        if "url" not in act:
            return []
        token = secrets.token_hex(16)
        self.pull_tokens[token] = self.now() + PULL_TOKEN_S
        document = {
            "ToUserName": self.options.corp_id,
            "CreateTime": int(self.now()),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token,
            "OpenKfId": account,
        }
        query, encrypted = self.signed(written(document))
        if act.get("forged"):
            query["msg_signature"] = "0" * 40
        if act.get("tampered"):
            encrypted = encrypted[:40] + ("A" if encrypted[40] != "A" else "B") + encrypted[41:]
        body = written(
            {"ToUserName": self.options.corp_id, "Encrypt": encrypted, "AgentID": "1000002"}
        )
        return [
            await self.post(act["url"], query, body.encode())
            for _ in range(act.get("callbacks", 1))
        ]

    async def post(self, url, query, body):
        """Three times in all where nobody answers; 0 where nobody did."""
        status = 0
        for _ in range(ATTEMPTS):
            try:
                # The client rounds a patience of its own up to a whole second.
                forever = aiohttp.ClientTimeout(total=None)
                async with asyncio.timeout(ANSWER_S), aiohttp.ClientSession() as http:
                    async with http.post(url, params=query, data=body, timeout=forever) as answer:
                        status = answer.status
            except (aiohttp.ClientError, TimeoutError):
                status = 0
            if status and status < 500:
                break
            await asyncio.sleep(0.2)
        return status

    # What happens on an account.

    def session(self, account, user):
        fresh = {"state": ENDED, "left": 0, "until": 0, "servicer": ""}
        return self.sessions.setdefault(f"{account}.{user}", fresh)

    def log(self, act, origin, **fields):
        account = act.get("account", next(iter(ACCOUNTS)))
        message = {
            "msgid": act.get("id") or secrets.token_hex(12),
            "send_time": act.get("sent", int(self.now())),
            "origin": origin,
            **fields,
        }
        self.logs[account].append(message)
        return account, message["msgid"]

    def said(self, act):
        user, kind = act["from"], act.get("kind", "text")
        account = act.get("account", next(iter(ACCOUNTS)))
        session = self.session(account, user)
        if session["state"] == ENDED:
            session["state"] = FRESH
        session.update(left=MESSAGES_MAX, until=self.now() + WINDOW_S)
        content = act.get("fields", {})
        if kind == "text":
            content = {"content": act["text"], **content}
        # More than anybody reads, so that a page gets long.
        content = {**content, **({"more": "x" * act["pad"]} if "pad" in act else {})}
        about = {"open_kfid": account, "external_userid": user}
        return self.log(act, 3, **about, msgtype=kind, **{kind: content})

    def event(self, act, kind, **fields):
        account = act.get("account", next(iter(ACCOUNTS)))
        about = {"event_type": kind, "open_kfid": account, **fields}
        return self.log(act, 4, msgtype="event", event=about)

    def entered(self, act):
        code = secrets.token_hex(8) if act.get("code", True) else ""
        self.welcomes[code] = self.now() + WELCOME_S
        about = {"external_userid": act["from"], "scene": act.get("scene", "")}
        about["scene_param"] = act.get("scene_param", "")
        return self.event(act, "enter_session", **about, welcome_code=code)

    def taken(self, act):
        account = act.get("account", next(iter(ACCOUNTS)))
        session, servicer = self.session(account, act["from"]), act.get("servicer", "zhang")
        session.update(state=PERSON, servicer=servicer)
        if act.get("silent"):
            return account, ""
        return self.changed(act, 1, "", servicer)

    def changed(self, act, kind, before, now):
        about = {"external_userid": act["from"], "change_type": kind, "msg_code": secrets.token_hex(8)}
        about.update(old_servicer_userid=before, new_servicer_userid=now)
        return self.event(act, "session_status_change", **about)

    def ended(self, act):
        account = act.get("account", next(iter(ACCOUNTS)))
        session = self.session(account, act["from"])
        before, session["servicer"], session["state"] = session["servicer"], "", ENDED
        return self.changed(act, 3, before, "")

    def desk_said(self, act):
        account = act.get("account", next(iter(ACCOUNTS)))
        about = {"open_kfid": account, "external_userid": act["from"]}
        about["servicer_userid"] = self.session(account, act["from"])["servicer"] or "zhang"
        return self.log(act, 5, **about, msgtype="text", text={"content": act["text"]})

    # The API.

    def gettoken(self, request):
        if request.query.get("corpid") != self.options.corp_id:
            raise Refusal(40013, "invalid corpid")
        if request.query.get("corpsecret") != self.options.secret:
            raise Refusal(40001, "invalid credential")
        if self.token[1] < self.now():
            self.token = (secrets.token_urlsafe(48), self.now() + TOKEN_S)
            self.issued += 1
        return {"access_token": self.token[0], "expires_in": int(self.token[1] - self.now())}

    def check_token(self, request):
        token = request.query.get("access_token")
        if not token:
            raise Refusal(41001, "access_token missing")
        if token != self.token[0]:
            raise Refusal(40014, "invalid access_token")
        if self.token[1] < self.now():
            raise Refusal(42001, "access_token expired")

    def account(self, body):
        account = body.get("open_kfid")
        if account not in self.logs:
            raise Refusal(95000, "invalid open_kfid")
        return account

    def accounts(self, body):
        listed = [
            {"open_kfid": id, "name": name, "manage_privilege": id not in self.unmanaged}
            for id, name in ACCOUNTS.items()
        ]
        offset = body.get("offset", 0)
        return {"account_list": listed[offset : offset + body.get("limit", 100)]}

    def receiving(self, request):
        self.account({"open_kfid": request.query.get("open_kfid")})
        status = int(self.resting)
        return {"servicer_list": [{"userid": id, "status": status} for id in self.servicers]}

    def pull(self, body):
        account = self.account(body)
        token = body.get("token")
        if token is not None and self.pull_tokens.get(token, 0) < self.now():
            raise Refusal(95007, "invalid msgtoken")
        log, cursor = self.logs[account], body.get("cursor")
        start = int(base64.b64decode(cursor).decode().split(".")[0]) if cursor else 0
        # Asked for what comes behind, the shop has what came before.
        self.read_to[account] = max(self.read_to[account], start)
        gap = self.gaps[account] > 0 and start < len(log)
        self.gaps[account] -= gap
        count = 0 if gap else min(body.get("limit", 1000), 1000, self.options.page)
        page = log[start : start + count]
        end = start + len(page)
        self.pulls.append(
            {
                "account": account,
                "token": token is not None,
                "messages": len(page),
                "limit": body.get("limit", 1000),
            }
        )
        mark = f"{end}.{self.gaps[account] if gap else ''}"
        return {
            "next_cursor": base64.b64encode(mark.encode()).decode(),
            "has_more": int(end < len(log)),
            "msg_list": page,
        }

    @staticmethod
    def check_item(item):
        content = item.get(item.get("type"), {})
        if item["type"] == "click":
            fits = len(content["id"].encode()) <= 64 and len(content["content"].encode()) <= 128
        elif item["type"] == "view":
            is_address = content["url"].startswith(("http://", "https://"))
            fits = is_address and len(content["url"].encode()) <= URL_BYTES_MAX
            fits = fits and len(content["content"].encode()) <= 1024
        else:
            fits = False
        if not fits or not content["content"]:
            raise Refusal(40058, "invalid menu item")

    def check_content(self, body, is_welcome=False):
        kind, id = body.get("msgtype"), body.get("msgid")
        if id and not re.fullmatch(r"[0-9a-zA-Z_-]{1,32}", id):
            raise Refusal(40058, "invalid msgid")
        if id in self.ids:
            raise Refusal(40058, "msgid is not unique")
        if kind == "text":
            check_text(body)
        elif kind == "msgmenu":
            menu = body["msgmenu"]
            if len(menu.get("head_content", "").encode()) > HEAD_BYTES_MAX:
                raise Refusal(45002, "content size out of limit")
            if len(menu["list"]) > ITEMS_MAX:
                raise Refusal(95008, "menu item count limit")
            for item in menu["list"]:
                self.check_item(item)
        elif kind == "link" and not is_welcome:
            link = body["link"]
            if link.get("thumb_media_id") not in self.media:
                raise Refusal(40007, "invalid media_id")
            # WeCom itself would cut them short.
            lengths = (("title", TITLE_BYTES_MAX), ("desc", DESCRIPTION_BYTES_MAX), ("url", URL_BYTES_MAX))
            for name, most in lengths:
                if len(link[name].encode()) > most or not (link["title"] and link["url"]):
                    raise Refusal(40058, f"invalid {name}")
        else:
            raise Refusal(40008, "invalid message type")

    def taken_in(self, body, **more):
        id = body.get("msgid") or secrets.token_hex(16)
        self.ids.add(id)
        self.sent.append({"at": self.now(), **more, **body})
        return {"msgid": id}

    def send(self, body):
        account = self.account(body)
        session = self.session(account, body["touser"])
        if session["state"] not in (FRESH, AGENT):
            raise Refusal(95018, "send msg session status invalid")
        if session["until"] < self.now():
            raise Refusal(95002, "send msg session expired")
        if session["left"] <= 0:
            raise Refusal(95001, "send msg count limit")
        self.check_content(body)
        session["left"] -= 1
        return self.taken_in(body, state=session["state"])

    def send_on_event(self, body):
        if self.welcomes.pop(body.get("code"), 0) < self.now():
            raise Refusal(40096, "invalid code")
        self.check_content(body, is_welcome=True)
        return self.taken_in(body)

    def service_state(self, body):
        session = self.session(self.account(body), body["external_userid"])
        return {"service_state": session["state"], "servicer_userid": session["servicer"]}

    def move(self, body):
        session = self.session(self.account(body), body["external_userid"])
        to = body["service_state"]
        if session["state"] == ENDED:
            raise Refusal(95013, "conversation is ended")
        if to not in NEXT[session["state"]]:
            raise Refusal(95016, "not allowed session status transition")
        if to == POOL and not self.servicers:
            raise Refusal(95014, "no servicer to receive it")
        session["state"] = to
        return {"msg_code": secrets.token_hex(8)}

    async def upload(self, request):
        return {**await super().upload(request), "created_at": str(int(self.now()))}

    @staticmethod
    def fits(fault, name, body):
        if fault.get("without_token") and "token" in body:
            return False
        return fault["name"] == name and fault.get("account") in (None, body.get("open_kfid"))

    async def api(self, request):
        name = request.match_info["name"]
        is_upload = name == "media/upload"
        body = {} if is_upload else json.loads(await request.read() or b"{}")
        self.called(name)
        act = {
            "kf/account/list": self.accounts,
            "kf/servicer/list": lambda _: self.receiving(request),
            "kf/sync_msg": self.pull,
            "kf/send_msg": self.send,
            "kf/send_msg_on_event": self.send_on_event,
            "kf/service_state/get": self.service_state,
            "kf/service_state/trans": self.move,
        }
        try:
            if name == "gettoken":
                return web.json_response({"errcode": 0, "errmsg": "ok", **self.gettoken(request)})
            self.check_token(request)
            for fault in [fault for fault in self.faults if self.fits(fault, name, body)][:1]:
                broken = await self.fail(fault, request, lambda: act[name](body))
                if broken is not None:
                    return broken
            told = await self.upload(request) if is_upload else act[name](body)
            return web.json_response({"errcode": 0, "errmsg": "ok", **told})
        except Refusal as refusal:
            return web.json_response({"errcode": refusal.code, "errmsg": refusal.reason})

    # What the tests do.

    async def act(self, name, act):
        happenings = {
            "say": self.said,
            "enter": self.entered,
            "take": self.taken,
            "desk_say": self.desk_said,
            "end": self.ended,
        }
        if name in happenings:
            account, id = happenings[name](act)
            return {"id": id, "statuses": await self.call_back(account, act)}
        if name == "verify":
            return await self.verify(act)
        if name == "nudge":
            account = act.get("account", next(iter(ACCOUNTS)))
            return {"statuses": await self.call_back(account, act)}
        if name == "fail":
            about = {"external_userid": act["from"], "fail_msgid": act["msgid"]}
            account, _ = self.event(act, "msg_send_fail", **about, fail_type=act["type"])
            return {"statuses": await self.call_back(account, act)}
        if name == "gap":
            self.gaps[act.get("account", next(iter(ACCOUNTS)))] += act.get("times", 1)
        elif name == "expire":
            self.token = (self.token[0], self.now() - 1)
        elif name == "allow":
            account = act.get("account", next(iter(ACCOUNTS)))
            session = self.session(account, act["from"])
            session["left"] = act["left"]
            # As if they had written.
            if act.get("open"):
                session.update(state=FRESH, until=self.now() + WINDOW_S)
        elif name == "desk":
            self.servicers = act.get("servicers", self.servicers)
            self.resting = act.get("resting", False)
        elif name == "unmanaged":
            self.unmanaged = act["accounts"]
        else:
            return None
        return {}

    def state(self):
        return {
            "faults": self.faults,
            "calls": self.calls,
            "pulls": self.pulls,
            "sessions": self.sessions,
            "tokens": self.issued,
            "unread": sum(len(log) - self.read_to[id] for id, log in self.logs.items()),
        }


parser = arguments("corp_id")
parser.add_argument("--page", type=int, default=1000)
parser.add_argument("--no-desk", action="store_true")
peer = WeCom(parser.parse_args())
asyncio.run(serve(peer, web.route("*", "/cgi-bin/{name:.+}", peer.api)))
