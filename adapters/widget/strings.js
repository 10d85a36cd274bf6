// What the widget itself says, in the customer's language.

/** @typedef {"zh" | "en"} Language */

const STRINGS = {
  zh: {
    open: "打开客服聊天",
    openUnread: (/** @type {number} */ n) => `打开客服聊天，${n} 条未读`,
    close: "关闭聊天",
    dialog: "客服聊天",
    log: "聊天记录",
    input: "输入消息",
    send: "发送",
    person: "转人工",
    other: "English",
    otherLabel: "Switch to English",
    disclosure: "我是 AI 导购助手，不是真人；随时可以转人工。",
    greeting: "您好，想找点什么？",
    you: "您",
    bot: "AI 助手",
    rep: "同事",
    typing: "正在输入…",
    sending: "发送中",
    sent: "已送达",
    read: "已读",
    offline: "网络断开了，消息会在恢复后发出。",
    renewed: "上次的会话已过期，已为您开始新的会话。",
    waiting: "已转给同事，回复会出现在这里",
    human: "同事正在为您服务",
    tooLong: "消息太长了，请分几条发。",
    products: "推荐的商品",
    choices: "快捷回复",
    was: "原价",
    now: "现价",
    details: "查看",
    in_stock: "有货",
    out_of_stock: "缺货",
    preorder: "可预订",
    backorder: "可先下单",
  },
  en: {
    open: "Open chat",
    openUnread: (/** @type {number} */ n) => `Open chat, ${n} unread`,
    close: "Close chat",
    dialog: "Chat with us",
    log: "Conversation",
    input: "Type a message",
    send: "Send",
    person: "Talk to a person",
    other: "中文",
    otherLabel: "切换到中文",
    disclosure: "I'm an AI shopping assistant, not a person; ask for a colleague at any time.",
    greeting: "Hello! What are you looking for?",
    you: "You",
    bot: "AI assistant",
    rep: "Colleague",
    typing: "Typing…",
    sending: "Sending",
    sent: "Delivered",
    read: "Read",
    offline: "You are offline. Your message is sent when the connection is back.",
    renewed: "Your last session had expired, so we started a new one.",
    waiting: "Passed on to a colleague, who answers here",
    human: "A colleague is with you",
    tooLong: "That message is too long. Please split it.",
    products: "Suggested products",
    choices: "Quick replies",
    was: "was",
    now: "now",
    details: "View",
    in_stock: "In stock",
    out_of_stock: "Out of stock",
    preorder: "Pre-order",
    backorder: "On backorder",
  },
};

/** @param {Language} language */
export const strings = (language) => STRINGS[language];

/**
 * The page's wish, the page's language, the browser's.
 * @param {string | null} wanted
 * @returns {Language}
 */
export const pick = (wanted) => {
  const tags = [wanted, document.documentElement.lang, navigator.language];
  const tag = tags.find((t) => t) ?? "zh";
  return tag.toLowerCase().startsWith("zh") ? "zh" : "en";
};
