//! Every error of the crate. They name the component and say the way out; none is ever a panic in disguise.

mod by_name;
mod call;
mod rejected;
mod singleton;
mod text;

pub use by_name::Error;
pub use call::CallError;
pub(crate) use rejected::is_refusal;
pub use rejected::{Rejected, RejectedKind};
pub use singleton::{CreateError, SingletonError};
pub(crate) use singleton::{SINGLETON, STEP};
pub(crate) use text::{caught, chain, counted, panic_text, printable, wait};

/// A boxed error: what a factory's own error becomes where its type cannot be named.
///
/// ```
/// let error: lifecycle::BoxError = "no such host".into();
/// assert_eq!(error.to_string(), "no such host");
/// ```
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
