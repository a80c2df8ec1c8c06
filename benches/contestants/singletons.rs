//! Declared singletons: the reference is handed out, not read through.

use super::{Base, Budget, Contestant, Group, awaited, contestant, singletons};
use lifecycle::{Lazy, singleton};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

pub(super) static GROUPS: &[Group] = &[
    Group {
        operation: "singleton read",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[singleton]`, counted", |_, _| address(Settings::instance())),
            contestant!("std `LazyLock`", |_, _| address(&SETTINGS_STD)),
            contestant!("once_cell `Lazy`", |_, _| address(&SETTINGS_ONCE_CELL)),
            contestant!("`LazyLock`, counted by a shared `fetch_add`", |_, _| {
                SETTINGS_READS.fetch_add(1, Ordering::Relaxed);
                address(&SETTINGS_STD)
            }),
            contestant!("cached `#[once]`", |_, _| address(cached_settings())),
            contestant!("**lifecycle** `#[singleton] fn`, counted", |_, _| address(settings())),
            contestant!("**lifecycle** `get()`: if it exists, not counted", |_, _| Settings::get().map_or(0, address)),
        ],
        gives: None,
        budget: Some(Budget::OverBase(13)),
    },
    Group {
        operation: "lazy static read",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `Lazy`, counted", |_, _| address(&SETTINGS_LAZY)),
            contestant!("std `LazyLock`", |_, _| address(&SETTINGS_STD)),
        ],
        gives: None,
        budget: Some(Budget::OverBase(13)),
    },
    Group {
        operation: "async accessor, after creation",
        base: Base::Loop,
        contestants: &[
            awaited!("**lifecycle** `#[singleton] async fn`, counted", settings_async() => address),
            awaited!("**lifecycle** the sync accessor, in the same loop", async { settings() } => address),
            awaited!(
                "tokio `OnceCell::get_or_init`",
                SETTINGS_TOKIO.get_or_init(async || black_box(Settings::default())) => address
            ),
        ],
        gives: None,
        budget: Some(Budget::OverBase(52)),
    },
];

/// What an accessor gives that need not wait; it is polled once.
#[inline(always)]
pub(super) fn polled<T>(accessor: impl Future<Output = T>) -> Option<T> {
    match pin!(accessor).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => Some(found),
        Poll::Pending => None,
    }
}

#[singleton]
#[derive(Debug, Default)]
struct Settings {
    numbers: [u64; 4],
}

#[singleton]
fn settings() -> Settings {
    black_box(Settings::default())
}

#[singleton]
async fn settings_async() -> Settings {
    tokio::task::yield_now().await;
    black_box(Settings::default())
}

#[singleton]
static SETTINGS_LAZY: Lazy<Settings> = black_box(Settings::default());

static SETTINGS_STD: LazyLock<Settings> = LazyLock::new(|| black_box(Settings::default()));
static SETTINGS_READS: AtomicU64 = AtomicU64::new(0);
static SETTINGS_ONCE_CELL: once_cell::sync::Lazy<Settings> =
    once_cell::sync::Lazy::new(|| black_box(Settings::default()));
static SETTINGS_TOKIO: tokio::sync::OnceCell<Settings> = tokio::sync::OnceCell::const_new();

/// Gives a copy of what it keeps, so that is a reference here.
#[cached::proc_macro::once]
fn cached_settings() -> &'static Settings {
    &SETTINGS_STD
}

#[inline(always)]
fn address(settings: &'static Settings) -> u64 {
    settings.numbers.as_ptr().addr() as u64
}
