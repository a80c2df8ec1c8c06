//! A process that is written to a snapshot and goes on from it: what to let go before, what to take up after.
//! `cargo run --example snapstart_restore`
//!
//! The snapshot is played: a real TCP connection whose other end goes away, and a clock that reads an earlier time afterwards.

use lifecycle::{BoxError, Rejected, circuit_breaker, rate_limit, singleton, testing};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

static SERVER: OnceLock<SocketAddr> = OnceLock::new();

/// A connection cannot be in a snapshot, but the singleton that keeps it can.
#[singleton(before_snapshot = Connection::close, after_restore = Connection::connect)]
#[derive(Default)]
struct Connection(Mutex<Option<TcpStream>>);

impl Connection {
    fn stream(&self) -> MutexGuard<'_, Option<TcpStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        *self.stream() = None;
    }

    fn connect(&self) -> std::io::Result<()> {
        let address = *SERVER.get().ok_or(std::io::ErrorKind::NotConnected)?;
        *self.stream() = Some(TcpStream::connect(address)?);
        Ok(())
    }

    fn ask(&self) -> std::io::Result<u8> {
        let mut stream = self.stream();
        let stream = stream.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
        stream.write_all(b"?")?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        Ok(answer[0])
    }
}

/// Made of the connection, so it is before it in `before_snapshot` and after it in `on_restore`.
#[singleton(before_snapshot = |_: &Session| LOG.add("session saved"), after_restore = |session: &Session| session.resume())]
struct Session {
    connection: &'static Connection,
}

impl Default for Session {
    fn default() -> Self {
        Self { connection: Connection::instance() }
    }
}

impl Session {
    fn resume(&self) -> std::io::Result<()> {
        // The connection is there again already.
        LOG.add(&format!("session resumed by {}", self.connection.ask()?));
        Ok(())
    }
}

struct Log(Mutex<Vec<String>>);

static LOG: Log = Log(Mutex::new(Vec::new()));

impl Log {
    fn add(&self, line: &str) {
        println!("  {line}");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}

static VERSION: AtomicU32 = AtomicU32::new(1);

/// A secret that may have been rotated while the process slept.
#[singleton(swap, refresh = "48h")]
fn secret() -> u32 {
    VERSION.load(SeqCst)
}

#[circuit_breaker(threshold = 1, timeout = 172_800)]
fn downstream(up: bool) -> Result<(), BoxError> {
    if up { Ok(()) } else { Err("down".into()) }
}

#[rate_limit("1/24h")]
fn daily_report() -> Result<(), Rejected> {
    Ok(())
}

/// One answer a question, on connections one after the other.
fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    SERVER.get_or_init(|| listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for (number, stream) in (1..).zip(listener.incoming()) {
            let Ok(mut stream) = stream else { continue };
            let mut question = [0];
            while stream.read_exact(&mut question).is_ok() {
                _ = stream.write_all(&[number]);
            }
        }
    });
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    serve()?;
    // In a test world, whose clock can jump.
    testing::isolated_async(async {
        println!("initialization:");
        let session = Session::instance();
        session.connection.connect()?;
        assert_eq!((session.connection.ask()?, *secret()), (1, 1));
        assert!(downstream(false).is_err() && downstream(true).is_err());
        daily_report()?;
        println!("  connected; the downstream is open, the day's report is written");

        println!("before the snapshot:");
        let report = lifecycle::before_snapshot().await;
        println!("  {report}");
        let order: Vec<&str> = report.hooks.iter().map(|hook| hook.name.as_str()).collect();
        assert!(report.is_clean() && order == ["session", "connection"]);

        // Hours later, on another machine: the clock reads something else, and the secret was rotated.
        testing::clock().set_mono(1);
        VERSION.store(2, SeqCst);

        println!("after it:");
        let report = lifecycle::on_restore().await;
        println!("  {report}");
        let order: Vec<&str> = report.hooks.iter().map(|hook| hook.name.as_str()).collect();
        assert!(report.is_clean() && order == ["connection", "session"], "{report}");
        assert_eq!((session.connection.ask()?, *secret()), (2, 2), "a new connection, the new secret");
        downstream(true)?;
        daily_report()?;
        testing::advance(Duration::from_secs(1));
        println!("  the downstream is probed at once, the window of the limit is empty, the secret is the new one");
        Ok(())
    })
    .await
}
