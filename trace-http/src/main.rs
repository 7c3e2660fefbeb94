//! The program `trace`; everything in it is in the library beside it.

/// Records are made by one thread and freed by another, at which this allocator
/// is quicker than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    trace_http::command::run(std::env::args_os())
}
