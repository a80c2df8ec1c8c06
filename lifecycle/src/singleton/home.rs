//! What expansions say of a declaration, and where it lives. Everything here names the declaration and not its value's type:
//! that a value cannot be shared between threads is found out once, where the type is said ([`Kept::Value`]).

use super::cell::Cell;
use super::creating::Creating;
use super::creation::Making;
use super::face::Singleton;
use super::output::SingletonValue;
use super::storage::{Current, Static, Storing, Swapped};
use crate::error::CreateError;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{self, Poll};

/// How a declaration keeps its instance.
pub trait Mode<K: Kept>: 'static {
    /// What accessors give.
    type Handed: Send;
    /// Where an instance is kept.
    type Of: Storing<K::Value, Handed = Self::Handed>;
}

/// For ever: accessors give `&'static T`.
#[derive(Debug)]
pub struct Forever;

impl<K: Kept> Mode<K> for Forever {
    type Handed = &'static K::Value;
    type Of = Static<K::Value>;
}

/// Until replaced: accessors give [`Current`].
#[derive(Debug)]
pub struct Replaceable;

impl<K: Kept> Mode<K> for Replaceable {
    type Handed = Current<K::Value>;
    type Of = Swapped<K::Value>;
}

/// As long as its invocation: accessors give [`Current`].
#[derive(Debug)]
pub struct PerInvocation;

impl<K: Kept> Mode<K> for PerInvocation {
    type Handed = Current<K::Value>;
    type Of = Swapped<K::Value, true>;
}

/// What a declaration keeps: a singleton type keeps itself, a function has a type of its own to say what it keeps.
pub trait Kept {
    /// The value's type.
    type Value: SingletonValue;
}

impl<T: Singleton> Kept for T {
    type Value = T;
}

/// How a declaration keeps it.
pub trait Stored: Kept + Sized {
    /// For ever, or until replaced.
    type Mode: Mode<Self>;
}

impl<T: Singleton> Stored for T {
    type Mode = T::Mode;
}

/// What the future of a declaration's factory fails with: it goes with that from thread to thread.
pub trait FailsWith: Stored {
    /// The error's type.
    type Error: Send + 'static;
}

/// What a declaration's accessors give.
pub type HandedBy<K> = <<K as Stored>::Mode as Mode<K>>::Handed;

/// Where a declaration's instance is kept.
pub type StorageOf<K> = <<K as Stored>::Mode as Mode<K>>::Of;

/// The static of a declaration.
pub struct Home<K: Stored>(Cell<K::Value, StorageOf<K>>);

// SAFETY: the cell is `Sync` for every `SingletonValue` (`cells_are_sync` below holds the compiler to it), and
// `Kept::Value` is one. Said here, because otherwise each static of a value that is none would be one more error.
unsafe impl<K: Stored> Sync for Home<K> {}

impl<K: Stored> Home<K> {
    pub(crate) const fn new(cell: Cell<K::Value, StorageOf<K>>) -> Self {
        Self(cell)
    }

    pub(crate) const fn cell(&'static self) -> &'static Cell<K::Value, StorageOf<K>> {
        &self.0
    }
}

impl<K: Stored> Deref for Home<K> {
    type Target = Cell<K::Value, StorageOf<K>>;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Stored> fmt::Debug for Home<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Home")
    }
}

/// An access that creates by a future. It names its declaration: rustc forgets the lifetimes in what a future keeps, and then
/// does not find `dyn Trait + 'static` equal to itself.
#[must_use = "futures do nothing unless polled"]
pub struct Awaited<K: Stored, L, D>(pub(crate) Creating<K::Value, StorageOf<K>, L, D>);

// SAFETY: as for `Home`: it is `Send` for every `SingletonValue` where its two functions are (`accesses_are_send` below).
unsafe impl<K: Stored, L: Send, D: Send> Send for Awaited<K, L, D> {}

impl<K, L, D> Future for Awaited<K, L, D>
where
    K: FailsWith,
    L: Fn() -> Making<K::Value, K::Error>,
    D: Fn(&K::Error) -> String,
{
    type Output = Result<HandedBy<K>, CreateError<K::Error>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<K: Stored, L, D> fmt::Debug for Awaited<K, L, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Awaited")
    }
}

/// The same, where the factory cannot fail and there is no channel for a refusal: it panics.
#[must_use = "futures do nothing unless polled"]
pub struct AwaitedInstance<K: Stored, L>(pub(crate) Awaited<K, L, ()>);

impl<K, L> Future for AwaitedInstance<K, L>
where
    K: Stored,
    L: Fn() -> Making<K::Value, Infallible>,
{
    type Output = HandedBy<K>;

    #[inline(always)]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.0.0.poll_or_panic(cx)
    }
}

impl<K: Stored, L> fmt::Debug for AwaitedInstance<K, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitedInstance")
    }
}

#[allow(dead_code, reason = "it only has to compile")]
fn cells_are_sync<T: SingletonValue, S: Storing<T>>() {
    fn sync<X: Sync>() {}
    sync::<Cell<T, S>>();
}

#[allow(dead_code, reason = "it only has to compile")]
fn accesses_are_send<T: SingletonValue, S: Storing<T>, L: Send, D: Send>() {
    fn send<X: Send>() {}
    send::<Creating<T, S, L, D>>();
}
