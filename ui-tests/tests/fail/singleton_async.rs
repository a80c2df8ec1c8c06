use lifecycle::singleton;
use std::rc::Rc;

pub struct Pool;

// A future that stays on its thread.
#[singleton]
async fn not_send() -> Pool {
    let shared = Rc::new(3);
    std::future::ready(()).await;
    drop(shared);
    Pool
}

#[singleton(async_factory = NotSend::make)]
pub struct NotSend;

impl NotSend {
    async fn make() -> Self {
        let shared = Rc::new(3);
        std::future::ready(()).await;
        drop(shared);
        Self
    }
}

// A value that stays on its thread.
#[singleton]
async fn not_shared() -> Rc<str> {
    "".into()
}

#[singleton(swap)]
async fn not_shared_swapped() -> Result<Rc<str>, String> {
    Ok("".into())
}

// Factories of another kind.
#[singleton(async_factory = Sync::new)]
pub struct Sync;

impl Sync {
    fn new() -> Self {
        Self
    }
}

#[singleton(async_factory = Fallible::load)]
pub struct Fallible;

impl Fallible {
    async fn load() -> Result<Self, String> {
        Ok(Self)
    }
}

#[singleton(try_async_factory = Infallible::load)]
pub struct Infallible;

impl Infallible {
    async fn load() -> Self {
        Self
    }
}

#[singleton(factory = Async::load)]
pub struct Async;

impl Async {
    async fn load() -> Self {
        Self
    }
}

// The body's own mistakes are said once, in the body.
#[singleton]
async fn wrong_body() -> Pool {
    3
}

#[singleton]
async fn wrong_question_mark() -> Pool {
    let _: u8 = "3".parse()?;
    Pool
}

fn main() {}
