use lifecycle::singleton;

#[derive(Default)]
pub struct Pool;

pub struct NoDisplay;

impl Pool {
    fn count(&self) -> u8 {
        3
    }

    fn fail(&self) -> Result<(), NoDisplay> {
        Ok(())
    }

    async fn wait(&self) {}

    async fn wait_for(&self) -> u8 {
        3
    }

    fn of_mut(&mut self) {}
}

#[singleton(shutdown = Pool::count)]
fn shutdown_gives_a_number() -> Pool {
    Pool
}

#[singleton(shutdown = Pool::fail)]
fn shutdown_fails_silently() -> Pool {
    Pool
}

#[singleton(shutdown = Pool::wait_for)]
fn shutdown_waits_for_a_number() -> Pool {
    Pool
}

#[singleton(shutdown = |pool| async move {
    let shared = std::rc::Rc::new(3);
    pool.wait().await;
    drop(shared);
})]
fn shutdown_stays_on_its_thread() -> Pool {
    Pool
}

#[singleton(reset = Pool::wait)]
fn reset_waits() -> Pool {
    Pool
}

#[singleton(reset = Pool::of_mut)]
fn reset_by_mut() -> Pool {
    Pool
}

#[singleton(pressure = Pool::count)]
fn pressure_in_bytes() -> Pool {
    Pool
}

#[singleton(memory = Pool::count)]
fn memory_in_bytes() -> Pool {
    Pool
}

#[singleton(health = Pool::count)]
fn health_is_a_number() -> Pool {
    Pool
}

#[singleton(health = |pool: &String| true)]
fn health_of_another() -> Pool {
    Pool
}

#[singleton(on_retire = Pool::missing)]
fn retired_by_nobody() -> Pool {
    Pool
}

#[singleton(swap, on_change = |new| ())]
fn changed_with_one() -> Pool {
    Pool
}

fn main() {}
