//! The control API: HTTP and JSON on a loopback port, a thin layer over [`Control`].

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::Control;
use crate::entra::{App, Jwks};
use crate::exchange::{Reply, pairs};
use crate::fault::Fault;
use crate::proxy::{Stop, stopped};
use crate::seed::Content;

const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
const HELP: &str = "azfake control API
POST /seed         {LABEL: {secrets: {NAME: {value, tags, contentType, enabled, nbf, exp, versions} or null}, keys, certificates, tenant}}
POST /fault        {LABEL or HOST or \"*\": {status, code, innerCode, message, body, retryAfter, times, skip, latencyMs,
                    dropConnection, refuseConnect, hang, ops, methods, path} or a list of such or null}
POST /entra        {TENANT: {CLIENT: {secrets, expiredSecrets, certificates, issuers, subjects, audiences, tokenSeconds} or null}}
POST /jwks         {ISSUER: {keys: [...]} or null}
POST /identities   {ID or \"\" (system-assigned): CLIENT or null}
POST /permissions  {CLIENT: {LABEL or \"*\": [get, list, set, delete, recover, purge, secrets/get ...] or null}}
GET  /log          ?since=MARK&host=PREFIX
GET  /mark
GET  /counters
GET  /dump         ?prefix=LABEL-PREFIX&written=1
POST /reset        ?vaults=LABEL-PREFIX&log=1
GET  /ca.pem
";

/// The control listener of one fake.
pub(crate) struct Server {
    pub(crate) control: Control,
    pub(crate) ca_pem: String,
    pub(crate) stop: Stop,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Faults {
    None,
    One(Box<Fault>),
    Many(Vec<Fault>),
}

type Map<T> = BTreeMap<String, T>;
type Query = [(String, String)];

impl Server {
    /// Accepts connections until the fake stops.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            tokio::select! {
                () = stopped(self.stop.clone()) => return,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&self).connection(stream))),
                    Err(error) => tracing::warn!(%error, "control API could not accept"),
                },
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            () = stopped(self.stop.clone()) => {}
            result = connection => if let Err(error) = result {
                tracing::debug!(%error, "control connection ended");
            },
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
            return failure(413, "the body is too large or broken").into_response();
        };
        let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let reply = self.route(
            parts.method.as_str(),
            parts.uri.path(),
            &query,
            &body.to_bytes(),
        );
        reply
            .unwrap_or_else(|text| failure(400, &text))
            .into_response()
    }

    fn route(&self, method: &str, path: &str, query: &Query, body: &[u8]) -> Result<Reply, String> {
        match (method, path) {
            ("POST", "/seed") => self.seed(&parse(body)?)?,
            ("POST", "/fault") => self.fault(parse(body)?),
            ("POST", "/entra") => self.entra(parse(body)?),
            ("POST", "/jwks") => self.jwks(parse(body)?),
            ("POST", "/identities") => self.identities(&parse(body)?),
            ("POST", "/permissions") => self.permissions(&parse(body)?),
            ("POST", "/reset") => self.reset(query),
            ("GET", "/log") => return self.log(query),
            ("GET", "/mark") => {
                return Ok(Reply::json(200, &json!({ "mark": self.control.mark() })));
            }
            ("GET", "/counters") => return Ok(Reply::json(200, &json!(self.control.counters()))),
            ("GET", "/dump") => return Ok(self.dump(query)),
            ("GET", "/ca.pem") => {
                return Ok(Reply::text(
                    200,
                    "application/x-pem-file",
                    self.ca_pem.clone(),
                ));
            }
            ("GET", "/") => return Ok(Reply::text(200, "text/plain; charset=utf-8", HELP)),
            _ => {
                return Ok(failure(
                    404,
                    &format!("no {method} {path}; GET / lists what there is"),
                ));
            }
        }
        Ok(Reply::json(200, &json!({})))
    }

    fn seed(&self, vaults: &Map<Content>) -> Result<(), String> {
        vaults.iter().try_for_each(|(target, content)| {
            self.control
                .seed(target, content.clone())
                .map_err(|error| format!("{target}: {error}"))
        })
    }

    fn fault(&self, targets: Map<Faults>) {
        for (target, faults) in targets {
            let faults = match faults {
                Faults::None => Vec::new(),
                Faults::One(fault) => vec![*fault],
                Faults::Many(faults) => faults,
            };
            self.control.faults(&target, faults);
        }
    }

    fn entra(&self, tenants: Map<Map<Option<App>>>) {
        for (tenant, clients) in tenants {
            for (client, app) in clients {
                self.control.entra(&tenant, &client, app);
            }
        }
    }

    fn jwks(&self, issuers: Map<Option<Jwks>>) {
        for (issuer, jwks) in issuers {
            self.control.jwks(&issuer, jwks);
        }
    }

    fn identities(&self, identities: &Map<Option<String>>) {
        for (id, client) in identities {
            self.control.identity(id, client.as_deref());
        }
    }

    fn permissions(&self, clients: &Map<Map<Option<Vec<String>>>>) {
        for (client, vaults) in clients {
            for (target, allowed) in vaults {
                let words = allowed
                    .as_ref()
                    .map(|words| words.iter().map(String::as_str).collect::<Vec<_>>());
                self.control.permissions(client, target, words.as_deref());
            }
        }
    }

    fn reset(&self, query: &Query) {
        if let Some(prefix) = value(query, "vaults") {
            self.control.reset(prefix);
        }
        if value(query, "log").is_some() {
            self.control.clear_log();
        }
    }

    fn log(&self, query: &Query) -> Result<Reply, String> {
        let since = value(query, "since")
            .unwrap_or("0")
            .parse()
            .map_err(|_| "since is no number".to_owned())?;
        let (mark, entries) = self
            .control
            .requests_since(since, value(query, "host").unwrap_or_default());
        Ok(Reply::json(
            200,
            &json!({ "mark": mark, "entries": entries }),
        ))
    }

    fn dump(&self, query: &Query) -> Reply {
        let written = value(query, "written").is_some_and(|flag| flag != "0");
        let prefix = value(query, "prefix").unwrap_or_default();
        Reply::json(200, &json!(self.control.dump_all(prefix, written)))
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn value<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn failure(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}
