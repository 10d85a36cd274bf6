//! How Tencent's servers prove themselves and hide what they deliver (WXBizMsgCrypt): the same for official accounts and for WeCom.

pub(crate) mod crypto;
pub(crate) mod proof;
pub(crate) mod xml;
