//! What single options cannot see.

use crate::errors::Errors;
use crate::options::{CallWindow, Count, Options, Value};

/// The window where none is written, in calls; it is the runtime's `BreakerConfig::DEFAULT_WINDOW`.
const DEFAULT_WINDOW: u32 = 100;

pub(super) fn check(options: &Options, errors: &mut Errors) {
    // Beside a breaker of another place they have an error of their own.
    if options.positional.is_some() {
        return;
    }
    if !options.mentions("failure_rate") && !options.mentions("slow_call_rate") {
        for key in ["window", "minimum_calls"] {
            if let Some(ident) = options.ident(key) {
                let what = "is about rates, and failures in a row are counted without it";
                errors.on(ident, format!("`{key}` {what}: add `failure_rate = 50`, or leave it away"));
            }
        }
        return;
    }
    let Some(Value::Count(Count::Literal(minimum))) = options.look("minimum_calls") else { return };
    let calls = match options.look("window") {
        Some(Value::Window(CallWindow::Calls(calls))) => *calls,
        None if !options.mentions("window") => DEFAULT_WINDOW,
        _ => return,
    };
    if let Some(ident) = options.ident("minimum_calls").filter(|_| *minimum > calls) {
        errors.on(
            ident,
            format!(
                "a window of {calls} calls never holds {minimum}: write `window = \"{minimum} calls\"` or more, or a smaller `minimum_calls`"
            ),
        );
    }
}
