//! Words in values that come from outside, an environment variable or JSON: in any case and with blanks around, in all kinds alike.
//! Names (of components, of options in JSON) and text that stays text are none of these.

use std::borrow::Cow;

/// Is `text` that word?
pub(crate) fn is(text: &str, word: &str) -> bool {
    text.trim().eq_ignore_ascii_case(word)
}

/// Is it one of them?
pub(crate) fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| is(text, word))
}

/// Is it a word for no? A number is none: where options are numbers, 0 is one.
pub(crate) fn is_no(text: &str) -> bool {
    is_one_of(text, &["off", "false", "no"])
}

/// `true`, `1`, `yes`, `on`, or `false`, `0`, `no`, `off`.
pub(crate) fn yes_or_no(text: &str) -> Option<bool> {
    let yes = is_one_of(text, &["true", "1", "yes", "on"]);
    (yes || is_no(text) || is(text, "0")).then_some(yes)
}

/// What follows the word at the beginning, if it stands there.
pub(crate) fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(word.len())?;
    begin.eq_ignore_ascii_case(word).then_some(rest)
}

/// What stands before the word at the end.
pub(crate) fn before<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(word.len())?)?;
    end.eq_ignore_ascii_case(word).then_some(rest)
}

/// Digits, which `_` may part, with a sign or without, as `parse` takes them.
pub(crate) fn number(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let begins = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit());
    begins.then(|| if text.contains('_') { text.replace('_', "").into() } else { text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_case() {
        assert!([" off", "OFF", "Off", "FALSE", "no\n"].into_iter().all(is_no));
        assert!(!["0", "", "of", "offf", "none"].into_iter().any(is_no));
        assert!(["true", "1", "YES", " On "].iter().all(|word| yes_or_no(word) == Some(true)));
        assert!(["False", "0", "no", "OFF"].iter().all(|word| yes_or_no(word) == Some(false)));
        assert!(["", "2", "maybe", "truee"].iter().all(|word| yes_or_no(word).is_none()));
    }

    #[test]
    fn numbers_may_be_parted() {
        assert_eq!(number(" -1_000 ").as_deref(), Some("-1000"));
        assert_eq!(number("+7").as_deref(), Some("+7"));
        assert!(["_1", "", "-", "x1"].iter().all(|text| number(text).is_none()));
    }

    #[test]
    fn a_word_is_cut_off_where_letters_end() {
        assert_eq!(after("Exponential(factor = 2)", "exponential"), Some("(factor = 2)"));
        assert_eq!(before("100 CALLS", "calls"), Some("100 "));
        for odd in ["", "ü", "10 grün", "call"] {
            assert_eq!((after(odd, "calls"), before(odd, "calls")), (None, None), "{odd}");
        }
        assert_eq!(before("äcalls", "calls"), Some("ä"));
    }
}
