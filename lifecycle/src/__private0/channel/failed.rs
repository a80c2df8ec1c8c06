//! What an `Err` means to a breaker: a failure, unless it is a refusal from further down, as far as its type lets one see.
//! `(&&&&&&&&&Failed(&error)).__verdict()` tries the traits from the first to the last. None asks for `'static`: which method is meant
//! is decided without a look at lifetimes, so an error that borrows would not compile.

use crate::breaker::Verdict;
use crate::error::{CallError, is_refusal};
use std::error::Error;
use std::ops::Deref;

/// All that an expansion asks by, without a name.
pub mod by_type {
    pub use super::super::Whole as _;
    pub use super::{
        ByBoxed as _, ByBoxedTwice as _, ByCall as _, ByCallOfBoxed as _, ByCallOfCall as _, ByCallOfCallOfBoxed as _,
        ByCallOfError as _, ByError as _, ByNothing as _,
    };
}

/// The question.
#[derive(Debug)]
pub struct Failed<'a, E: ?Sized>(pub &'a E);

fn verdict(refused: bool) -> Verdict {
    if refused { Verdict::Ignored } else { Verdict::Failure }
}

/// A call through a breaker in code, and it ran: what it gave is asked in turn.
fn of_call<E>(error: &CallError<E>, inner: impl FnOnce(&E) -> bool) -> bool {
    match error {
        CallError::Rejected(_) | CallError::RateLimited { .. } => true,
        CallError::Inner(error) => inner(error),
        CallError::Invalid(_) => false,
    }
}

/// Of a call through a breaker, with an error inside.
pub trait ByCallOfError {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E: Error> ByCallOfError for &&&&&&&&Failed<'_, CallError<E>> {
    fn __verdict(&self) -> Verdict {
        verdict(of_call(self.0, is_refusal))
    }
}

/// The same with what leads to an error inside.
pub trait ByCallOfBoxed {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E: Deref<Target: Error>> ByCallOfBoxed for &&&&&&&Failed<'_, CallError<E>> {
    fn __verdict(&self) -> Verdict {
        verdict(of_call(self.0, |error| is_refusal(&**error)))
    }
}

/// The same with another such call inside, and what leads to an error inside of that.
pub trait ByCallOfCallOfBoxed {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E: Deref<Target: Error>> ByCallOfCallOfBoxed for &&&&&&Failed<'_, CallError<CallError<E>>> {
    fn __verdict(&self) -> Verdict {
        verdict(of_call(self.0, |call| of_call(call, |error| is_refusal(&**error))))
    }
}

/// The same with another such call inside, whose own error is anything.
pub trait ByCallOfCall {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E> ByCallOfCall for &&&&&Failed<'_, CallError<CallError<E>>> {
    fn __verdict(&self) -> Verdict {
        verdict(of_call(self.0, |call| of_call(call, |_| false)))
    }
}

/// The same with anything else inside.
pub trait ByCall {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E> ByCall for &&&&Failed<'_, CallError<E>> {
    fn __verdict(&self) -> Verdict {
        verdict(of_call(self.0, |_| false))
    }
}

/// An error.
pub trait ByError {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E: Error> ByError for &&&Failed<'_, E> {
    #[inline]
    fn __verdict(&self) -> Verdict {
        verdict(is_refusal(self.0))
    }
}

/// What leads to an error: `Box<dyn Error>`, `anyhow::Error`.
pub trait ByBoxed {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E: Deref<Target: Error>> ByBoxed for &&Failed<'_, E> {
    #[inline]
    fn __verdict(&self) -> Verdict {
        verdict(is_refusal(&**self.0))
    }
}

/// What leads to such a thing: `Arc<anyhow::Error>`, that a future's callers share.
pub trait ByBoxedTwice {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E: Deref<Target: Deref<Target: Error>>> ByBoxedTwice for &Failed<'_, E> {
    fn __verdict(&self) -> Verdict {
        verdict(is_refusal(&***self.0))
    }
}

/// Anything else says nothing of where it comes from.
pub trait ByNothing {
    /// The answer.
    fn __verdict(&self) -> Verdict;
}
impl<E> ByNothing for Failed<'_, E> {
    #[inline]
    fn __verdict(&self) -> Verdict {
        Verdict::Failure
    }
}
