//! Default names of components.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;

/// `CacheManager` -> `cache_manager`, `HTTPServer` -> `http_server`, `r#type` -> `type`
pub(crate) fn snake_case(ident: &Ident) -> String {
    let name: Vec<char> = ident.unraw().to_string().chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, &letter) in name.iter().enumerate() {
        if letter.is_uppercase() {
            let before = at.checked_sub(1).map(|before| name[before]);
            let next_is_lower = name.get(at + 1).is_some_and(|next| next.is_lowercase());
            // A word begins after a small letter, and at the last capital of `HTTPServer`'s `HTTPS`.
            let begins =
                before.is_some_and(|b| b.is_lowercase() || b.is_numeric() || (b.is_uppercase() && next_is_lower));
            if begins {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
        } else {
            snake.push(letter);
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

    #[test]
    fn names_are_snake_case() {
        for (ident, name) in [
            ("CacheManager", "cache_manager"),
            ("HTTPServer", "http_server"),
            ("USE_CACHE", "use_cache"),
            ("V2Api", "v2_api"),
            ("db", "db"),
            ("_hidden", "_hidden"),
            ("Größe", "größe"),
        ] {
            assert_eq!(snake_case(&Ident::new(ident, Span::call_site())), name);
        }
        assert_eq!(snake_case(&Ident::new_raw("type", Span::call_site())), "type");
    }
}
