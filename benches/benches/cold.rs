//! What happens once, or before `main`: `cargo bench -p lifecycle-benches --bench cold`. Nothing is asserted.
//!
//! - Creation with an empty factory: the first access of each of 256 declared singletons, sync and async.
//! - A `snapshot()` of 10,000 components, and the sizes of the futures of accessors.
//! - What a declaration adds to a program: two programs are generated, with 1 and with 1,001 declared singletons, built as a
//!   release and compared: by `size`, by their run time (both do nothing in `main`), and by callgrind, which counts the dynamic
//!   linker's work too.

use lifecycle::{singleton, singletons};
use lifecycle_benches::markdown;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, ExitCode, Stdio};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Sixteen declarations in each of sixteen modules, and a list of them.
macro_rules! declared {
    ($all:ident: $list:ty, $sixteen:ident, $($module:ident)*) => {
        $(mod $module { super::$sixteen!(a b c d e f g h i j k l m n o p); })*
        static $all: &[$list] = &[$(&$module::ALL),*];
    };
}

macro_rules! sync_singletons {
    ($($name:ident)*) => {
        $(#[lifecycle::singleton]
        fn $name() -> u64 {
            7
        })*
        pub(super) static ALL: [fn() -> bool; 16] = [$(|| *$name() == 7),*];
    };
}
use sync_singletons;

macro_rules! async_singletons {
    ($($name:ident)*) => {
        $(#[lifecycle::singleton]
        async fn $name() -> u64 {
            7
        })*
        pub(super) static ALL: [fn() -> bool; 16] = [$(|| super::is_ready($name())),*];
    };
}
use async_singletons;

declared!(SYNC: &[fn() -> bool; 16], sync_singletons, sa sb sc sd se sf sg sh si sj sk sl sm sn so sp);
declared!(ASYNC: &[fn() -> bool; 16], async_singletons, aa ab ac ad ae af ag ah ai aj ak al am an ao ap);

fn is_ready(accessor: impl Future) -> bool {
    pin!(accessor).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Its factory's future holds this across an `.await`.
#[singleton]
async fn large() -> usize {
    let room = black_box([0_u8; 4096]);
    std::future::ready(()).await;
    room.len()
}

fn main() -> ExitCode {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |what: &str, measured: String, aim: &str| rows.push(vec![what.to_owned(), measured, aim.to_owned()]);

    for (what, all) in [("sync", SYNC), ("async, ready at once", ASYNC)] {
        let (least, median) = first_calls(all);
        row(
            &format!("creation, empty factory, {what}"),
            format!("{:.2} us (median; least {:.2})", micros(median), micros(least)),
            "2 us",
        );
    }
    row(
        "future of an async accessor, factory of 4 KiB",
        format!("{} bytes", std::mem::size_of_val(&large())),
        "32 bytes",
    );
    row("`snapshot()` of 10,000 singletons", format!("{:.1} ms", micros(snapshot()) / 1000.0), "10 ms");

    match programs() {
        Ok((one, many)) => {
            match sizes(&one, &many) {
                Ok(parts) => {
                    row("code and data, a declared singleton", parts, "600 bytes");
                }
                Err(why) => skipped("sizes", &why),
            }
            match before_main(&one, &many) {
                Ok(each) => row("before `main`, a listed item", format!("{each:.0} ns"), "100 ns"),
                Err(why) => skipped("time before main", &why),
            }
            match callgrind(&one, &many) {
                Ok(each) => row("the same, in instructions", format!("{each:.0}"), ""),
                Err(why) => skipped("instructions before main", &why),
            }
        }
        Err(why) => skipped("what a declaration adds to a program", &why),
    }
    println!("\n{}", markdown(1, &["once", "measured", "aim"], &rows));
    ExitCode::SUCCESS
}

fn skipped(what: &str, why: &str) {
    eprintln!("\n==== cold: SKIPPED: {what}: {why} ====\n");
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

// ---- In this program

/// The least and the median time of the first access. That a clock is read once in between is part of it.
fn first_calls(all: &[&[fn() -> bool; 16]]) -> (Duration, Duration) {
    let mut times: Vec<Duration> = Vec::new();
    for call in all.iter().copied().flatten() {
        let start = Instant::now();
        assert!(call(), "it is there after its first access");
        times.push(start.elapsed());
    }
    times.sort();
    (times[0], times[times.len() / 2])
}

/// The least time of several.
fn snapshot() -> Duration {
    let core = singletons();
    if let Err(error) = core.set_rate_limit(None) {
        eprintln!("cold: {error}");
    }
    for number in 0..10_000_u64 {
        if let Err(error) = core.set(&format!("component {number}"), number) {
            eprintln!("cold: {error}");
        }
    }
    let times = (0..10).map(|_| {
        let start = Instant::now();
        let taken = lifecycle::snapshot();
        let took = start.elapsed();
        assert!(taken.singletons.len() >= 10_000, "all are there");
        took
    });
    times.min().unwrap_or_default()
}

// ---- In programs made for it

/// So many declarations more.
const MORE: usize = 1000;

/// Builds both programs: with one declaration, so that what comes with the first is in both, and with [`MORE`].
fn programs() -> Result<(PathBuf, PathBuf), String> {
    let (one, many) = (program("declares-one", 1)?, program("declares-many", 1 + MORE)?);
    Ok((one, many))
}

fn program(name: &str, declarations: usize) -> Result<PathBuf, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let text = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(directory.join("src")).map_err(text)?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nlifecycle = {{ path = {:?} }}\n",
        workspace.join("lifecycle")
    );
    let mut source = "use lifecycle::singleton;\n\n".to_owned();
    for number in 0..declarations {
        // Not inlined: each accessor is there as a function, as in a library.
        let _ = writeln!(source, "#[singleton]\n#[inline(never)]\nfn s{number}() -> u64 {{ {number} }}");
    }
    // Unless it is told to, it does nothing; but that is not known when it is built.
    source += "\nfn main() {\n    if std::env::args().count() < 2 {\n        return;\n    }\n    let mut sum = 0;\n";
    for number in 0..declarations {
        let _ = writeln!(source, "    sum += s{number}();");
    }
    source += "    println!(\"{sum} {}\", lifecycle::singletons().declared().len());\n}\n";
    std::fs::write(directory.join("Cargo.toml"), manifest).map_err(text)?;
    std::fs::write(directory.join("src/main.rs"), source).map_err(text)?;
    std::fs::copy(workspace.join("Cargo.lock"), directory.join("Cargo.lock")).map_err(text)?;
    // One for both: the runtime is built once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cold");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--release", "--offline", "--quiet"])
        .current_dir(&directory)
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .map_err(text)?;
    if !built.status.success() {
        return Err(format!("the generated program was not built:\n{}", String::from_utf8_lossy(&built.stderr)));
    }
    Ok(target.join("release").join(name))
}

/// What each declaration adds to which sections.
fn sizes(one: &Path, many: &Path) -> Result<String, String> {
    let (one, many) = (sections(one)?, sections(many)?);
    let each = |names: &[&str]| {
        let of = |all: &[(String, u64)]| -> u64 {
            all.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, size)| size).sum()
        };
        of(&many).saturating_sub(of(&one)) / MORE as u64
    };
    let code = each(&[".text"]);
    let data = each(&[".data", ".bss", ".rodata", ".data.rel.ro", ".init_array"]);
    let relocations = each(&[".rela.dyn"]);
    let unwinding = each(&[".eh_frame", ".eh_frame_hdr", ".gcc_except_table"]);
    Ok(format!(
        "{} bytes ({code} code, {data} data); {relocations} more for relocations, {unwinding} for unwinding",
        code + data
    ))
}

fn sections(program: &Path) -> Result<Vec<(String, u64)>, String> {
    let output =
        Command::new("size").args(["-A", "-d"]).arg(program).output().map_err(|error| format!("no `size`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let all: Vec<(String, u64)> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        })
        .collect();
    if all.iter().any(|(name, _)| name == ".text") { Ok(all) } else { Err("`size` shows no `.text`".to_owned()) }
}

/// The least of many run times of both, the programs taking turns.
fn before_main(one: &Path, many: &Path) -> Result<f64, String> {
    let mut least = [Duration::MAX; 2];
    for _ in 0..500 {
        for (least, program) in least.iter_mut().zip([one, many]) {
            let start = Instant::now();
            run(Command::new(program))?;
            *least = start.elapsed().min(*least);
        }
    }
    Ok((least[1].as_secs_f64() - least[0].as_secs_f64()) * 1e9 / MORE as f64)
}

/// Instructions of whole runs.
fn callgrind(one: &Path, many: &Path) -> Result<f64, String> {
    let count = |program: &Path| {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .output()
            .map_err(|error| format!("no valgrind: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        let count = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse::<u64>().ok());
        count.ok_or_else(|| format!("valgrind gave no count:\n{text}"))
    };
    let (one, many) = (count(one)?, count(many)?);
    Ok(many.saturating_sub(one) as f64 / MORE as f64)
}

fn run(mut command: Command) -> Result<(), String> {
    let status = command.stdout(Stdio::null()).status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}
