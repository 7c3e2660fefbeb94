//! The program `trace`; everything in it is in the library beside it.

fn main() -> std::process::ExitCode {
    trace_http::command::run(std::env::args_os())
}
