//! Numbers that change without a rebuild: [`configure`], environment variables, `reconfigure`.
//!
//! Each counts more than the one before: what nobody says, the attribute (or builder), [`configure`], the
//! environment, the component's own `reconfigure`; [`Source`] says which it was. How options and variables are written:
//! [`guide::settings`](crate::guide::settings).

// One piece of code for all kinds: `options` is what a kind's settings are to the rest, `breaker` and `limiter` are the kinds,
// `value` how values are written, `table` the tables they come in, `unknown` and `suggest` what to say to slips. `store` keeps what was configured, `environment` what the
// variables say, `layers` puts both over a component's declaration, `family` is for all keys at once, `apply` tells the components.

mod apply;
mod breaker;
mod environment;
mod family;
mod layers;
mod limiter;
mod options;
mod problem;
mod store;
mod suggest;
mod table;
mod unknown;
mod value;

pub use apply::{Configured, configure};
pub use breaker::BreakerSettings;
pub use limiter::RateLimiterSettings;
pub use problem::{Problem, Source};
pub use table::Settings;
pub use value::Switch;

pub(crate) use apply::{Configurable, Proposed, problems};
pub(crate) use family::OfAllKeys;
pub(crate) use layers::Layers;
pub(crate) use limiter::LimiterConfig;
pub(crate) use problem::listed;
pub(crate) use suggest::hint_of_slip;
