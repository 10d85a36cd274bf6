//! Links and hosts in a draft that are not the shop's own.

/// Endings by which a name with dots and no scheme is taken for a host.
const ENDINGS: [&str; 40] = [
    "com", "cn", "net", "org", "io", "shop", "top", "xyz", "cc", "me", "co", "app", "store",
    "info", "vip", "site", "online", "link", "ly", "gl", "uk", "de", "fr", "jp", "hk", "tw", "us",
    "ru", "biz", "club", "live", "ink", "pro", "tech", "dev", "ai", "tv", "gg", "page", "ltd",
];

/// Bytes of every link whose host is none of `hosts` and no subdomain of one.
pub fn strange(text: &str, hosts: &[String]) -> Vec<(usize, usize)> {
    if !text.contains('.') && !text.contains("://") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut start = None;
    let ends = text
        .char_indices()
        .chain(std::iter::once((text.len(), ' ')));
    for (at, c) in ends {
        let inside = c.is_ascii_alphanumeric() || ".:/@%?=&#~-_+,".contains(c);
        match (start, inside) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let run = text.get(from..at).unwrap_or_default();
                let run = run.trim_end_matches(['.', ',', ':', '?']);
                if host(run).is_some_and(|host| !allowed(host, hosts)) {
                    found.push((from, from + run.len()));
                }
                start = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    found
}

/// The host of a link, with or without a scheme; `None` where it is no link.
fn host(run: &str) -> Option<&str> {
    let (scheme, rest) = match run.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, run),
    };
    let host = rest.split(['/', '?', '#']).next()?;
    // An address of e-mail is contact data, not a link.
    if !scheme && host.contains('@') {
        return None;
    }
    let host = host.rsplit('@').next()?;
    let host = host.split(':').next()?;
    let ending = host.rsplit('.').next()?;
    let named = host.contains('.')
        && !host.starts_with('.')
        && (ENDINGS.contains(&ending) || host.starts_with("www."));
    ((scheme && !host.is_empty()) || named).then_some(host)
}

fn allowed(host: &str, hosts: &[String]) -> bool {
    hosts.iter().any(|own| {
        host == own
            || host
                .strip_suffix(own.as_str())
                .is_some_and(|front| front.ends_with('.'))
    })
}
