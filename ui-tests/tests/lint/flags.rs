//! Flags, steps and test worlds.

use core::num::ParseIntError;
use lifecycle::{Flag, FlagValue, SingletonError, init_flag};

/// Minimal.
#[init_flag]
pub static USE_CACHE: Flag<bool> = true;

/// All options.
#[init_flag(env = "LIFECYCLE_UI_TESTS_LINT", name = "rich-flag", crate = ::lifecycle)]
pub static RETRIES: Flag<u32> = Flag::new(3);

/// Words.
#[derive(FlagValue, Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    Off,
    /// All.
    #[flag_value(rename = "best")]
    AsSmallAsPossible,
}

/// A word that is nobody's business.
#[init_flag(secret)]
pub static COMPRESSION: Flag<Compression> = Compression::Off;

/// A text.
#[init_flag]
pub static GREETING: Flag<String> = "hello";

/// A step.
#[init_flag]
#[inline]
pub fn minimal_step() {
    let _before: bool = USE_CACHE.set(true);
}

/// A step with everything.
///
/// # Errors
/// Of the numbers.
#[init_flag(on_initialize, depends_on(minimal_step), init_timeout = "5s", name = "rich-step", crate = ::lifecycle)]
#[inline]
pub async fn rich_step() -> Result<(), SingletonError> {
    minimal_step();
    Ok(())
}

#[cfg(test)]
mod worlds {
    use super::{ParseIntError, RETRIES, USE_CACHE};

    #[lifecycle::test]
    fn plain() {
        let _old = USE_CACHE.set(false);
    }

    #[lifecycle::test]
    fn with_a_result() -> Result<(), ParseIntError> {
        let _old = RETRIES.set(7);
        return Ok(());
    }
}
