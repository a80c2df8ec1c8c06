//! An impl block, read up to the bodies of its methods; whatever is no method stays as it is.

use super::function::Function;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Generics, LitStr, Token, Type, Visibility};

/// `#[attrs] unsafe impl<T> Trait for Type<T> where .. { items }`
pub(crate) struct ImplBlock {
    pub(crate) attrs: Vec<Attribute>,
    /// What stands between the attributes and the braces.
    head: TokenStream,
    pub(crate) impl_token: Span,
    pub(crate) self_ty: Type,
    /// With the user's braces.
    body: Group,
    pub(crate) items: Vec<ImplItem>,
}

/// One item of the block.
pub(crate) enum ImplItem {
    Method(Box<Function>),
    Other(TokenStream),
}

impl ImplBlock {
    /// Reads an item that [`ItemKind::of`](super::ItemKind::of) found to be an impl block.
    pub(crate) fn read(item: TokenStream) -> syn::Result<Self> {
        let mut tokens = visible(item);
        let body = match tokens.pop() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => body,
            last => {
                let place = last.map_or_else(Span::call_site, |last| last.span());
                return Err(syn::Error::new(place, "expected the block of the `impl`"));
            }
        };
        let (attrs, head) = attributes.parse2(tokens.into_iter().collect())?;
        let (impl_token, self_ty) = type_of.parse2(head.clone())?;
        let items = items.parse2(body.stream())?;
        Ok(Self { attrs, head, impl_token, self_ty, body, items })
    }

    /// The same block, with further attributes on its methods, after their own.
    pub(crate) fn marked(&self, mark: impl Fn(&Function) -> TokenStream) -> TokenStream {
        let Self { attrs, head, body, .. } = self;
        let items = self.items.iter().map(|item| match item {
            ImplItem::Other(tokens) => tokens.clone(),
            ImplItem::Method(method) => {
                let Function { attrs, vis, sig, body } = &**method;
                let mark = mark(method);
                quote::quote!(#(#attrs)* #mark #vis #sig #body)
            }
        });
        let body = super::braced(items.collect(), body);
        quote::quote!(#(#attrs)* #head #body)
    }

    /// `Service` of `impl Fetch for &pool::Service<T>`
    pub(crate) fn type_name(&self) -> Option<&Ident> {
        name_of(&self.self_ty)
    }
}

fn name_of(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
        Type::Reference(reference) => name_of(&reference.elem),
        Type::Group(group) => name_of(&group.elem),
        Type::Paren(paren) => name_of(&paren.elem),
        _ => None,
    }
}

/// An item that comes through a `macro_rules!` fragment is in an invisible group.
fn visible(item: TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = item.into_iter().collect();
    match &tokens[..] {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => visible(group.stream()),
        _ => tokens,
    }
}

fn attributes(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    Ok((Attribute::parse_outer(input)?, input.parse()?))
}

/// Input: `unsafe impl<T> Trait for Type<T> where ..` -> Output: the `impl`, `Type<T>`
fn type_of(input: ParseStream<'_>) -> syn::Result<(Span, Type)> {
    while !input.peek(Token![impl]) {
        // `default`, `unsafe`
        input.parse::<TokenTree>()?;
    }
    let impl_token = input.parse::<Token![impl]>()?.span;
    input.parse::<Generics>()?;
    input.parse::<Option<Token![const]>>()?;
    input.parse::<Option<Token![!]>>()?;
    let mut ty = input.parse()?;
    if input.parse::<Option<Token![for]>>()?.is_some() {
        ty = input.parse()?;
    }
    input.parse::<TokenStream>()?;
    Ok((impl_token, ty))
}

fn items(input: ParseStream<'_>) -> syn::Result<Vec<ImplItem>> {
    let mut items = Vec::new();
    while input.peek(Token![#]) && input.peek2(Token![!]) {
        let inner: [TokenTree; 3] = [input.parse()?, input.parse()?, input.parse()?];
        items.push(ImplItem::Other(inner.into_iter().collect()));
    }
    while !input.is_empty() {
        items.push(if is_method(input) {
            ImplItem::Method(Box::new(Function::parse_method(input)?))
        } else {
            ImplItem::Other(other(input)?)
        });
    }
    Ok(items)
}

/// Whether the next item is a method with a body that can be read.
fn is_method(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    if ahead.call(Attribute::parse_outer).is_err() || ahead.parse::<Visibility>().is_err() {
        return false;
    }
    loop {
        if ahead.peek(Token![fn]) {
            return true;
        }
        let qualifier = ahead.peek(Token![const]) || ahead.peek(Token![async]) || ahead.peek(Token![unsafe]);
        if ahead.peek(Token![extern]) {
            let _ = (ahead.parse::<Token![extern]>(), ahead.parse::<Option<LitStr>>());
        } else if !qualifier || ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
}

/// The tokens of an item of another kind: up to its semicolon, or to its block where nothing can follow that.
fn other(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let ahead = input.fork();
    let mut head = ahead.call(Attribute::parse_outer).is_ok() && ahead.parse::<Visibility>().is_ok();
    while head && ahead.peek(syn::Ident) {
        // `default`
        head = ahead.parse::<Ident>().is_ok_and(|word| word == "default");
    }
    // A block in a value or a type ends nothing.
    let to_semicolon = ahead.peek(Token![const]) || ahead.peek(Token![type]);
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => !to_semicolon && group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        tokens.extend([token]);
        if ends {
            break;
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn read(item: TokenStream) -> ImplBlock {
        ImplBlock::read(item).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn methods_are_found_and_nothing_is_lost() {
        let item = quote! {
            #[doc = "x"]
            unsafe impl<'a, T: Load<{ 3 }>> Fetch<T> for pool::Service<'a, T> where T: Copy {
                #![allow(unused)]
                const N: usize = { 3 };
                pub const fn at() -> [u8; { 3 }] { x. if }
                type Output<const M: usize> = Foo<{ 3 }>;
                declare! { fn not_ours() {} }
                declare!(fn not_ours() {});
                /// Docs.
                #[inline]
                pub(crate) async unsafe extern "C" fn load<const M: usize>(&self) -> Foo<{ 3 }> where T: Clone { self. }
                default fn specialized() {}
                fn last(self) {}
            }
        };
        let block = read(item.clone());
        assert_eq!(block.type_name().map(ToString::to_string).as_deref(), Some("Service"));
        let methods: Vec<String> = block
            .items
            .iter()
            .filter_map(|item| match item {
                ImplItem::Method(method) => Some(method.sig.ident.to_string()),
                ImplItem::Other(_) => None,
            })
            .collect();
        assert_eq!(methods, ["at", "load", "last"]);
        assert_eq!(block.marked(|_| TokenStream::new()).to_string(), item.to_string());
    }

    #[test]
    fn the_type_is_named_wherever_it_stands() {
        for (item, name) in [
            (quote!(impl Service {}), Some("Service")),
            (
                quote!(
                    impl<T> Fetch for &mut a::Service<T> {}
                ),
                Some("Service"),
            ),
            (quote!(impl !Send for Service {}), Some("Service")),
            (quote!(impl Fetch for [u8] {}), None),
            (quote!(impl Fetch for (u8, u8) {}), None),
        ] {
            assert_eq!(read(item.clone()).type_name().map(ToString::to_string).as_deref(), name, "{item}");
        }
        assert!(ImplBlock::read(quote!(impl Service;)).is_err());
        assert!(ImplBlock::read(quote!(impl)).is_err());
    }
}
