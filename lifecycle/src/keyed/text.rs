//! A key as text, without an allocation where it is short: what names `fetch[acme]`.

use std::fmt::{self, Display, Write};

/// Bytes a key may have on the stack.
const SHORT: usize = 64;

/// Gives `look` what `key` displays as.
pub(crate) fn with_text<R>(key: &(impl Display + ?Sized), look: impl FnOnce(&str) -> R) -> R {
    let mut text = Text { short: [0; SHORT], len: 0, long: String::new() };
    // A `Display` that fails has written what it could; that is its key.
    let _ = write!(text, "{key}");
    look(text.as_str())
}

struct Text {
    short: [u8; SHORT],
    len: usize,
    /// All of it, once it is too long.
    long: String,
}

impl Text {
    fn as_str(&self) -> &str {
        if self.long.is_empty() {
            // Whole pieces of text only were copied.
            std::str::from_utf8(&self.short[..self.len]).unwrap_or_default()
        } else {
            &self.long
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.long.is_empty() {
            if let Some(room) = self.short.get_mut(self.len..self.len + piece.len()) {
                room.copy_from_slice(piece.as_bytes());
                self.len += piece.len();
                return Ok(());
            }
            let mut long = String::with_capacity(self.len + piece.len());
            long.push_str(self.as_str());
            self.long = long;
        }
        self.long.push_str(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_keys_are_what_they_display_as() {
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1000] {
            let key = "é".repeat(len);
            with_text(&format_args!("{key}{}{key}", len), |text| assert_eq!(text, format!("{key}{len}{key}")));
        }
    }
}
