//! Breakers and limiters that a guard was given by an expression: `#[circuit_breaker(self.breaker)]`.

use crate::breaker::CircuitBreaker;
use crate::limiter::RateLimiter;
use crate::singleton::{Lazy, SingletonValue};
use std::sync::{Arc, LazyLock};

/// What gives a circuit breaker.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no circuit breaker",
    label = "expected a `lifecycle::CircuitBreaker`",
    note = "give a place or a reference to one, or an `Arc`, `Box`, `Lazy` or `LazyLock` of one"
)]
pub trait AsBreaker {
    /// The breaker.
    fn breaker(&self) -> &CircuitBreaker;
}

/// What gives a rate limiter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no rate limiter",
    label = "expected a `lifecycle::RateLimiter`",
    note = "give a place or a reference to one, or an `Arc`, `Box`, `Lazy` or `LazyLock` of one"
)]
pub trait AsLimiter {
    /// The limiter.
    fn limiter(&self) -> &RateLimiter;
}

/// A breaker that can be kept while the rest of `self` is used.
#[diagnostic::on_unimplemented(
    message = "this function takes `self` (or the argument) for itself, and a breaker in a `{Self}` cannot be kept beside it",
    label = "keep the breaker in an `Arc`",
    note = "make the field an `Arc<CircuitBreaker>` (or a `&'static CircuitBreaker`), or take `&self`"
)]
pub trait OwnedBreaker {
    /// How it is kept.
    type Kept: std::ops::Deref<Target = CircuitBreaker>;
    /// The breaker.
    fn kept(&self) -> Self::Kept;
}

/// A limiter that can be kept while the rest of `self` is used.
#[diagnostic::on_unimplemented(
    message = "this function takes `self` (or the argument) for itself, and a limiter in a `{Self}` cannot be kept beside it",
    label = "keep the limiter in an `Arc`",
    note = "make the field an `Arc<RateLimiter>` (or a `&'static RateLimiter`), or take `&self`"
)]
pub trait OwnedLimiter {
    /// How it is kept.
    type Kept: std::ops::Deref<Target = RateLimiter>;
    /// The limiter.
    fn kept(&self) -> Self::Kept;
}

macro_rules! given {
    ($component:ty, $shared:ident, $method:ident, $owned:ident) => {
        impl $shared for $component {
            #[inline]
            fn $method(&self) -> &$component {
                self
            }
        }

        impl<G: $shared + ?Sized> $shared for &G {
            #[inline]
            fn $method(&self) -> &$component {
                (**self).$method()
            }
        }

        impl<G: $shared + ?Sized> $shared for Arc<G> {
            #[inline]
            fn $method(&self) -> &$component {
                (**self).$method()
            }
        }

        impl<G: $shared + ?Sized> $shared for Box<G> {
            #[inline]
            fn $method(&self) -> &$component {
                (**self).$method()
            }
        }

        impl<G: $shared> $shared for LazyLock<G> {
            #[inline]
            fn $method(&self) -> &$component {
                (**self).$method()
            }
        }

        impl<G: $shared + SingletonValue> $shared for Lazy<G> {
            #[inline]
            fn $method(&self) -> &$component {
                (**self).$method()
            }
        }

        impl $shared for crate::instance::Instance<$component> {
            #[inline]
            fn $method(&self) -> &$component {
                self
            }
        }

        impl $owned for &'static $component {
            type Kept = &'static $component;
            #[inline]
            fn kept(&self) -> Self::Kept {
                self
            }
        }

        impl $owned for Arc<$component> {
            type Kept = Arc<$component>;
            #[inline]
            fn kept(&self) -> Self::Kept {
                self.clone()
            }
        }
    };
}
given!(CircuitBreaker, AsBreaker, breaker, OwnedBreaker);
given!(RateLimiter, AsLimiter, limiter, OwnedLimiter);
