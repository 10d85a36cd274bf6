// How it looks; a page themes it through custom properties on the element.

export const STYLE = `
:host{all:initial;--a:var(--tiansheng-accent,#8a4b22);--on:var(--tiansheng-on-accent,#fff);--at:var(--tiansheng-accent-text,var(--a));--r:var(--tiansheng-radius,16px);
--bg:var(--tiansheng-background,#fffdfa);--fg:var(--tiansheng-text,#26211c);--soft:var(--tiansheng-soft,#f4efe8);--line:var(--tiansheng-line,#e5dccf);--dim:#6c6257;
font:15px/1.55 var(--tiansheng-font,system-ui,-apple-system,"Segoe UI","PingFang SC","Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC",sans-serif);color:var(--fg)}
@media(prefers-color-scheme:dark){:host{--bg:var(--tiansheng-background-dark,#1d1a17);--fg:var(--tiansheng-text-dark,#f1ebe3);--soft:#2b2621;--line:#40382f;--dim:#b9ad9f;--a:var(--tiansheng-accent-dark,#d08a52);--on:var(--tiansheng-on-accent-dark,#1d1a17);--at:var(--tiansheng-accent-text-dark,var(--a))}}
*{box-sizing:border-box;margin:0;font:inherit;color:inherit}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
button{cursor:pointer;border:0;background:none;padding:0}
:focus-visible{outline:3px solid var(--at);outline-offset:2px;border-radius:8px}
svg{width:24px;height:24px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.launch{position:fixed;z-index:2147483000;right:max(20px,env(safe-area-inset-right));bottom:max(20px,env(safe-area-inset-bottom));width:60px;height:60px;border-radius:50%;background:var(--a);color:var(--on);display:grid;place-items:center;box-shadow:0 8px 28px rgb(50 30 10/.28);transition:transform .18s}
.launch:hover{transform:translateY(-2px)}
.launch:focus-visible{border-radius:50%;outline-offset:4px}
:host([data-position=left]) .launch,:host([data-position=left]) .panel{right:auto;left:max(20px,env(safe-area-inset-left))}
.unread{position:absolute;top:-4px;right:-4px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;background:#b3261e;color:#fff;font-size:12px;line-height:22px;font-weight:600;text-align:center}
.panel{position:fixed;z-index:2147483001;right:max(20px,env(safe-area-inset-right));bottom:max(20px,env(safe-area-inset-bottom));width:min(400px,calc(100vw - 40px));height:min(680px,calc(100dvh - 40px));display:flex;flex-direction:column;background:var(--bg);color:var(--fg);border:1px solid var(--line);border-radius:calc(var(--r) + 4px);box-shadow:0 24px 64px rgb(50 30 10/.24);overflow:hidden;animation:rise .22s ease-out}
.panel.still{animation:none}
[hidden]{display:none!important}
@keyframes rise{from{opacity:0;transform:translateY(14px)}}
.head{display:flex;align-items:center;gap:6px;padding:12px 10px 12px 18px;border-bottom:1px solid var(--line)}
.head h2{font-size:16px;font-weight:650;line-height:1.3;overflow-wrap:anywhere}
.head div{flex:1;min-width:0}
.head p{font-size:12.5px;color:var(--dim);line-height:1.4}
.tool{min-width:44px;min-height:44px;padding:0 8px;border-radius:10px;font-size:13px;color:var(--dim);display:grid;place-items:center;white-space:nowrap}
.tool:hover{background:var(--soft);color:var(--fg)}
.log{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:16px;display:flex;flex-direction:column;gap:12px;scrollbar-width:thin}
.row{position:relative;display:flex;flex-direction:column;gap:6px;align-items:flex-start;max-width:100%}
.row.you{align-items:flex-end}
.bubble{max-width:86%;padding:9px 14px;border-radius:var(--r);background:var(--soft);overflow-wrap:anywhere;unicode-bidi:isolate;border-bottom-left-radius:5px}
.you .bubble{background:var(--a);color:var(--on);border-radius:var(--r);border-bottom-right-radius:5px;white-space:pre-wrap}
.rep .bubble{background:var(--bg);border:1px solid var(--at)}
.bubble p+p,.bubble p+ul,.bubble ul+p,.bubble ol+p,.bubble p+ol{margin-top:8px}
.bubble ul,.bubble ol{padding-left:20px}
.bubble a,.card a{color:var(--at);text-decoration:underline;text-underline-offset:2px}
.bubble strong{font-weight:650}.bubble em{font-style:italic}.bubble code{font-family:ui-monospace,monospace;font-size:.92em}
time{font-size:11.5px;color:var(--dim);padding:0 4px}
.ticks.read{color:var(--at);font-weight:700}
.note{align-self:center;font-size:12.5px;color:var(--dim);text-align:center;padding:2px 12px;overflow-wrap:anywhere}
.row.note{align-items:center}
.cards{list-style:none;padding:2px 2px 8px;display:flex;gap:12px;width:100%;overflow-x:auto;scroll-snap-type:x proximity;scrollbar-width:thin}
.card{position:relative;flex:0 0 min(210px,72%);scroll-snap-align:start;border:1px solid var(--line);border-radius:var(--r);overflow:hidden;background:var(--bg);display:flex;flex-direction:column;padding-bottom:12px}
.card:only-child{flex-basis:min(250px,86%)}
.picture{position:relative;aspect-ratio:4/3;background:var(--soft);overflow:hidden}
.picture img{width:100%;height:100%;object-fit:cover;display:block}
.badge{position:absolute;left:8px;top:8px;background:rgb(20 16 12/.82);color:#fff;font-size:12px;padding:1px 8px;border-radius:99px}
.card h3{font-size:14px;font-weight:600;line-height:1.4;padding:10px 12px 0;overflow-wrap:anywhere}
.price{padding:4px 12px 0}.price strong{font-weight:700;font-variant-numeric:tabular-nums}.price .sale{color:var(--at)}.price s{color:var(--dim);font-size:13px}
.why{list-style:none;padding:6px 12px 0;font-size:13px;color:var(--dim);display:grid;gap:2px}
.why li{padding-left:18px;position:relative;overflow-wrap:anywhere}.why li::before{content:"✓";position:absolute;left:0;color:var(--at);font-weight:700}
.card a{margin:auto 12px 0;padding-top:10px;font-size:13.5px;font-weight:600;min-height:34px;display:inline-flex;align-items:end}
.choices{display:flex;flex-wrap:wrap;gap:8px}
.choice{min-height:44px;padding:8px 16px;border:1px solid var(--at);border-radius:99px;color:var(--at);background:var(--bg);font-size:14px;line-height:1.35;text-align:start;overflow-wrap:anywhere;max-width:100%}
.choice:hover{background:var(--soft)}
.choices.used{display:none}
.typing{display:flex;gap:5px;padding:13px 16px;border-radius:var(--r);background:var(--soft);width:fit-content;margin:0 16px 10px}
.typing i{width:7px;height:7px;border-radius:50%;background:var(--dim);animation:blink 1.1s infinite}.typing i:nth-child(2){animation-delay:.18s}.typing i:nth-child(3){animation-delay:.36s}
@keyframes blink{0%,60%,100%{opacity:.25}30%{opacity:1}}
.state{font-size:12.5px;color:var(--dim);text-align:center;padding:4px 16px;border-top:1px solid var(--line)}
form{display:flex;gap:8px;align-items:flex-end;padding:10px 12px max(12px,env(safe-area-inset-bottom));border-top:1px solid var(--line)}
textarea{flex:1;min-width:0;resize:none;border:1px solid var(--line);border-radius:14px;padding:10px 14px;min-height:46px;max-height:130px;background:var(--bg);line-height:1.5;font-size:16px}
textarea:focus-visible{outline-offset:0;border-radius:14px}
textarea::placeholder{color:var(--dim);opacity:1}
.send{width:46px;height:46px;flex:none;border-radius:50%;background:var(--a);color:var(--on);display:grid;place-items:center}
.send:focus-visible{border-radius:50%}
@media(max-width:360px){.head{padding:8px 4px 8px 12px;gap:0}.tool{padding:0 5px}}
@media(max-width:480px){.panel{inset:0;width:100%;height:100dvh;border:0;border-radius:0}:host([data-position=left]) .panel{left:0}}
@media(max-height:420px){.head p{display:none}}
@media(prefers-reduced-motion:reduce){*,.panel,.launch,.typing i{animation:none!important;transition:none!important}}
@media(forced-colors:active){.launch,.send,.choice,.bubble,.card{border:1px solid ButtonText}}
`;
