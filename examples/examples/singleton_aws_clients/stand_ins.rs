//! Small stand-ins for the AWS SDK, and the loopback service that stands in for AWS.

use axum::extract::{ConnectInfo, Path, State};
use axum::http::Uri as RequestUri;
use axum::{Router, routing::get};
use http_body_util::{BodyExt, Empty};
use hyper::{StatusCode, Uri, body::Bytes};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

#[derive(Debug, thiserror::Error)]
pub(super) enum AwsError {
    #[error(transparent)]
    Singleton(#[from] lifecycle::SingletonError),
    #[error(transparent)]
    Lookup(#[from] lifecycle::Error),
    #[error("no endpoint is registered yet")]
    NoEndpoint,
    #[error("{0} answered {1}")]
    Status(String, StatusCode),
    #[error("the mock has no answer to {0}")]
    NotCanned(String),
    #[error("not an address")]
    Address(#[from] hyper::http::uri::InvalidUri),
    #[error("the service cannot be reached")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the answer broke off")]
    BrokenOff(#[from] hyper::Error),
    #[error("not a number")]
    Number(#[from] std::num::ParseIntError),
}

/// Stand-in for `aws_config::SdkConfig`: a shared handle of endpoint, credentials and HTTP connections.
#[derive(Clone)]
pub(super) struct SdkConfig(Arc<Transport>);

enum Transport {
    Http { endpoint: SocketAddr, connections: Client<HttpConnector, Empty<Bytes>> },
    Canned(BTreeMap<&'static str, &'static str>),
}

impl SdkConfig {
    pub(super) async fn load(endpoint: SocketAddr) -> Result<Self, AwsError> {
        let connections = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let this = Self(Arc::new(Transport::Http { endpoint, connections }));
        this.get("/credentials".to_owned()).await?;
        Ok(this)
    }

    pub(super) fn canned(answers: &[(&'static str, &'static str)]) -> Self {
        Self(Arc::new(Transport::Canned(answers.iter().copied().collect())))
    }

    async fn get(&self, path: String) -> Result<String, AwsError> {
        let (endpoint, connections) = match &*self.0 {
            Transport::Http { endpoint, connections } => (endpoint, connections),
            Transport::Canned(answers) => {
                return answers.get(&*path).map(ToString::to_string).ok_or(AwsError::NotCanned(path));
            }
        };
        let uri: Uri = format!("http://{endpoint}{path}").parse()?;
        let reply = connections.get(uri).await?;
        if reply.status() != StatusCode::OK {
            return Err(AwsError::Status(path, reply.status()));
        }
        let body = reply.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

pub(super) struct CognitoClient(SdkConfig);

impl CognitoClient {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(config.clone())
    }

    pub(super) async fn user_name(&self, user: &str) -> Result<String, AwsError> {
        self.0.get(format!("/cognito/users/{user}")).await
    }
}

pub(super) struct DynamoDbClient(SdkConfig);

impl DynamoDbClient {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(config.clone())
    }

    pub(super) async fn describe_table(&self, name: &str) -> Result<Table, AwsError> {
        self.0.get(format!("/dynamodb/tables/{name}")).await?;
        Ok(Table { config: self.0.clone(), name: name.to_owned() })
    }
}

pub(super) struct Table {
    config: SdkConfig,
    name: String,
}

impl Table {
    pub(super) async fn count(&self, key: &str) -> Result<u64, AwsError> {
        Ok(self.config.get(format!("/dynamodb/tables/{}/{key}", self.name)).await?.parse()?)
    }
}

pub(super) struct BedrockClient(SdkConfig);

impl BedrockClient {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(config.clone())
    }

    pub(super) async fn ask(&self, question: &str) -> Result<String, AwsError> {
        self.0.get(format!("/bedrock/{}", question.len())).await
    }
}

/// What the service saw.
#[derive(Default)]
struct Seen {
    requests: BTreeMap<String, usize>,
    peers: BTreeSet<SocketAddr>,
}

/// Stands in for AWS: an HTTP service on a loopback port, which lives as long as the process.
pub(super) struct Cloud {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Cloud {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let routes = Router::new()
            .route("/credentials", get(credentials))
            .route("/cognito/users/{user}", get(|Path(user): Path<String>| async move { user.to_uppercase() }))
            .route("/dynamodb/tables/{table}", get(|Path(table): Path<String>| async move { table }))
            .route("/dynamodb/tables/{table}/{key}", get(count))
            .route("/bedrock/{length}", get(|| async { "because" }))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&seen), note))
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, seen })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often it was asked for that path.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.seen().requests.get(path).copied().unwrap_or(0)
    }

    /// How many connections it saw.
    pub(super) fn connections(&self) -> usize {
        self.seen().peers.len()
    }
}

async fn note(
    State(seen): State<Arc<Mutex<Seen>>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: RequestUri,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.requests.entry(uri.path().to_owned()).or_default() += 1;
        seen.peers.insert(peer);
    }
    next.run(request).await
}

/// Credentials take their time, as they do.
async fn credentials() -> &'static str {
    tokio::time::sleep(Duration::from_millis(3)).await;
    "key"
}

async fn count(Path((_table, key)): Path<(String, String)>) -> String {
    key.len().to_string()
}
