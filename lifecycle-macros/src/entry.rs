//! The way into every macro: whatever happens inside, the user's item comes out.

use crate::errors::Errors;
use proc_macro2::{Span, TokenStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs one macro. A panic inside it becomes an error on the attribute, beside the untouched item.
pub(crate) fn run(
    name: &str,
    args: TokenStream,
    item: TokenStream,
    expand: fn(TokenStream, TokenStream) -> TokenStream,
) -> TokenStream {
    let kept = item.clone();
    catch_unwind(AssertUnwindSafe(|| expand(args, item))).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        let mut errors = Errors::default();
        errors.at(
            Span::call_site(),
            format!(
                "`#[{name}]` panicked, which is a bug in lifecycle {}; please report it with this item: {said}",
                env!("CARGO_PKG_VERSION")
            ),
        );
        item_and(kept, errors)
    })
}

/// Input: an item and the mistakes around it -> Output: the item first, then every mistake.
pub(crate) fn item_and(item: TokenStream, errors: Errors) -> TokenStream {
    let mut tokens = item;
    tokens.extend(errors.into_tokens());
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn a_panic_keeps_the_item_and_asks_for_a_report() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let output = run(
            "singleton",
            quote!(),
            quote!(
                fn f() {}
            ),
            |_, _| panic!("the moon is full"),
        )
        .to_string();
        std::panic::set_hook(hook);
        assert!(output.starts_with("fn f () { }"), "{output}");
        assert!(output.contains("please report it") && output.contains("the moon is full"), "{output}");
    }
}
