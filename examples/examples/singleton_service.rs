//! A small service from start to end: warmed up before the first request, shut down dependents first.
//! `cargo run --example singleton_service`
//!
//! `Pool` stands in for a pool of database connections; the HTTP service is a real one on a loopback port.

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use lifecycle::{BoxError, HookOutcomeReport, ShutdownLimits, Singleton, SingletonError, Snapshot, singleton};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

// ---- The service ----------------------------------------------------------------------------------------------------

#[singleton(eager, factory = Config::read)]
struct Config {
    connections: u32,
}

impl Config {
    fn read() -> Self {
        std::thread::sleep(Duration::from_millis(5)); // blocking: `warm_up` gives it a thread of its own
        Self { connections: 4 }
    }
}

/// Lines are collected, and written when there are many, or at the end. Once the shutdown has begun nothing is created any more,
/// so what the last requests and the hooks use has to exist by then: `eager`.
#[singleton(eager, shutdown = |log: &Mutex<Vec<String>>| println!("  log: {} lines written", lines(log).len()))]
fn log() -> Mutex<Vec<String>> {
    Mutex::default()
}

fn lines(log: &Mutex<Vec<String>>) -> std::sync::MutexGuard<'_, Vec<String>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stand-in. Writes to the log when it is closed, which its factory does not: `depends_on` says so, or the log might be closed
/// before it.
#[singleton(eager, shutdown = Pool::close, health = Pool::is_open, init_timeout = "2s", depends_on(log))]
async fn pool() -> Result<Pool, SingletonError> {
    sleep(Duration::from_millis(30)).await; // connecting
    Ok(Pool { connections: Config::try_instance()?.connections, open: AtomicBool::new(true) })
}

struct Pool {
    connections: u32,
    open: AtomicBool,
}

impl Pool {
    async fn query(&self, id: u32) -> Option<String> {
        sleep(Duration::from_millis(20)).await;
        self.is_open().then(|| format!("item {id}"))
    }

    fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    /// May be asynchronous, and may fail: a failure is reported, and does not keep the others from being shut down.
    async fn close(&self) -> Result<(), &'static str> {
        sleep(Duration::from_millis(10)).await;
        self.open.store(false, Relaxed);
        lines(log()).push(format!("{} connections closed", self.connections));
        println!("  pool: {} connections closed", self.connections);
        Ok(())
    }
}

#[singleton(eager, init_timeout = "2s")]
async fn prices() -> Vec<u32> {
    sleep(Duration::from_millis(45)).await; // a download
    vec![3, 5, 8]
}

/// The server is a singleton as well: it needs the others, so it is the first to stop.
#[singleton(eager, shutdown = Server::stop)]
async fn server() -> Result<Server, BoxError> {
    let (_pool, _prices) = (pool().await?, prices().await); // what its handlers will ask for
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (stop, mut stopped) = watch::channel(false);
    let routes = Router::new().route("/items/{id}", get(item));
    let serve = axum::serve(listener, routes).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    });
    Ok(Server { address, stop, task: Mutex::new(Some(tokio::spawn(serve.into_future()))) })
}

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<std::io::Result<()>>>>,
}

impl Server {
    /// Takes no more requests, and lets those under way end.
    async fn stop(&self) -> Result<(), BoxError> {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.await??;
        }
        println!("  server: {} requests answered", ANSWERED.load(Relaxed));
        Ok(())
    }
}

static ASKED: AtomicU32 = AtomicU32::new(0);
static ANSWERED: AtomicU32 = AtomicU32::new(0);

async fn item(Path(id): Path<u32>) -> Result<String, StatusCode> {
    ASKED.fetch_add(1, Relaxed);
    let pool = pool().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let item = pool.query(id).await.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    lines(log()).push(format!("asked for {item}"));
    let price = prices().await.get(id as usize).ok_or(StatusCode::NOT_FOUND)?;
    ANSWERED.fetch_add(1, Relaxed);
    Ok(format!("{item} costs {price}"))
}

/// Nobody asked for it while the process ran; then it is too late.
#[singleton]
#[derive(Default)]
struct Report;

// ---- Its life -------------------------------------------------------------------------------------------------------

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Everything `eager` at the same time; in Lambda this belongs before the first invocation.
    let warm = lifecycle::warm_up().await?;
    println!("warm after {:.1?}: {}", warm.took, warm.ready.join(", "));
    assert_eq!(warm.ready.len(), 5);
    let snapshot = lifecycle::snapshot();
    waterfall(&snapshot);
    assert!(snapshot.edges().contains(&("server", "pool")) && snapshot.edges().contains(&("pool", "config")));
    let health = lifecycle::health(Duration::from_secs(1)).await;
    println!("health: {:?}", health.status);
    assert_eq!(health.status, lifecycle::Health::Up);

    // Three requests are under way when the end comes; they are answered.
    let address = server().await?.address;
    let requests: Vec<_> = (0..3).map(|id| tokio::spawn(request(address, id))).collect();
    while ASKED.load(Relaxed) < 3 {
        sleep(Duration::from_millis(1)).await;
    }
    println!("\nshutting down with {} requests under way", requests.len());
    let report = lifecycle::shutdown(ShutdownLimits::total(Duration::from_secs(5))).await;
    for request in requests {
        println!("  a request under way got: {}", request.await??);
    }

    println!("{report}");
    for hook in &report.hooks {
        println!("  level {}: {:6} {:?} after {:.1?}", hook.level, hook.name, hook.outcome, hook.took);
        assert_eq!(hook.outcome, HookOutcomeReport::Done);
    }
    let order: Vec<&str> = report.hooks.iter().map(|hook| hook.name.as_str()).collect();
    assert_eq!(order, ["server", "pool", "log"], "dependents first");
    assert!(report.is_clean() && ANSWERED.load(Relaxed) == 3);

    // What exists can still be read; nothing is created any more, and a second shutdown gives the same report.
    assert_eq!(Config::instance().connections, 4);
    let refused = Report::try_instance().err().ok_or("nothing is created any more")?;
    assert!(matches!(refused, SingletonError::ShuttingDown { .. }) && !Report::is_created());
    println!("afterwards: {refused}");
    assert_eq!(lifecycle::shutdown(Duration::from_secs(1)).await, report);
    Ok(())
}

/// Who was created when, and how long it took; a `lifecycle::snapshot()` has it all.
fn waterfall(snapshot: &Snapshot) {
    let mut created: Vec<_> = snapshot.singletons.iter().filter_map(|one| Some((one.began_us?, one))).collect();
    created.sort_by_key(|(began, _)| *began);
    let start = created.first().map_or(0, |(began, _)| *began);
    for (began, one) in created {
        let (began, took) = ((began - start) / 1000, one.creation_us.unwrap_or(0) / 1000);
        let bar =
            " ".repeat(usize::try_from(began).unwrap_or(0)) + &"#".repeat(usize::try_from(took.max(1)).unwrap_or(1));
        let needs =
            if one.depends_on.is_empty() { String::new() } else { format!("needs {}", one.depends_on.join(", ")) };
        println!("  {:8} {bar:60} {took:3} ms  {needs}", one.name);
    }
}

async fn request(address: SocketAddr, id: u32) -> Result<String, BoxError> {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let reply = client.get(format!("http://{address}/items/{id}").parse()?).await?;
    let status = reply.status();
    let body = reply.into_body().collect().await?.to_bytes();
    assert_eq!(status, StatusCode::OK);
    Ok(String::from_utf8_lossy(&body).into_owned())
}
