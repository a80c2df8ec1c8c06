//! The pauses between attempts: `"100ms"`, or `"100ms..10s"` for pauses that double.

use super::grammar::Key;
use super::numbers::{TimeSpan, time};
use super::value::text;
use crate::runtime::{Runtime, generated};
use proc_macro2::TokenStream;
use syn::{Expr, ExprLit, ExprRange, Lit, LitStr, RangeLimits};

/// The first pause, and the longest where they grow.
pub(crate) struct Pauses {
    first: TimeSpan,
    most: Option<TimeSpan>,
}

/// Input: `"100ms"`, `"100ms..10s"`, `FIRST`, `FIRST..MOST`
pub(super) fn read(key: &Key, value: &Expr) -> Result<Pauses, String> {
    let name = key.name;
    let bounds = match (value, text(value)) {
        (Expr::Range(ExprRange { start, end, limits, .. }), _) => {
            Some((start.as_deref().cloned(), end.as_deref().cloned(), matches!(limits, RangeLimits::Closed(_))))
        }
        (_, Some(text)) => text.value().split_once("..").map(|(first, most)| {
            let bound = |bound: &str| {
                let bound = bound.trim();
                (!bound.is_empty()).then(|| {
                    let lit = Lit::Str(LitStr::new(bound, text.span()));
                    Expr::Lit(ExprLit { attrs: Vec::new(), lit })
                })
            };
            (bound(first), bound(most.trim_start_matches(['=', '.'])), most.starts_with(['=', '.']))
        }),
        _ => None,
    };
    let (first, most) = match bounds {
        None => return Ok(Pauses { first: time(key, value)?, most: None }),
        Some((_, _, true)) => return Err(format!("`{name}`: write `..` between the two: `{}`", key.example)),
        Some((Some(first), Some(most), false)) => (time(key, &first)?, time(key, &most)?),
        Some(_) => {
            return Err(format!("`{name}` needs the first pause and the longest: write `{}`", key.example));
        }
    };
    match (&first, &most) {
        (TimeSpan::Literal(first), TimeSpan::Literal(most)) if first > most => {
            Err(format!("`{name}`: the first pause is longer than the longest: write the short one first"))
        }
        _ => Ok(Pauses { first, most: Some(most) }),
    }
}

impl Pauses {
    /// Declarations the values need, and the two values, of type `Duration`.
    pub(crate) fn tokens(&self, runtime: &Runtime, key: &str) -> (TokenStream, TokenStream, TokenStream) {
        let (declarations, first) = self.first.tokens(runtime, key);
        match &self.most {
            None => (declarations, first.clone(), first),
            // In a block of its own: both constants have the key's name.
            Some(most) => {
                let (declaration, most) = most.tokens(runtime, key);
                (declarations, first, if declaration.is_empty() { most } else { generated!({ #declaration #most }) })
            }
        }
    }
}
