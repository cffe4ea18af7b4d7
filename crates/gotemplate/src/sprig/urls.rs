//! urlParse and urlJoin. Knows Go's net/url, which is RFC 3986 and not the WHATWG's standard.

use std::fmt::Write;

use crate::functions::{CallError, Function, Functions, Type};
use crate::printf::quoted;
use crate::sprig::stray::{original, readable};
use crate::sprig::{TEXT, bytes, map, nil_error};
use crate::value::{Map, Value};

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "urlParse",
            Function::new(&[TEXT], |args| {
                let url = parse(&readable(bytes(args, 0))).map_err(|message| {
                    CallError::revealing(
                        format!("unable to parse url: {message}"),
                        "unable to parse url",
                    )
                })?;
                Ok(url.to_dict())
            }),
        )
        .add(
            "urlJoin",
            Function::new(&[Type::Dict], |args| Ok(join(map(args, 0)?)?.into())),
        );
}

#[derive(Default)]
struct Url {
    scheme: String,
    opaque: String,
    user: Option<String>,
    host: String,
    path: Vec<u8>,
    /// the path as written, where that is not how it would be written
    raw_path: String,
    force_query: bool,
    query: String,
    fragment: Vec<u8>,
}

/// The parts of a URL that escape differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    User,
    Host,
    Fragment,
}

fn keeps(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return true;
    }
    match part {
        Part::Path => b"$&+,/:;=@".contains(&byte),
        Part::User => b"$&+,;=".contains(&byte),
        Part::Host => b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Part::Fragment => b"$&+,/:;=?@!()*".contains(&byte),
    }
}

fn escape(text: &[u8], part: Part) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text {
        if keeps(*byte, part) {
            escaped.push(char::from(*byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = original(text);
    let mut unescaped = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] != b'%' {
            if part == Part::Host && bytes[i] < 0x80 && !keeps(bytes[i], part) {
                let character = quoted(&bytes[i..=i]);
                return Err(format!("invalid character {character} in host name"));
            }
            unescaped.push(bytes[i]);
            i += 1;
            continue;
        }
        let digits = bytes
            .get(i + 1..i + 3)
            .filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let end = bytes.len().min(i + 3);
        match value {
            Some(value) if part != Part::Host || value >= 0x80 || value == b'%' => {
                unescaped.push(value);
            }
            _ => return Err(format!("invalid URL escape {}", quoted(&bytes[i..end]))),
        }
        i += 3;
    }
    Ok(unescaped)
}

fn parse(raw: &str) -> Result<Url, String> {
    let (before, fragment) = raw.split_once('#').unwrap_or((raw, ""));
    let failed = |about: &str, why: String| format!("parse {}: {why}", quoted(&original(about)));
    let mut url = parse_without_fragment(before).map_err(|why| failed(before, why))?;
    url.fragment = unescape(fragment, Part::Fragment).map_err(|why| failed(raw, why))?;
    Ok(url)
}

fn parse_without_fragment(raw: &str) -> Result<Url, String> {
    if raw.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let mut url = Url::default();
    if raw == "*" {
        url.path = b"*".to_vec();
        return Ok(url);
    }
    let (scheme, mut rest) = split_scheme(raw)?;
    url.scheme = scheme.to_ascii_lowercase();
    if rest.ends_with('?') && rest.matches('?').count() == 1 {
        url.force_query = true;
        rest = &rest[..rest.len() - 1];
    } else if let Some((before, query)) = rest.split_once('?') {
        rest = before;
        query.clone_into(&mut url.query);
    }
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            rest.clone_into(&mut url.opaque);
            return Ok(url);
        }
        if rest
            .split('/')
            .next()
            .is_some_and(|segment| segment.contains(':'))
        {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let has_authority = !url.scheme.is_empty() || !rest.starts_with("///");
    if let Some(after) = rest.strip_prefix("//").filter(|_| has_authority) {
        let slash = after.find('/').unwrap_or(after.len());
        rest = &after[slash..];
        url.authority(&after[..slash])?;
    }
    url.path = unescape(rest, Part::Path)?;
    if escape(&url.path, Part::Path) != rest {
        rest.clone_into(&mut url.raw_path);
    }
    Ok(url)
}

fn split_scheme(raw: &str) -> Result<(&str, &str), String> {
    for (i, c) in raw.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if i > 0 => {}
            ':' if i == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => return Ok((&raw[..i], &raw[i + 1..])),
            _ => break,
        }
    }
    Ok(("", raw))
}

fn check_port(colon_port: &str) -> Result<(), String> {
    let valid = match colon_port.strip_prefix(':') {
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()),
        None => colon_port.is_empty(),
    };
    if valid {
        return Ok(());
    }
    Err(format!(
        "invalid port {} after host",
        quoted(&original(colon_port))
    ))
}

impl Url {
    fn authority(&mut self, authority: &str) -> Result<(), String> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if host.starts_with('[') {
            let end = host.rfind(']').ok_or("missing ']' in host")?;
            check_port(&host[end + 1..])?;
        } else if let Some(colon) = host.rfind(':') {
            check_port(&host[colon..])?;
        }
        self.host = readable(&unescape(host, Part::Host)?).into_owned();
        let Some(user) = user else { return Ok(()) };
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !user.bytes().all(allowed) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let normal = |text: &str| Ok::<_, String>(escape(&unescape(text, Part::User)?, Part::User));
        self.user = Some(match user.split_once(':') {
            Some((name, password)) => format!("{}:{}", normal(name)?, normal(password)?),
            None => normal(user)?,
        });
        Ok(())
    }

    /// The host without its port, and without the brackets of an IPv6 address.
    fn hostname(&self) -> &str {
        if let Some(inner) = self.host.strip_prefix('[') {
            return inner
                .split_once(']')
                .map_or(&self.host, |(address, _)| address);
        }
        match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.host,
        }
    }

    fn to_dict(&self) -> Value {
        Value::dict([
            ("scheme", original(&self.scheme).into()),
            ("host", original(&self.host).into()),
            ("hostname", original(self.hostname()).into()),
            ("path", Value::bytes(&self.path)),
            ("query", original(&self.query).into()),
            ("opaque", original(&self.opaque).into()),
            ("fragment", Value::bytes(&self.fragment)),
            ("userinfo", self.user.as_deref().unwrap_or_default().into()),
        ])
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text = format!("{}:", self.scheme);
        }
        if self.opaque.is_empty() {
            let has_host = !self.host.is_empty() || self.user.is_some();
            if has_host || !self.scheme.is_empty() && !self.path.is_empty() {
                text.push_str("//");
            }
            if let Some(user) = &self.user {
                text = format!("{text}{user}@");
            }
            text.push_str(&escape(&original(&self.host), Part::Host));
            let path = match &self.raw_path[..] {
                "" if self.path == b"*" => "*".to_owned(),
                "" => escape(&self.path, Part::Path),
                raw => raw.to_owned(),
            };
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                text.push('/');
            }
            if text.is_empty()
                && path
                    .split('/')
                    .next()
                    .is_some_and(|first| first.contains(':'))
            {
                text.push_str("./");
            }
            text.push_str(&path);
        } else {
            text.push_str(&self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            text = format!("{text}?{}", self.query);
        }
        if !self.fragment.is_empty() {
            text = format!("{text}#{}", escape(&self.fragment, Part::Fragment));
        }
        text
    }
}

fn join(dict: &Map) -> Result<Vec<u8>, CallError> {
    let part = |key: &str| match dict.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(text.to_vec()),
        Some(Value::Nil) => Err(nil_error()),
        Some(other) => {
            let kind = other.kind().name();
            Err(CallError::new(format!(
                "unable to parse {key} key, must be of type string, but {kind} found"
            )))
        }
    };
    let text = |key: &str| part(key).map(|bytes| readable(&bytes).into_owned());
    let mut url = Url {
        scheme: text("scheme")?,
        host: text("host")?,
        path: part("path")?,
        query: text("query")?,
        opaque: text("opaque")?,
        fragment: part("fragment")?,
        ..Url::default()
    };
    let user = text("userinfo")?;
    if !user.is_empty() {
        let parsed = parse(&format!("proto://{user}@host")).map_err(|why| {
            let message = "unable to parse userinfo in dict";
            CallError::revealing(format!("{message}: {why}"), message)
        })?;
        url.user = parsed.user;
    }
    Ok(original(&url.text()))
}
