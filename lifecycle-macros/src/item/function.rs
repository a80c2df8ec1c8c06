//! A function, read up to its body.

use super::ItemKind;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::{Attribute, Signature, Visibility};

/// `#[attrs] vis signature { body }`, the body as tokens.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// With the user's braces.
    pub(crate) body: Group,
}

impl Function {
    /// Reads a function. `wants` says what the macro is for: it completes "`#[x]` guards functions and methods".
    pub(crate) fn read(macro_name: &str, wants: &str, item: TokenStream) -> syn::Result<Self> {
        let (kind, keyword) = ItemKind::of(&item);
        if kind != ItemKind::Function {
            let what = kind.described();
            return Err(syn::Error::new(keyword, format!("`#[{macro_name}]` {wants}; it cannot stand on {what}")));
        }
        let (mut attrs, vis, sig, body) = parts.parse2(item)?;
        let Some(body) = body else {
            let message = format!(
                "`#[{macro_name}]` needs the body of `{}`: put it on the function that does the work, in the impl",
                sig.ident
            );
            return Err(syn::Error::new(sig.ident.span(), message));
        };
        let body = hoist_inner_attributes(body, &mut attrs);
        Ok(Self { attrs, vis, sig, body })
    }

    /// Reads a method of an impl block; what follows it stays in the input.
    pub(crate) fn parse_method(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut attrs, vis, sig, body) = head_and_body(input)?;
        let Some(body) = body else {
            return Err(syn::Error::new(sig.ident.span(), format!("expected the body of `{}`", sig.ident)));
        };
        let body = hoist_inner_attributes(body, &mut attrs);
        Ok(Self { attrs, vis, sig, body })
    }

    /// The same function around another body, in the user's braces: `#[attrs] vis signature { new }`
    pub(crate) fn with_body(&self, new: TokenStream) -> TokenStream {
        let Self { attrs, vis, sig, .. } = self;
        let body = braced(new, &self.body);
        quote::quote!(#(#attrs)* #vis #sig #body)
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        self.with_body(self.body.stream())
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens());
    }
}

/// `{ new }` with the braces of `old`, which errors and debuggers point at.
pub(crate) fn braced(new: TokenStream, old: &Group) -> Group {
    let mut group = Group::new(Delimiter::Brace, new);
    group.set_span(old.span());
    group
}

type Parts = (Vec<Attribute>, Visibility, Signature, Option<Group>);

fn parts(input: ParseStream<'_>) -> syn::Result<Parts> {
    let parts = head_and_body(input)?;
    if !input.is_empty() {
        return Err(input.error("unexpected after the function's body"));
    }
    Ok(parts)
}

fn head_and_body(input: ParseStream<'_>) -> syn::Result<Parts> {
    let attrs = Attribute::parse_outer(input)?;
    let vis = input.parse()?;
    let sig = Signature::parse(input)?;
    if input.peek(syn::Token![;]) {
        input.parse::<syn::Token![;]>()?;
        return Ok((attrs, vis, sig, None));
    }
    if !input.peek(syn::token::Brace) {
        return Err(input.error("expected the function's body"));
    }
    // Not as a `Group`: a `$body:block` of a `macro_rules!` stands in an invisible one.
    let content;
    let braces = syn::braced!(content in input);
    let mut body = Group::new(Delimiter::Brace, content.parse()?);
    body.set_span(braces.span.join());
    Ok((attrs, vis, sig, Some(body)))
}

/// Input: `{ #![allow(x)] a }` -> Output: `#[allow(x)]` among the function's attributes, body `{ a }`.
///
/// Our wrapper puts the body into a closure or a block, where inner attributes are not stable.
fn hoist_inner_attributes(body: Group, attrs: &mut Vec<Attribute>) -> Group {
    let is_inner = matches!(
        &body.stream().into_iter().take(2).collect::<Vec<_>>()[..],
        [TokenTree::Punct(hash), TokenTree::Punct(bang)] if hash.as_char() == '#' && bang.as_char() == '!'
    );
    if !is_inner {
        return body;
    }
    let split = |input: ParseStream<'_>| Ok((Attribute::parse_inner(input)?, input.parse::<TokenStream>()?));
    let Ok((inner, rest)) = split.parse2(body.stream()) else {
        return body;
    };
    attrs.extend(inner.into_iter().map(|mut attr| {
        attr.style = syn::AttrStyle::Outer;
        attr
    }));
    braced(rest, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn read(item: TokenStream) -> syn::Result<Function> {
        Function::read("circuit_breaker", "guards functions", item)
    }

    #[test]
    fn bodies_that_do_not_parse_are_kept() {
        let item = quote!(fn f() -> u8 { x. if 1 let });
        assert_eq!(read(item.clone()).ok().map(|function| function.tokens().to_string()), Some(item.to_string()));
    }

    #[test]
    fn inner_attributes_move_to_the_function() {
        let function = read(quote!(
            #[inline]
            fn f() {
                #![allow(unused)]
                g()
            }
        ))
        .ok()
        .map(|f| f.tokens().to_string());
        assert_eq!(
            function,
            Some(
                quote!(
                    #[inline]
                    #[allow(unused)]
                    fn f() {
                        g()
                    }
                )
                .to_string()
            )
        );
    }

    #[test]
    fn other_items_and_missing_bodies_are_named() {
        let message = |item| read(item).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            message(quote!(
                pub struct S;
            ))
            .contains("it cannot stand on a struct")
        );
        assert!(
            message(quote!(
                fn f();
            ))
            .contains("needs the body of `f`")
        );
    }
}
